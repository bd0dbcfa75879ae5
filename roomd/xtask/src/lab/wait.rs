// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Waiting for a state, never for a time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// When something counts as never coming. It is also what a change in the calendar may take; all
/// else takes a moment, and longer only on a machine with too much to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks every 50 ms until there is something, and fails after [`PATIENCE`] with the last error.
pub fn until<T>(what: &str, look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    within(PATIENCE, what, look)
}

/// The same with another patience.
pub fn within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    let mut last = String::from("nothing yet");
    loop {
        match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last = format!("{error:#}"),
        }
        if started.elapsed() > patience {
            bail!("waited {patience:?} for {what}: {last}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
