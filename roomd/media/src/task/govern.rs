// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the processor allows to be encoded and composed.

use std::time::Instant;

use roomd_media_core::governor::{Allowance, Governor, Load};

use super::Task;
use crate::idle::Idle;

/// The governor, and what it looks at besides encoders and displays.
#[derive(Debug)]
pub(super) struct Govern {
    on: bool,
    pub governor: Governor,
    idle: Idle,
}

impl Govern {
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            governor: Governor::default(),
            idle: Idle::default(),
        }
    }

    /// What may be done.
    pub(super) fn allowance(&self) -> Allowance {
        self.governor.limit().into()
    }
}

impl Task {
    /// Once a second.
    pub(super) fn supervise_load(&mut self, now: Instant) {
        let load = Load {
            wanted: self.peers.largest_wanted(self.capture.largest()),
            camera: self.capture.work(now),
            content: self.content.work(now),
            missed: self.displays.take_missed(),
            idle: self.govern.idle.look(now),
        };
        if self.in_call && self.govern.on {
            self.govern(&load, now);
        }
    }

    /// What follows shows with the next allocation.
    pub(super) fn govern(&mut self, load: &Load, now: Instant) {
        let before = self.govern.governor.limit();
        self.govern.governor.observe(load, now);
        let limit = self.govern.governor.limit();
        if limit == before {
            return;
        }
        match limit {
            Some(limit) => tracing::info!(?limit, ?load, "the processor limits the picture"),
            None => tracing::info!("the processor limits the picture no more"),
        }
        self.displays.pace(self.govern.allowance().composed);
    }

    /// Another call is another load.
    pub(super) fn ungovern(&mut self) {
        self.govern.governor = Governor::default();
        self.displays.pace(Allowance::default().composed);
    }
}
