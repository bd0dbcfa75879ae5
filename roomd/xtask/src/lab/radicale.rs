// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Radicale, the CalDAV server that Debian ships, with one room and one organiser.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{room, wait};

/// The room's account.
pub const USER: &str = "raum";
/// The room's password; must never appear in a log.
pub const PASSWORD: &str = "Zwetschgenbaum";

/// Runs until dropped or stopped.
pub struct Radicale {
    server: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl Radicale {
    /// Starts a server with its collections in this folder, and one calendar.
    pub fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut users = std::fs::File::create(folder.join("users"))?;
        writeln!(users, "{USER}:{PASSWORD}")?;
        let mut radicale = Self {
            server: None,
            folder: folder.to_owned(),
            port: room::free_port()?,
        };
        radicale.resume()?;
        radicale.request("MKCALENDAR", "calendar/", &[], "")?;
        Ok(radicale)
    }

    /// Starts the server again, on the same port with the same collections.
    pub fn resume(&mut self) -> Result<()> {
        let option = |name: &str, value: &Path| format!("--{name}={}", value.display());
        let server = Command::new("radicale")
            .arg(format!("--server-hosts=127.0.0.1:{}", self.port))
            .arg(option(
                "storage-filesystem-folder",
                &self.folder.join("collections"),
            ))
            .args([
                "--auth-type=htpasswd",
                "--auth-htpasswd-encryption=plain",
                "--auth-delay=0",
            ])
            .arg(option("auth-htpasswd-filename", &self.folder.join("users")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start radicale")?;
        self.server = Some(server);
        wait::until("radicale", || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", self.port)).ok())
        })
        .map(drop)
    }

    /// Stops the server; its collections stay.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Where clients begin.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Writes a calendar object, as the organiser's program does.
    pub fn put(&self, name: &str, calendar: &str) -> Result<()> {
        self.request(
            "PUT",
            &format!("calendar/{name}"),
            &["Content-Type: text/calendar"],
            calendar,
        )
        .map(drop)
    }

    /// Reads a calendar object.
    pub fn get(&self, name: &str) -> Result<String> {
        self.request("GET", &format!("calendar/{name}"), &[], "")
    }

    fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Result<String> {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--fail",
            "--request",
            method,
            "--user",
        ]);
        command.arg(format!("{USER}:{PASSWORD}"));
        for header in headers {
            command.args(["--header", header]);
        }
        if !body.is_empty() {
            command.args(["--data-binary", body]);
        }
        let output = command
            .arg(format!("{}{USER}/{path}", self.url()))
            .output()?;
        if !output.status.success() {
            bail!(
                "{method} {path}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        self.stop();
    }
}
