// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::Utc;
use roomd_model::{Now, Pii};
use tokio::sync::watch;

use super::{Code, Memory, Pairing, Redeemed, Shown};
use crate::storage;

/// Keeps the pairing: publishes the code for the display, remembers lock-outs on disk.
#[derive(Clone, Debug)]
pub struct Desk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // A lock and no task: every operation is a few comparisons, and must be answered at once.
    pairing: Mutex<Pairing>,
    shown: watch::Sender<Option<roomd_api::Pairing>>,
    memory: PathBuf,
    url: Pii<String>,
}

impl Desk {
    /// Opens the desk; `url` is the address that a tablet opens.
    #[must_use]
    pub fn open(state_dir: &Path, url: Pii<String>) -> Self {
        let memory = state_dir.join("pairing.json");
        let pairing = Pairing::restore(remembered(&memory), now());
        Self {
            inner: Arc::new(Inner {
                pairing: Mutex::new(pairing),
                shown: watch::Sender::new(None),
                memory,
                url,
            }),
        }
    }

    /// Shows a code on the display, unless one is shown already.
    #[must_use]
    pub fn show(&self) -> Shown {
        self.with(|pairing| pairing.show(Code::random(), now()))
    }

    /// Takes the code off the display.
    pub fn hide(&self) {
        self.with(Pairing::hide);
    }

    /// What the display shows now, with the code.
    #[must_use]
    pub fn shown(&self) -> watch::Receiver<Option<roomd_api::Pairing>> {
        self.inner.shown.subscribe()
    }

    /// Takes what a person typed on the tablet.
    #[must_use]
    pub fn redeem(&self, typed: &str) -> Redeemed {
        let given = Code::parse(typed);
        self.with(|pairing| pairing.redeem(given.as_ref(), now()))
    }

    /// Takes codes off the display when they expire; never ends.
    pub async fn expire_codes(&self) {
        let mut shown = self.shown();
        loop {
            let expires = shown
                .borrow_and_update()
                .as_ref()
                .map(|pairing| pairing.expires_at);
            let Some(expires) = expires else {
                if shown.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let wait = (expires - Utc::now()).to_std().unwrap_or_default();
            // A wall clock that was set back must not keep a code on the display.
            let wait = wait.min(super::VALID) + std::time::Duration::from_millis(50);
            tokio::select! {
                _ = shown.changed() => {}
                () = tokio::time::sleep(wait) => self.with(|pairing| pairing.expire(now())),
            }
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Pairing) -> T) -> T {
        let mut pairing = self
            .inner
            .pairing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = pairing.memory();
        let result = act(&mut pairing);
        if pairing.memory() != before {
            self.remember(pairing.memory());
        }
        let projection = pairing.shown().map(|(code, expires)| roomd_api::Pairing {
            code: Some(Pii::new(code.digits())),
            url: self.inner.url.clone(),
            expires_at: expires.utc,
        });
        self.inner.shown.send_if_modified(|shown| {
            let changed = *shown != projection;
            *shown = projection;
            changed
        });
        result
    }

    fn remember(&self, memory: Memory) {
        let written = serde_json::to_vec(&memory)
            .map_err(std::io::Error::other)
            .and_then(|json| storage::replace(&self.inner.memory, &json, 0o600));
        if let Err(error) = written {
            tracing::warn!(%error, "cannot remember wrong pairing tries");
        }
    }
}

/// An unreadable file is as good as none: pairing works, and the next wrong try replaces it.
fn remembered(path: &Path) -> Memory {
    let text = match storage::read(path) {
        Ok(text) => text.unwrap_or_else(|| "{}".to_owned()),
        Err(error) => {
            tracing::warn!(%error, "cannot read the memory of pairing");
            return Memory::default();
        }
    };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, "the memory of pairing is damaged");
        Memory::default()
    })
}

fn now() -> Now {
    Now {
        mono: Instant::now(),
        utc: Utc::now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> Desk {
        Desk::open(folder, Pii::from("https://room.example/"))
    }

    #[test]
    fn the_display_sees_the_code_until_it_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let desk = open(folder.path());
        let shown = desk.shown();
        assert_eq!(desk.show(), Shown::Fresh);
        let pairing = shown.borrow().clone().unwrap();
        let digits = pairing.code.unwrap().into_inner();
        assert_eq!(desk.redeem(&digits), Redeemed::Paired);
        assert_eq!(*shown.borrow(), None);
    }

    #[test]
    fn a_lock_out_survives_a_restart_and_damage_does_not_stop_pairing() {
        let folder = tempfile::tempdir().unwrap();
        let desk = open(folder.path());
        assert_eq!(desk.show(), Shown::Fresh);
        for _ in 0..super::super::TRIES {
            let _ = desk.redeem("not a code");
        }
        let again = open(folder.path());
        assert!(matches!(again.show(), Shown::Locked { .. }));
        std::fs::write(folder.path().join("pairing.json"), "{").unwrap();
        assert_eq!(open(folder.path()).show(), Shown::Fresh);
    }
}
