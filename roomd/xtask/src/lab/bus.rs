// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A D-Bus daemon of the scenario's own.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::wait;

/// Runs until dropped.
pub struct Bus {
    daemon: Child,
    /// What clients connect to.
    pub address: String,
}

impl Bus {
    /// Starts a bus with its socket in this folder.
    pub fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("bus");
        let address = format!("unix:path={}", socket.display());
        let daemon = Command::new("dbus-daemon")
            .args([
                "--session",
                "--nofork",
                "--nopidfile",
                "--address",
                &address,
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start dbus-daemon")?;
        let bus = Self { daemon, address };
        wait::until("the bus", || Ok(socket.exists().then_some(())))?;
        Ok(bus)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
