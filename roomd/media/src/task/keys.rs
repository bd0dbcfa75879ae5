// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Derives frame keys, one after the other and beside the task: a passphrase takes tens of
//! milliseconds.

use std::collections::VecDeque;

use roomd_conference::{FrameKeyMaterial, FrameScheme, PeerId};
use roomd_crypt::{FrameKey, KeyRefusal, Scheme};
use roomd_model::StreamId;
use tokio::sync::mpsc;

use super::Task;

/// Keys that may wait.
const MAX_WAITING: usize = 1024;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Sending(PeerId),
    Stream(StreamId),
}

/// A key that is to be derived.
#[derive(Debug)]
pub(super) struct Job {
    pub purpose: Purpose,
    pub scheme: FrameScheme,
    pub index: u32,
    pub material: FrameKeyMaterial,
}

/// A key that was derived, or not.
#[derive(Debug)]
pub(super) struct Derived {
    purpose: Purpose,
    index: u32,
    key: Result<FrameKey, KeyRefusal>,
}

/// The queue of keys.
pub(super) struct Keys {
    waiting: VecDeque<Job>,
    busy: bool,
    output: mpsc::Sender<Derived>,
}

impl Keys {
    pub(super) const fn new(output: mpsc::Sender<Derived>) -> Self {
        Self {
            waiting: VecDeque::new(),
            busy: false,
            output,
        }
    }

    pub(super) fn derive(&mut self, job: Job) {
        if self.waiting.len() >= MAX_WAITING {
            tracing::error!("too many keys at a time; one is lost");
            return;
        }
        self.waiting.push_back(job);
        self.go_on();
    }

    /// Forgets keys that are not derived yet.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    fn go_on(&mut self) {
        if self.busy {
            return;
        }
        let Some(job) = self.waiting.pop_front() else {
            return;
        };
        self.busy = true;
        let output = self.output.clone();
        tokio::task::spawn_blocking(move || {
            let derived = Derived {
                purpose: job.purpose,
                index: job.index,
                key: derive(job.scheme, &job.material),
            };
            // The engine has ended.
            let _ = output.blocking_send(derived);
        });
    }
}

fn derive(scheme: FrameScheme, material: &FrameKeyMaterial) -> Result<FrameKey, KeyRefusal> {
    let scheme = match scheme {
        FrameScheme::LiveKit | FrameScheme::LiveKitShared | FrameScheme::ElementCall => {
            Scheme::LiveKit
        }
        FrameScheme::Jitsi => Scheme::Jitsi,
        FrameScheme::Talk => Scheme::Talk,
    };
    match material {
        FrameKeyMaterial::Bytes(bytes) => FrameKey::from_bytes(scheme, bytes),
        FrameKeyMaterial::Passphrase(passphrase) => FrameKey::from_passphrase(passphrase),
    }
}

impl Task {
    pub(super) fn key_derived(&mut self, derived: Derived) {
        self.keys.busy = false;
        self.keys.go_on();
        let key = match derived.key {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%error, "a frame key is refused");
                return;
            }
        };
        match derived.purpose {
            Purpose::Sending(peer) => self.peers.set_sending_key(peer, derived.index, key),
            Purpose::Stream(stream) => self.openers.set_key(stream, derived.index, key),
        }
    }
}
