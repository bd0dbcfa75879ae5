// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The panel's packages and its build, each done again only when its inputs changed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::project;

/// Where the built pages are.
pub fn dist() -> PathBuf {
    directory().join("dist")
}

/// Where the panel's sources are.
pub fn directory() -> PathBuf {
    project::root().join("kiosk")
}

/// Installs the packages of the lock file.
pub fn install() -> Result<()> {
    let stamp = directory().join("node_modules/.installed");
    unless_stamped(&stamp, &[directory().join("package-lock.json")], || {
        npm(
            "installing the panel's packages",
            &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
        )
    })
}

/// Builds panel and guest page.
pub fn build() -> Result<()> {
    install()?;
    let stamp = dist().join(".built");
    let mut inputs = Vec::new();
    for file in project::tracked_files()? {
        if file.starts_with("kiosk") && !file.starts_with("kiosk/tests") {
            inputs.push(project::root().join(file));
        }
    }
    unless_stamped(&stamp, &inputs, || {
        npm("building the panel", &["run", "--silent", "build"])
    })
}

/// Builds the guests with which the laboratory fills meetings.
pub fn build_guests() -> Result<()> {
    install()?;
    let stamp = directory().join("tests/out/meeting/.built");
    let mut inputs = vec![
        directory().join("package-lock.json"),
        directory().join("scripts/meeting.mjs"),
    ];
    for file in project::tracked_files()? {
        if file.starts_with("kiosk/tests/meeting") || file.starts_with("kiosk/tests/agent") {
            inputs.push(project::root().join(file));
        }
    }
    unless_stamped(&stamp, &inputs, || {
        npm("building guests", &["run", "--silent", "build:guests"])
    })
}

/// Runs npm in the panel's folder.
pub fn npm(what: &str, arguments: &[&str]) -> Result<()> {
    project::run(
        what,
        Command::new("npm").current_dir(directory()).args(arguments),
    )
}

fn unless_stamped(stamp: &Path, inputs: &[PathBuf], work: impl Fn() -> Result<()>) -> Result<()> {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        input.hash(&mut hasher);
        std::fs::read(input)
            .with_context(|| format!("cannot read {}", input.display()))?
            .hash(&mut hasher);
    }
    let wanted = format!("{:016x}", hasher.finish());
    if std::fs::read_to_string(stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    work()?;
    std::fs::write(stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
