// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Builds, tests and shows the project: `./x help`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool prints"
)]

mod bench;
mod check;
mod demo;
mod fuzz;
mod generate;
mod hw;
mod kiosk;
mod lab;
mod part;
mod project;
mod root_fs;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "x",
    about = "Builds, tests and shows roomd",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Starts a room, a meeting that is about to begin, and a guest in a browser
    Demo {
        /// Presses the buttons itself and ends after 20 seconds
        #[arg(long)]
        hands_free: bool,
        /// Writes what was measured, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// Runs every check and test, as continuous integration does
    Test {
        /// Only the steps whose name contains this
        only: Option<String>,
    },
    /// Runs one end-to-end scenario against real peers, or lists them
    Lab {
        /// A scenario's name, `list`, or `all`
        scenario: String,
        /// Writes what was measured, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Runs it in a Debian 13 root file system, which is made when it is missing
        #[arg(long, conflicts_with = "report")]
        debian_13: bool,
        /// Builds nothing before
        #[arg(long, hide = true)]
        built: bool,
    },
    /// Runs the benchmarks, side by side in one run, and writes roomd/media/BENCHMARKS.md
    Bench {
        /// Writes the figures, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// Looks for input that does harm
    Fuzz {
        /// What is fuzzed: a folder of roomd/fuzz/corpus
        target: String,
        /// For how long
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Adds to the corpus what reaches more than it does, instead
        #[arg(long)]
        minimise: bool,
    },
    /// Examines device paths on the kernel that a room runs, with virtual or real hardware
    Hw {
        /// Only cases whose name contains this, or `list`
        case: Option<String>,
        /// The long cases as well
        #[arg(long)]
        all: bool,
        /// Writes each case with its figure, as JSON
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// A real room, reached by SSH; without it, a virtual one is booted
        #[arg(long, value_name = "HOST")]
        target: Option<String>,
    },
    /// Writes the generated TypeScript types
    Generate,
    /// Formats Rust code
    Fmt,
    /// Explains the tasks
    Help,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\x1b[31merror\x1b[0m: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Demo { hands_free, report } => demo::run(hands_free, report.as_deref()),
        Task::Test { only } => test::run(only.as_deref()),
        Task::Lab {
            scenario,
            debian_13: true,
            ..
        } => lab::prepare().and_then(|()| lab::debian13::run(&scenario)),
        Task::Lab {
            scenario,
            report,
            built,
            ..
        } => lab::run(&scenario, report.as_deref(), built),
        Task::Bench { report } => bench::run(report.as_deref()),
        Task::Fuzz {
            target,
            seconds,
            minimise,
        } => fuzz::run(&target, seconds, minimise),
        Task::Hw { case, .. } if case.as_deref() == Some("list") => {
            hw::list();
            Ok(())
        }
        Task::Hw {
            case,
            all,
            report,
            target,
        } => hw::run(&hw::Options {
            all,
            essential: false,
            only: case.as_deref(),
            report: report.as_deref(),
            target: target.as_deref(),
        }),
        Task::Generate => generate::write(),
        Task::Fmt => project::cargo("formatting", &["fmt", "--all"]),
        Task::Help => {
            println!("{HELP}");
            Ok(())
        }
    }
}

const HELP: &str = "\
./x demo                       a room, a meeting that is about to begin, a guest in a browser
./x demo --hands-free          the same without a finger: ends after 20 s, prints what it measured
./x test [NAME]                every check and test, or the steps whose name contains NAME
./x lab list                   the end-to-end scenarios
./x lab SCENARIO --report F    runs one of them, and writes its figures as JSON
./x lab SCENARIO --debian-13   runs it in a Debian 13 root file system
./x bench --report F           the room beside Chromium and the bare decoder, in one run
                               (about 15 minutes); writes roomd/media/BENCHMARKS.md
./x fuzz TARGET --seconds N    looks for input that does harm, from a corpus of roomd/fuzz on
./x hw list                    what is proved of the room's hardware, and where
./x hw [CASE] --report F       boots a virtual room and proves it there (--all: the long cases too)
./x hw --target HOST           the same on a real room, over SSH
./x generate                   TypeScript types from the Rust contracts
./x fmt                        formats Rust code";
