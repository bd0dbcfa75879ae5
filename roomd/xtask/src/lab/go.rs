// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Go programs, built from their module in the version that is asked for. The module proxy serves the
//! compiler as well, so any Go does to begin with; Debian's is installed where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::install::{self, Place};
use crate::project;

/// The oldest Go that builds what is installed, and what is fetched where Go is older.
const WANTED: [u32; 3] = [1, 26, 0];
const FETCHED: &str = "1.26.8";

/// Where a module's program comes from.
pub struct Program {
    /// How it is called here.
    pub name: &'static str,
    /// The module's version, without the `v`.
    pub version: &'static str,
    /// The package of the program.
    pub package: &'static str,
}

/// The program; built when this version is not there yet.
pub fn program(wanted: &Program) -> Result<PathBuf> {
    let folder = install::once(wanted.name, wanted.version, |place| build(wanted, place))?;
    Ok(install::program(&folder, wanted.name))
}

fn build(wanted: &Program, place: &Place) -> Result<()> {
    let compiler = compiler(place)?;
    let bin = place.made.join("bin");
    let module = format!("{}@v{}", wanted.package, wanted.version);
    project::run(
        &format!("building {} {} (once)", wanted.name, wanted.version),
        go(&compiler, place)
            .env("GOBIN", &bin)
            .args(["install", "-trimpath", &module]),
    )?;
    let built = wanted.package.rsplit('/').next().unwrap_or(wanted.name);
    std::fs::rename(bin.join(built), bin.join(wanted.name)).context("Go built something else")
}

/// A command that leaves nothing outside of the place, and whose program runs on any Linux.
fn go(compiler: &Path, place: &Place) -> Command {
    let mut command = Command::new(compiler);
    command
        .current_dir(&place.scratch)
        .env("GOPATH", place.scratch.join("path"))
        .env("GOCACHE", place.scratch.join("cache"))
        .env("GOFLAGS", "-modcacherw")
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "on")
        .env("CGO_ENABLED", "0")
        .env_remove("GOROOT")
        .env_remove("GOMODCACHE");
    command
}

/// The machine's Go when it is recent; else the pinned one.
fn compiler(place: &Place) -> Result<PathBuf> {
    let own = PathBuf::from("go");
    match version_of(&own) {
        Some(version) if version >= WANTED => return Ok(own),
        Some(_) => {}
        None => install::debian("golang-go")?,
    }
    fetch_compiler(&own, place).with_context(|| {
        format!("no Go {FETCHED} from the module proxy: install Go {FETCHED} or later by hand")
    })
}

fn fetch_compiler(own: &Path, place: &Place) -> Result<PathBuf> {
    let module = format!(
        "golang.org/toolchain@v0.0.1-go{FETCHED}.linux-{}",
        architecture()?
    );
    project::say(&format!("fetching Go {FETCHED}"));
    let output = go(own, place)
        .args(["mod", "download", "-json", &module])
        .output()?;
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let Some(root) = told["Dir"].as_str().map(PathBuf::from) else {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{}{}",
            told["Error"].as_str().unwrap_or_default(),
            error.trim()
        );
    };
    make_whole(&root)?;
    Ok(root.join("bin/go"))
}

/// A module has no executable files, and no module inside of it.
fn make_whole(root: &Path) -> Result<()> {
    let tools = format!("pkg/tool/linux_{}", architecture()?);
    for folder in ["bin", &tools] {
        for entry in std::fs::read_dir(root.join(folder))? {
            make_executable(&entry?.path())?;
        }
    }
    std::fs::copy(root.join("src/_go.mod"), root.join("src/go.mod"))?;
    Ok(())
}

fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", path.display()))
}

/// What Go calls this machine's processor.
fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("no Go is known for {other}"),
    }
}

fn version_of(compiler: &Path) -> Option<[u32; 3]> {
    let output = Command::new(compiler)
        .arg("version")
        .env("GOTOOLCHAIN", "local")
        .output()
        .ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Of `go version go1.26.8 linux/amd64`.
fn parse_version(told: &str) -> Option<[u32; 3]> {
    let version = told.split_whitespace().nth(2)?.strip_prefix("go")?;
    let mut numbers = version.split('.').map(|part| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next();
        digits?.parse().ok()
    });
    Some([
        numbers.next()??,
        numbers.next()??,
        numbers.next().flatten().unwrap_or(0),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_compare() {
        let check = |told, expected| assert_eq!(parse_version(told), expected, "{told}");
        check("go version go1.26.8 linux/amd64", Some([1, 26, 8]));
        check("go version go1.19.8 linux/arm64", Some([1, 19, 8]));
        check("go version go1.27rc1 linux/amd64", Some([1, 27, 0]));
        check("go version go1.24 linux/amd64", Some([1, 24, 0]));
        check("", None);
        assert!(parse_version("go version go1.24.4 linux/amd64") < Some(WANTED));
    }
}
