// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Derives frame keys, one after the other and beside the task: a passphrase takes tens of
//! milliseconds.

use std::collections::VecDeque;

use roomd_conference::{FrameKeyMaterial, FrameScheme, PeerId};
use roomd_crypt::{FrameKey, KeyRefusal, Scheme};
use roomd_model::{StreamId, StreamTrouble};
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
    pub peer: PeerId,
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
    /// What it was made of, where that took long.
    passphrase: Option<FrameKeyMaterial>,
}

/// The key that is being derived.
#[derive(Clone, Copy, Debug)]
struct Running {
    purpose: Purpose,
    peer: PeerId,
    index: u32,
    /// Nobody wants it any more.
    forgotten: bool,
}

/// The queue of keys.
pub(super) struct Keys {
    waiting: VecDeque<Job>,
    running: Option<Running>,
    /// The last passphrase and its key: in a meeting with a password every stream has the same.
    known: Option<(FrameKeyMaterial, FrameKey)>,
    output: mpsc::Sender<Derived>,
}

impl Keys {
    pub(super) const fn new(output: mpsc::Sender<Derived>) -> Self {
        Self {
            waiting: VecDeque::new(),
            running: None,
            known: None,
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

    /// Forgets every key that is not derived yet.
    pub(super) fn clear(&mut self) {
        self.known = None;
        self.drop_if(|_, _, _| true);
    }

    /// Forgets those of a connection that is gone; another may have its name.
    pub(super) fn forget_peer(&mut self, gone: PeerId) {
        self.drop_if(|_, peer, _| peer == gone);
    }

    /// Forgets those of a stream: of one index, or all.
    pub(super) fn forget(&mut self, stream: StreamId, which: Option<u32>) {
        self.drop_if(|purpose, _, index| {
            purpose == Purpose::Stream(stream) && which.is_none_or(|which| which == index)
        });
    }

    fn drop_if(&mut self, gone: impl Fn(Purpose, PeerId, u32) -> bool) {
        self.waiting
            .retain(|job| !gone(job.purpose, job.peer, job.index));
        if let Some(running) = &mut self.running {
            running.forgotten |= gone(running.purpose, running.peer, running.index);
        }
    }

    fn go_on(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some(job) = self.waiting.pop_front() else {
            return;
        };
        self.running = Some(Running {
            purpose: job.purpose,
            peer: job.peer,
            index: job.index,
            forgotten: false,
        });
        let output = self.output.clone();
        let known = self.known.as_ref();
        let known = known.filter(|(material, _)| *material == job.material);
        let known = known.map(|(_, key)| key.clone());
        tokio::task::spawn_blocking(move || {
            let slow = matches!(job.material, FrameKeyMaterial::Passphrase(_));
            let derived = Derived {
                purpose: job.purpose,
                index: job.index,
                key: known.map_or_else(|| derive(job.scheme, &job.material), Ok),
                passphrase: slow.then_some(job.material),
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
        let running = self.keys.running.take();
        let forgotten = running.is_some_and(|running| running.forgotten);
        if let (Some(passphrase), Ok(key), false) = (derived.passphrase, &derived.key, forgotten) {
            self.keys.known = Some((passphrase, key.clone()));
        }
        self.keys.go_on();
        if forgotten {
            return;
        }
        let key = match derived.key {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%error, "a frame key is refused");
                return;
            }
        };
        match derived.purpose {
            Purpose::Sending(peer) => self.peers.set_sending_key(peer, derived.index, key),
            Purpose::Stream(stream) => {
                if self.openers.set_key(stream, derived.index, key) {
                    self.trouble(stream, StreamTrouble::Undecryptable, false);
                }
            }
        }
    }
}
