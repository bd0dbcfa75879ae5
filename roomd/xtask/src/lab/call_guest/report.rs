// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a guest knows of a call.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a guest knows of the call.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// The guest's own SFU has it.
    pub connected: bool,
    /// Who is in the call by the room's word; empty at a bare SFU.
    #[serde(default)]
    pub members: Vec<Member>,
    /// How many keys the guest got so far, by how a member is called at the SFU.
    #[serde(default)]
    pub keys: BTreeMap<String, u32>,
    /// Who else is at the SFUs, of those who are in the call.
    pub participants: Vec<Participant>,
}

/// A membership of the room's call.
#[derive(Debug, Deserialize)]
pub struct Member {
    /// The Matrix user.
    pub user: String,
    /// The user's device.
    pub device: String,
    /// How this member is called at the SFU.
    pub identity: String,
    /// The service before the SFU on which the member publishes.
    pub service: Option<String>,
    /// The hand is raised.
    pub hand: bool,
}

/// Somebody else at an SFU.
#[derive(Debug, Deserialize)]
pub struct Participant {
    /// How they are called there.
    pub identity: String,
    /// All that arrives is encrypted.
    pub encrypted: bool,
    /// Why frames could not be opened.
    pub errors: Vec<String>,
    /// What they publish.
    pub tracks: Vec<Track>,
}

/// A published track as a guest gets it.
#[derive(Debug, Deserialize)]
pub struct Track {
    /// `camera`, `microphone`, `screen_share`.
    pub source: String,
    /// Nothing is sent.
    pub muted: bool,
    /// Its frames are encrypted.
    pub encrypted: bool,
    /// Pictures shown so far.
    pub frames: u64,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}
