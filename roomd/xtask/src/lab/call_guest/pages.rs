// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The guests' pages, served on loopback.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::kiosk;
use crate::lab::server::Server;
use crate::lab::{http, room};

/// Serves the guests' pages until dropped.
pub struct Pages {
    _server: Server,
    port: u16,
}

impl Pages {
    /// Starts serving.
    pub fn start(folder: &Path) -> Result<Self> {
        let port = room::free_port()?;
        let mut command = Command::new("node");
        command
            .arg(kiosk::directory().join("tests/meeting/serve.mjs"))
            .arg(port.to_string());
        let url = format!("http://127.0.0.1:{port}/livekit.html");
        let ready = || http::get(&url, None).is_ok_and(|answer| answer.status == 200);
        let server = Server::start("pages", command, folder, ready)?;
        Ok(Self {
            _server: server,
            port,
        })
    }

    /// The address of a page.
    pub fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}.html", self.port)
    }
}
