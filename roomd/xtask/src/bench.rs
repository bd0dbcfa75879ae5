// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `./x bench`: what the product costs, side by side with a browser in the same run.

use std::path::Path;

use anyhow::Result;

use crate::{kiosk, lab, project};

/// Runs the micro-benchmarks, then one call: the room's cost beside the guest's browser's.
pub fn run(report: Option<&Path>) -> Result<()> {
    kiosk::build()?;
    project::build_programs()?;
    project::cargo(
        "micro-benchmarks",
        &["bench", "-p", "roomd-media-core", "-p", "roomd-voice"],
    )?;
    lab::bench_call(report)
}
