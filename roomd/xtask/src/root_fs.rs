// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Root file systems of Debian 13, made by mmdebstrap from lists of packages.

use std::path::Path;

use anyhow::{Context, Result};

use crate::project;

/// Its code name.
pub const SUITE: &str = "trixie";
/// Its number.
pub const VERSION: u32 = 13;

/// Makes one as root, in a folder that does not exist.
pub fn make(packages: &[String], path: &Path) -> Result<()> {
    let mut command = project::as_root("mmdebstrap");
    command
        .args(["--quiet", "--variant=apt"])
        .arg(format!("--include={}", packages.join(",")))
        .arg("--aptopt=Apt::Install-Recommends \"false\"")
        .arg(SUITE)
        .arg(path);
    project::run(
        &format!("making a Debian {VERSION} root file system (once)"),
        &mut command,
    )
}

/// Removes what belongs to root.
pub fn remove(path: &Path) -> Result<()> {
    project::run(
        "removing a root file system",
        project::as_root("rm").arg("-rf").arg(path),
    )
}

/// Reads a list: one package on each line, and comments.
pub fn packages(file: &Path) -> Result<Vec<String>> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(listed(&text))
}

fn listed(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let named = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    named.map(str::to_owned).collect()
}

/// FNV-1a (Fowler, Noll, Vo): the same on every run, unlike the standard library's.
pub fn fingerprint<T: AsRef<str>>(words: &[T]) -> u32 {
    let words = words.iter().map(AsRef::as_ref);
    let bytes = words.flat_map(|word: &str| word.bytes().chain([b'\n']));
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_packages() {
        assert_eq!(listed("# room\nudev\n\n  kmod \n"), ["udev", "kmod"]);
    }

    #[test]
    fn another_list_is_another_file_system() {
        assert_ne!(fingerprint(&["a", "b"]), fingerprint(&["ab"]));
    }
}
