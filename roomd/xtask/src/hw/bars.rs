// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The simulated conference bars: their process and its control socket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::lab::room::free_port;
use crate::lab::server::Server;
use crate::lab::wait;
use crate::project;

/// Their serial numbers. All else is equal.
pub const SERIALS: [&str; 2] = ["A1", "B2"];

/// The running program.
pub struct Bars {
    // Ends with the value.
    _server: Server,
    control: PathBuf,
    /// Where they are, on this machine's loopback.
    pub port: u16,
}

impl Bars {
    /// Starts them, all plugged, where no host has them yet.
    pub fn start(folder: &Path) -> Result<Self> {
        let port = free_port()?;
        let control = folder.join("bars");
        // It ends with this program, whatever ends that.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(project::binary("usb-bar"));
        command
            .arg("--listen")
            .arg(format!("127.0.0.1:{port}"))
            .arg("--control")
            .arg(&control);
        for serial in SERIALS {
            command.args(["--serial", serial]);
        }
        let ready = || UnixStream::connect(&control).is_ok();
        let server = Server::start("usb-bar", command, folder, ready)?;
        Ok(Self {
            _server: server,
            control,
            port,
        })
    }

    /// Gives an order, and the state behind it.
    pub fn order(&self, line: &str) -> Result<Value> {
        let mut stream = UnixStream::connect(&self.control).context("usb-bar does not answer")?;
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        let mut answer: Value = serde_json::from_str(&answer).context("usb-bar has ended")?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{error}");
        }
        Ok(answer["ok"].take())
    }

    /// What a bar knows.
    pub fn state(&self, serial: &str) -> Result<Value> {
        self.order(&format!("{serial} state"))
    }

    /// Waits until a bar's state is as wanted.
    pub fn wait(&self, serial: &str, what: &str, look: impl Fn(&Value) -> bool) -> Result<Value> {
        wait::until(what, || Ok(Some(self.state(serial)?).filter(&look)))
    }
}
