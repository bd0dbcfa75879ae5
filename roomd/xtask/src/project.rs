// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where things are, and how other programs are run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The top of the checkout.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest
        .ancestors()
        .nth(2)
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A built program of the workspace.
pub fn binary(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// What outlives a checkout: tools and their caches.
pub fn cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set")?;
    let path = base.join("roomd");
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

/// Says what happens next.
pub fn say(text: &str) {
    eprintln!("\x1b[1m==> {text}\x1b[0m");
}

/// Runs a command to its end and fails with its name when it fails.
pub fn run(what: &str, command: &mut Command) -> Result<()> {
    say(what);
    let started = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("{what}: cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    eprintln!("    {what}: {}", seconds(started.elapsed()));
    Ok(())
}

/// A command that changes the machine: as root, or through sudo.
pub fn as_root(program: &str) -> Command {
    if am_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    command
}

fn am_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Runs cargo with these arguments in the checkout.
pub fn cargo(what: &str, arguments: &[&str]) -> Result<()> {
    run(
        what,
        Command::new("cargo").current_dir(root()).args(arguments),
    )
}

/// Builds the daemon, its tool and every test. Beside [`build_programs`] it builds dependencies
/// anew where tests want more of them, so a run that tests uses this one alone.
pub fn build_everything() -> Result<()> {
    cargo(
        "building programs and tests",
        &["build", "--workspace", "--all-targets", "--locked"],
    )
}

/// Builds the daemon and its tool.
pub fn build_programs() -> Result<()> {
    cargo(
        "building roomd and roomctl",
        // The whole workspace, so that tests and programs share what they are built of.
        &["build", "--workspace", "--bins"],
    )
}

/// A duration for people.
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// The files that git knows, relative to the checkout.
pub fn tracked_files() -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .current_dir(root())
        // The checkout may belong to somebody else, as in a container.
        .args(["-c", "safe.directory=*"])
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ])
        .output()
        .context("cannot run git")?;
    if !output.status.success() || output.stdout.is_empty() {
        bail!(
            "git ls-files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    Ok(text
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .collect())
}
