// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What stands behind a deployment of Element Call: a homeserver, and SFUs with their token services.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;

use super::livekit::{self, LiveKit};
use super::room;
use super::synapse::{self, SERVER_NAME, Synapse};
use super::token_service::{Access, TokenService};

/// Runs until dropped.
pub struct ElementCall {
    /// The homeserver; it tells clients of the first SFU.
    pub synapse: Synapse,
    /// The SFUs.
    pub sfus: Vec<Sfu>,
    folder: TempDir,
}

/// An SFU, and the service that gives tokens for it.
pub struct Sfu {
    /// The SFU.
    pub livekit: LiveKit,
    /// The service.
    pub tokens: TokenService,
}

impl ElementCall {
    /// Installs what is missing, which takes minutes.
    pub fn install() -> Result<()> {
        livekit::install()?;
        synapse::install().map(drop)
    }

    /// Starts all of it, with so many SFUs.
    pub fn start(sfus: usize) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("roomd-lab-").tempdir()?;
        let ports: Vec<u16> = (0..sfus)
            .map(|_| room::free_port())
            .collect::<Result<_>>()?;
        let told: Vec<String> = ports
            .iter()
            .take(1)
            .map(|port| TokenService::url_at(*port))
            .collect();
        let synapse = Synapse::start(folder.path(), &told)?;
        let access = Access {
            homeservers: BTreeMap::from([(SERVER_NAME.to_owned(), synapse.url())]),
            full: vec![SERVER_NAME.to_owned()],
        };
        let start = |(index, port): (usize, &u16)| Sfu::start(folder.path(), index, *port, &access);
        let sfus = ports.iter().enumerate().map(start).collect::<Result<_>>()?;
        Ok(Self {
            synapse,
            sfus,
            folder,
        })
    }

    /// Where the servers keep their files and logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Sfu {
    fn start(folder: &Path, index: usize, port: u16, access: &Access) -> Result<Self> {
        let livekit = LiveKit::start(folder, &format!("livekit-{index}"))?;
        let tokens =
            TokenService::start(folder, &format!("tokens-{index}"), port, &livekit, access)?;
        Ok(Self { livekit, tokens })
    }
}

impl Drop for ElementCall {
    fn drop(&mut self) {
        if std::env::var_os("ROOMD_LAB_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            eprintln!("kept {}", self.folder.path().display());
        }
    }
}
