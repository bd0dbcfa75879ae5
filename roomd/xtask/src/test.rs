// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `./x test`: everything that continuous integration runs, cheapest first.

use std::process::Command;
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::Result;

use crate::{check, generate, hw, kiosk, lab, project};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("format", || {
        project::cargo("cargo fmt", &["fmt", "--all", "--check"])
    }),
    ("licences", check::licences),
    ("layers", check::layers),
    ("links", check::links),
    ("generated types", generate::check),
    ("dependencies", check::dependencies),
    ("unused dependencies", check::unused),
    ("clippy", || {
        clippy("cargo clippy", &["--lib", "--bins"], &[])
    }),
    ("clippy for tests", || {
        clippy("cargo clippy --all-targets", &["--all-targets"], IN_TESTS)
    }),
    ("documentation", documentation),
    ("panel check", || {
        kiosk::build()
            .and_then(|()| kiosk::npm("panel: types, lints, sizes", &["run", "--silent", "check"]))
    }),
    ("build", project::build_everything),
    ("rust tests", || {
        // The Matrix account is tested against a real homeserver.
        lab::synapse::install()?;
        // Nothing in the documentation is a program, and to find that out takes a minute.
        let kinds = ["--lib", "--bins", "--tests"];
        let common = ["test", "--workspace", "--locked"];
        project::cargo("cargo test", &[&common[..], &kinds].concat())
    }),
    ("panel tests", || {
        kiosk::npm("panel: stories, accessibility", &["test", "--silent"])
    }),
    ("scenarios", || {
        kiosk::build()?;
        kiosk::build_guests()?;
        project::build_everything()?;
        lab::run_all()
    }),
    ("hardware bench", || {
        let essential = hw::Options {
            essential: true,
            ..hw::Options::default()
        };
        hw::run(&essential)
    }),
    ("scenarios on debian 13", || {
        kiosk::build()?;
        kiosk::build_guests()?;
        project::build_everything()?;
        lab::debian13::run_telling()
    }),
];

/// The first step that measures time, and wants the machine for itself.
const MEASURES: &str = "rust tests";

/// What a test may do and the product may not.
const IN_TESTS: &[&str] = &[
    "-Aclippy::unwrap_used",
    "-Aclippy::expect_used",
    "-Aclippy::unwrap_in_result",
    "-Aclippy::wildcard_enum_match_arm",
    "-Aclippy::print_stdout",
    "-Aclippy::print_stderr",
];

/// Runs the steps; stops at the first that fails.
pub fn run(only: Option<&str>) -> Result<()> {
    let started = Instant::now();
    let wanted = |step: &&Step| only.is_none_or(|part| step.0.contains(part));
    let mut passed = 0;
    let mut images = only.is_none().then(|| std::thread::spawn(make_images));
    for (name, step) in STEPS.iter().filter(wanted) {
        if *name == MEASURES {
            images.take().map(JoinHandle::join);
        }
        let begun = Instant::now();
        project::say(&format!("test: {name}"));
        if let Err(error) = step() {
            println!("{passed} passed, 1 failed");
            return Err(error.context(format!("test {name}")));
        }
        passed += 1;
        println!("ok   {name} ({})", project::seconds(begun.elapsed()));
    }
    println!("all of it took {}", project::seconds(started.elapsed()));
    println!("{passed} passed, 0 failed");
    Ok(())
}

/// Makes the root file systems beside the builds, which leave a processor idle now and then. The steps that
/// need one make it themselves where that failed, and say why.
fn make_images() {
    for made in [hw::prepare(), lab::debian13::prepare()] {
        if let Err(error) = made {
            eprintln!("{error:#}");
        }
    }
}

fn clippy(what: &str, targets: &[&str], allowed: &[&str]) -> Result<()> {
    let common = ["clippy", "--workspace", "--locked"];
    project::cargo(
        what,
        &[&common[..], targets, &["--", "-D", "warnings"], allowed].concat(),
    )
}

fn documentation() -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .current_dir(project::root())
        .env("RUSTDOCFLAGS", "-D warnings");
    command.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    project::run("cargo doc", &mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_waited_for() {
        assert!(STEPS.iter().any(|(name, _)| *name == MEASURES));
    }
}
