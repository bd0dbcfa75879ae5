// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `./x hw`: device paths on the kernel that a room runs, with virtual hardware or with a real room's.

mod archive;
mod bars;
mod bench;
mod cases;
mod daemon;
mod host;
mod image;
mod machine;
mod programs;

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::project;
use bench::{Bench, Kind};

/// What is run, and where.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// The long cases as well.
    pub all: bool,
    /// Only what every change must leave whole.
    pub essential: bool,
    /// Only cases whose name contains this.
    pub only: Option<&'a str>,
    /// Where each case is written, as JSON.
    pub report: Option<&'a Path>,
    /// A real room, as `ssh` names it; otherwise a virtual one.
    pub target: Option<&'a str>,
}

/// One thing that is proved.
pub struct Case {
    /// How it is called.
    pub name: &'static str,
    /// What it proves.
    pub about: &'static str,
    /// Where it can run.
    pub place: Place,
    /// Whether it takes minutes and waits for `--all`.
    pub long: bool,
    /// Runs it; an error is a failure.
    pub run: fn(&mut Bench) -> Result<Figure>,
}

/// One case for each way that a device is used, for every change: minutes beside the build.
const ESSENTIAL: &[&str] = &[
    "bar-bound",
    "camera-counts",
    "microphone-tones",
    "mute-lamp",
    "room-finds",
    "room-shows",
    "room-replug",
    "room-mute",
    "room-preset",
    "room-display",
    "room-buttons",
    "room-taken",
    "room-sound-test",
    "room-far-back",
    "room-killed",
    "room-power-cut",
    "room-idle",
    "kernel-log",
];

/// Where a case can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the bench and in a real room.
    Anywhere,
    /// Where hardware is plugged by a program.
    Virtual,
    /// There, and roomd runs in it.
    Room,
    /// So does the panel's browser, on a screen of its own: a virtual room apart, after all others.
    Panel,
}

/// What a case measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// A figure that counts.
pub fn count(value: usize, unit: &'static str) -> Figure {
    Figure {
        value: value as f64,
        unit,
    }
}

/// Makes what the virtual room boots, unless it is there.
pub fn prepare() -> Result<()> {
    image::Image::ready(image::ROOM).map(drop)
}

/// Names every case.
pub fn list() {
    for case in cases::ALL {
        let place = match case.place {
            Place::Anywhere => "anywhere",
            Place::Virtual => "virtual",
            Place::Room => "roomd",
            Place::Panel => "panel",
        };
        let long = if case.long { "--all" } else { "" };
        println!("{:18} {place:9} {long:6} {}", case.name, case.about);
    }
}

/// Runs the cases and fails when one of them does.
pub fn run(options: &Options<'_>) -> Result<()> {
    let cases: Vec<&Case> = cases::ALL
        .iter()
        .filter(|case| wanted(case, options))
        .collect();
    if cases.is_empty() {
        bail!("no such case: ./x hw list names them");
    }
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    let (apart, together): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|case| case.place == Place::Panel);
    for cases in [together, apart].iter().filter(|cases| !cases.is_empty()) {
        let mut bench = match options.target {
            Some(target) => Bench::real(target)?,
            None => Bench::start(kind(cases))?,
        };
        for case in cases {
            let result = examine(case, &mut bench);
            lines.push(line(case, &result));
            if result.is_err() {
                failed.push(case.name);
                bench.recover()?;
            }
        }
    }
    if let Some(path) = options.report {
        std::fs::write(path, serde_json::to_string_pretty(&lines)? + "\n")?;
    }
    println!(
        "{} passed, {} failed",
        lines.len() - failed.len(),
        failed.len()
    );
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The virtual room that these cases need.
fn kind(cases: &[&Case]) -> Kind {
    let needs = |place| cases.iter().any(|case| case.place == place);
    if needs(Place::Panel) {
        Kind::PANEL
    } else if needs(Place::Room) {
        Kind::ROOM
    } else {
        Kind::DEVICES
    }
}

/// Runs a case and says what came of it.
fn examine(case: &Case, bench: &mut Bench) -> Result<Figure> {
    let begun = Instant::now();
    let result = bench.clear().and_then(|()| (case.run)(bench));
    let took = project::seconds(begun.elapsed());
    match &result {
        Ok(Figure { value, unit }) => println!("ok   {} ({took}) {value} {unit}", case.name),
        Err(error) => {
            println!("FAIL {} ({took}): {error:#}", case.name);
            if matches!(case.place, Place::Room | Place::Panel)
                && let Ok(log) = bench.host.text(daemon::LOG)
            {
                println!("roomd said last:\n{log}");
            }
        }
    }
    result
}

fn wanted(case: &Case, options: &Options<'_>) -> bool {
    let named = options.only.is_none_or(|only| case.name.contains(only));
    // Who names a long case wants it.
    let short_enough = options.all || !case.long || options.only == Some(case.name);
    let essential = !options.essential || ESSENTIAL.contains(&case.name);
    let here = options.target.is_none() || case.place == Place::Anywhere;
    named && short_enough && essential && here
}

fn line(case: &Case, result: &Result<Figure>) -> Value {
    match result {
        Ok(Figure { value, unit }) => {
            json!({ "name": case.name, "passed": true, "figure": value, "unit": unit })
        }
        Err(error) => json!({
            "name": case.name, "passed": false, "figure": null, "unit": null,
            "error": format!("{error:#}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &Options<'_>) -> Vec<&'static str> {
        let wanted = cases::ALL.iter().filter(|case| wanted(case, options));
        wanted.map(|case| case.name).collect()
    }

    #[test]
    fn a_real_room_gets_no_case_that_pulls_cables() {
        let options = Options {
            target: Some("room"),
            all: true,
            ..Options::default()
        };
        let real = names(&options);
        assert!(!real.is_empty());
        let anywhere = |name: &&str| {
            cases::ALL
                .iter()
                .any(|case| case.name == *name && case.place == Place::Anywhere)
        };
        assert!(real.iter().all(anywhere));
    }

    #[test]
    fn what_is_essential_exists() {
        let essential = names(&Options {
            essential: true,
            ..Options::default()
        });
        assert_eq!(essential.len(), ESSENTIAL.len());
    }

    #[test]
    fn names_are_told_apart_and_long_cases_wait() {
        let mut all = names(&Options {
            all: true,
            ..Options::default()
        });
        let short = names(&Options::default());
        assert!(short.len() < all.len());
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), cases::ALL.len());
    }
}
