// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The signalling of LiveKit against its server, with real WebRTC connections and without the daemon.

use std::process::Command;

use anyhow::Result;

use crate::lab::{Figures, livekit};
use crate::project;

/// Runs the crate's tests that need a server.
pub fn run() -> Result<Figures> {
    let program = livekit::install()?;
    let tests = [
        "test",
        "--quiet",
        "--package",
        "roomd-livekit",
        "--test",
        "live",
    ];
    project::run(
        "connections to a LiveKit server",
        Command::new("cargo")
            .current_dir(project::root())
            .args(tests)
            .args(["--", "--ignored", "--test-threads", "2"])
            .env("ROOMD_LIVEKIT_SERVER", program),
    )?;
    Ok(Figures::new())
}
