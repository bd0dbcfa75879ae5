// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The meeting-room daemon: arguments, logging, and the start of everything else.

mod account;
mod daemon;
mod display;
mod guests;
mod hardware;
mod links;
mod process;
mod projection;
mod request;
mod secrets;
mod service;
mod start;
mod store;
mod touch;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use roomd_config::Settings;
use tracing_subscriber::EnvFilter;

/// What a wrong configuration ends with.
const BAD_CONFIG: u8 = 2;
const DEFAULT_CONFIG: &str = "/etc/roomd/roomd.toml";

#[derive(Parser)]
#[command(
    version,
    about = "Drives a meeting room",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// A recorded file in place of the camera
    #[arg(long, value_name = "FILE")]
    camera: Option<PathBuf>,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Reads a configuration and says what is wrong with it
    CheckConfig {
        /// The configuration
        #[arg(default_value = DEFAULT_CONFIG)]
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (path, check) = match &arguments.task {
        Some(Task::CheckConfig { file }) => (file.clone(), true),
        None => (arguments.config.clone(), false),
    };
    let settings = match start::read(&path) {
        Ok(settings) => settings,
        Err(error) => {
            say(&error);
            return ExitCode::from(BAD_CONFIG);
        }
    };
    if check {
        let keys = settings.buttons.refused.iter();
        let mut faults: Vec<_> = keys.map(|line| line.error.to_string()).collect();
        faults.extend(secrets::faults(&settings));
        if !faults.is_empty() {
            say(&faults.join("\n"));
            return ExitCode::from(BAD_CONFIG);
        }
        say(&format!("{}: the configuration is good", path.display()));
        return ExitCode::SUCCESS;
    }
    log_to_stderr(&settings);
    match run(settings, path, arguments.camera) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings, path: PathBuf, camera: Option<PathBuf>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(start::run(settings, path, camera))
}

/// Standard error goes to the journal; systemd adds the time.
fn log_to_stderr(settings: &Settings) {
    let chosen = std::env::var(EnvFilter::DEFAULT_ENV);
    let level = chosen.as_deref().unwrap_or(settings.log_level.as_str());
    // The Matrix library writes ids of people and rooms into its log, so nobody turns it on.
    let filter = EnvFilter::new(format!("{level},{}", roomd_matrix::LOG_DIRECTIVES));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

fn say(text: &str) {
    // Nobody to tell when standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
}
