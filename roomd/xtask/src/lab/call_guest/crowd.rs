// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Many guests in the call of a Matrix room, all in one process without a browser.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Participation, Signal, joining};
use crate::kiosk;
use crate::lab::lines::Lines;
use crate::lab::synapse::{Synapse, User};

/// Guests who publish. They take no media from each other, which would be too much for one machine.
pub struct Crowd {
    process: Lines,
    size: usize,
}

/// What one of a crowd knows of the call.
#[derive(Debug, Deserialize)]
pub struct Known {
    /// The guest's own SFU has it.
    pub connected: bool,
    /// How many are in the call by the room's word.
    pub members: usize,
    /// How many keys the guest got so far, by how a member is called at the SFU.
    pub keys: BTreeMap<String, u32>,
}

impl Crowd {
    /// Joins them all at once, until all of them publish; the first has the number of `first` in the
    /// picture. What libraries tell stands in `crowd.log` in the folder.
    pub fn in_room(
        folder: &Path,
        homeserver: &Synapse,
        users: &[User],
        room: &str,
        first: u8,
        participation: Participation<'_>,
    ) -> Result<Self> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("crowd.log"))?;
        let program = kiosk::directory().join("tests/out/meeting/crowd.mjs");
        let mut process = Lines::start("crowd", &program, |node| {
            node.stderr(log);
            Ok(())
        })?;
        let guests = users.iter().zip(first..).map(|(user, number)| {
            let signal = Signal {
                number,
                picture: participation.picture,
            };
            joining(homeserver, user, room, signal, participation)
        });
        let guests = guests.collect::<Value>();
        process.call(json!({ "command": "join", "guests": guests }))?;
        Ok(Self {
            process,
            size: users.len(),
        })
    }

    /// What one of them knows of the call.
    pub fn report(&mut self, index: usize) -> Result<Known> {
        let report = self
            .process
            .call(json!({ "command": "report", "guest": index }))?;
        serde_json::from_value(report).context("the report is otherwise")
    }

    /// The last ones leave, until so many are left.
    pub fn shrink(&mut self, left: usize) -> Result<()> {
        for index in left..self.size {
            self.process
                .call(json!({ "command": "leave", "guest": index }))?;
        }
        self.size = self.size.min(left);
        Ok(())
    }
}
