// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Scenarios inside a Debian 13 root file system: what a room runs, whatever the developer's machine
//! does. The programs are those that were built outside; only the libraries and plugins differ.

use std::path::PathBuf;

use anyhow::Result;

use crate::project;
use crate::root_fs::{self, SUITE, VERSION};

/// What the programs and the scenarios need to run; nothing that builds.
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "chromium",
    "curl",
    "dbus",
    "fonts-dejavu-core",
    "fonts-inter",
    "gstreamer1.0-alsa",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "nodejs",
    "openssl",
    "procps",
    "python3-venv",
    "radicale",
    "tesseract-ocr",
    "tzdata",
];
/// Where the libraries below show: media both ways, many streams, whom they trust, the life of the process,
/// and what stays behind.
const TELLING: &[&str] = &[
    "direct-call",
    "guests-mesh",
    "sixteen",
    "wrong-fingerprint",
    "silent-join",
    "restart",
    "come-and-go",
];

/// Runs the scenarios in which the distribution shows. On Debian 13 they have run already.
pub fn run_telling() -> Result<()> {
    if host_version() == Some(VERSION) {
        println!("this machine runs Debian {VERSION} itself");
        return Ok(());
    }
    for scenario in TELLING {
        run(scenario)?;
    }
    Ok(())
}

/// Makes the root file system, unless it is there or not needed.
pub fn prepare() -> Result<()> {
    if host_version() == Some(VERSION) {
        return Ok(());
    }
    root().map(drop)
}

/// Runs one scenario, or `all`, with what is built.
pub fn run(scenario: &str) -> Result<()> {
    let root = root()?;
    let checkout = project::root();
    let mut binds = vec![checkout.clone()];
    if !project::target().starts_with(&checkout) {
        binds.push(project::target());
    }
    let mut command = project::as_root("unshare");
    command
        .args(["--mount", "--propagation", "private", "--"])
        .args(["sh", "-euc", ENTER, "enter"])
        .arg(&root)
        .arg(project::binary("xtask"))
        .arg(scenario)
        .args(&binds);
    project::run(
        &format!("Debian {VERSION}: scenario {scenario}"),
        &mut command,
    )
}

/// In a mount namespace of its own, so that nothing is left behind: the checkout where it is
/// outside, read-only, and the kernel's file systems.
const ENTER: &str = r#"
root=$1; xtask=$2; scenario=$3; shift 3
# First, as the checkout may be below it.
mount -t tmpfs tmpfs "$root/tmp"
for bind in "$@"; do
  mkdir -p "$root$bind"
  mount --bind "$bind" "$root$bind"
  mount -o remount,bind,ro "$root$bind"
done
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  "$xtask" lab "$scenario" --built
"#;

/// The root file system, made once for each list of packages.
fn root() -> Result<PathBuf> {
    let cache = project::cache()?;
    let path = cache.join(format!("{SUITE}-{:08x}", root_fs::fingerprint(PACKAGES)));
    let ready = path.join("ready");
    if ready.exists() {
        return Ok(path);
    }
    for entry in std::fs::read_dir(&cache)? {
        let old = entry?;
        if old.file_name().to_string_lossy().starts_with(SUITE) {
            root_fs::remove(&old.path())?;
        }
    }
    let packages: Vec<String> = PACKAGES.iter().map(|name| (*name).to_owned()).collect();
    root_fs::make(&packages, &path)?;
    project::run("marking it as whole", project::as_root("touch").arg(&ready))?;
    Ok(path)
}

fn host_version() -> Option<u32> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    debian_version(&text)
}

fn debian_version(os_release: &str) -> Option<u32> {
    let value = |name: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches('"'))
    };
    (value("ID=") == Some("debian")).then(|| value("VERSION_ID=")?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debian_counts() {
        let check = |text, expected| assert_eq!(debian_version(text), expected, "{text}");
        check("ID=debian\nVERSION_ID=\"13\"\n", Some(13));
        check("VERSION_ID=\"12\"\nID=debian\n", Some(12));
        check("ID=ubuntu\nVERSION_ID=\"13\"\n", None);
        check("ID=debian\n", None);
    }
}
