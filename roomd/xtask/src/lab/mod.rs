// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! End-to-end scenarios: the real daemon, real browsers, real servers, on loopback.

pub mod browser;
pub mod bus;
pub mod call_guest;
pub mod debian13;
pub mod element_call;
pub mod go;
pub mod guest;
pub mod http;
pub mod install;
pub mod lines;
pub mod livekit;
pub mod media_files;
pub mod panel;
pub mod picture;
pub mod radicale;
pub mod room;
mod scenarios;
pub mod screen;
pub mod server;
pub mod synapse;
pub mod token_service;
pub mod wait;
pub mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{kiosk, part, project};

/// What a scenario measured, by name.
pub type Figures = BTreeMap<&'static str, Value>;

/// One end-to-end scenario.
pub struct Scenario {
    /// How it is called on the command line.
    pub name: &'static str,
    /// What it proves.
    pub about: &'static str,
    /// Runs it; an error is a failure.
    pub run: fn() -> Result<Figures>,
}

/// Runs one scenario, all of them, or lists them; builds before, unless that was done.
pub fn run(name: &str, report: Option<&Path>, built: bool) -> Result<()> {
    if name == "list" {
        for scenario in scenarios::ALL.iter().chain(scenarios::APART) {
            println!("{:18} {}", scenario.name, scenario.about);
        }
        return Ok(());
    }
    let prepare = || if built { Ok(()) } else { prepare() };
    if name == "all" {
        prepare()?;
        return run_all();
    }
    let known = scenarios::ALL.iter().chain(scenarios::APART);
    let Some(scenario) = known.into_iter().find(|s| s.name == name) else {
        bail!("there is no scenario `{name}`: ./x lab list names them");
    };
    prepare()?;
    let result = (scenario.run)();
    let mut figures = match &result {
        Ok(figures) => figures.clone(),
        Err(error) => Figures::from([("error", format!("{error:#}").into())]),
    };
    figures.insert("scenario", name.into());
    figures.insert("passed", result.is_ok().into());
    println!("{}", serde_json::to_string_pretty(&figures)?);
    if let Some(path) = report {
        write_report(path, &figures)?;
    }
    result.map(drop).with_context(|| format!("scenario {name}"))
}

/// Runs every scenario with what is built, and says which failed.
pub fn run_all() -> Result<()> {
    let mut failed = Vec::new();
    for scenario in scenarios::ALL {
        let begun = Instant::now();
        match (scenario.run)() {
            Ok(figures) => {
                let figures = serde_json::to_string(&figures)?;
                println!(
                    "ok   {} ({}) {figures}",
                    scenario.name,
                    project::seconds(begun.elapsed())
                );
            }
            Err(error) => {
                println!("FAIL {}: {error:#}", scenario.name);
                failed.push(scenario.name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Writes figures as JSON.
pub fn write_report(path: &Path, figures: &Figures) -> Result<()> {
    let text = serde_json::to_string_pretty(figures)? + "\n";
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Builds what every scenario starts.
pub fn prepare() -> Result<()> {
    kiosk::build()?;
    kiosk::build_guests()?;
    project::build_programs()?;
    part::build(part::Profile::Debug)
}
