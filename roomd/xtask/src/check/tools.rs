// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Checks by well-known tools, installed into the cache when they are missing.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::project;

/// Licences, sources and forbidden edges of the dependency graph (deny.toml).
pub fn dependencies() -> Result<()> {
    let tool = installed("cargo-deny", "0.20.2")?;
    let mut command = Command::new(tool);
    command.current_dir(project::root());
    command.args([
        "--offline",
        "--locked",
        "--log-level",
        "error",
        "check",
        "--hide-inclusion-graph",
    ]);
    project::run("cargo-deny", command.args(["bans", "licenses", "sources"]))
}

/// Dependencies that nothing uses.
pub fn unused() -> Result<()> {
    let tool = installed("cargo-machete", "0.9.2")?;
    project::run(
        "cargo-machete",
        Command::new(tool).current_dir(project::root()).arg("roomd"),
    )
}

fn installed(tool: &str, version: &str) -> Result<PathBuf> {
    let root = project::cache()?
        .join("tools")
        .join(format!("{tool}-{version}"));
    let path = root.join("bin").join(tool);
    if !path.exists() {
        let mut command = Command::new("cargo");
        // A debug build takes half the time, and the tools run for a second.
        command.args([
            "install",
            "--locked",
            "--debug",
            "--version",
            version,
            "--root",
        ]);
        // The workspace's target folder would keep gigabytes for a tool built once.
        command.arg(&root).arg(tool).env_remove("CARGO_TARGET_DIR");
        // Nobody debugs it.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        project::run(&format!("installing {tool} {version} (once)"), &mut command)?;
    }
    Ok(path)
}
