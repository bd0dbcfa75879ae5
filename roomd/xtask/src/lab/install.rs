// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Servers that Debian does not ship, installed from their registries into the cache when a scenario
//! wants them for the first time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::project;

/// Where an installation works.
pub struct Place {
    /// What is kept.
    pub made: PathBuf,
    /// What is thrown away afterwards.
    pub scratch: PathBuf,
}

/// The folder of this version; made when it is missing, and whole or not there.
pub fn once(name: &str, version: &str, work: impl FnOnce(&Place) -> Result<()>) -> Result<PathBuf> {
    let cache = project::cache()?;
    let folder = cache.join(format!("{name}-{version}"));
    if folder.exists() {
        return Ok(folder);
    }
    let temporary = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(&cache)?;
    let place = Place {
        made: temporary.path().join("made"),
        scratch: temporary.path().join("scratch"),
    };
    std::fs::create_dir(&place.made)?;
    std::fs::create_dir(&place.scratch)?;
    work(&place).with_context(|| format!("cannot install {name} {version}"))?;
    // Another run may have been quicker.
    std::fs::rename(&place.made, &folder).or_else(|error| {
        let there = folder.exists();
        if there { Ok(()) } else { Err(error) }
    })?;
    Ok(folder)
}

/// Installs a Debian package.
pub fn debian(package: &str) -> Result<()> {
    let quiet = |command: &mut Command| project::run(&format!("installing {package}"), command);
    quiet(project::as_root("apt-get").args(["update", "-q"]))?;
    quiet(
        project::as_root("env")
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install"])
            .args(["-yq", "--no-install-recommends", package]),
    )
}

/// A Python package in an environment of its own, all of it in the versions of the constraints.
pub fn python(name: &str, package: &str, version: &str, constraints: &str) -> Result<PathBuf> {
    once(name, version, |place| {
        if !succeeds(Command::new(PYTHON).args(["-c", "import ensurepip"])) {
            debian("python3-venv")?;
        }
        project::run(
            "making a Python environment",
            Command::new(PYTHON).args(["-m", "venv"]).arg(&place.made),
        )?;
        let list = place.scratch.join("constraints.txt");
        std::fs::write(&list, constraints)?;
        project::run(
            &format!("installing {name} {version} (once)"),
            Command::new(place.made.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--no-cache-dir"])
                .args(["--disable-pip-version-check", "--constraint"])
                .arg(&list)
                .arg(format!("{package}=={version}")),
        )
    })
}

/// Debian's, whatever else is in the path.
const PYTHON: &str = "/usr/bin/python3";

/// Whether a command can be started and ends well.
pub fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A program of an installation.
pub fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join("bin").join(name)
}
