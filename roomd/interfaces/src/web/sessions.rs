// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which panels are paired. Only hashes are kept: who reads the file cannot become a panel.
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::random_token;
use crate::storage;

/// Paired panels at most; a further one replaces the one that was silent longest.
pub(super) const PANELS: usize = 16;
/// A panel that was silent for so long is forgotten.
pub(super) const UNUSED_DAYS: i64 = 90;
/// Sessions of the wired panel's browser at most; it opens one at each start.
const LOCAL: usize = 8;

/// What kind of panel has a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One that was paired, somewhere in the building.
    Paired,
    /// The one that is wired to the device.
    Wired,
}

/// The sessions of all panels.
#[derive(Debug)]
pub(super) struct Sessions {
    // A lock and no task: lookups are short, and every request needs one.
    book: Mutex<Book>,
    file: PathBuf,
    wired_file: PathBuf,
}

#[derive(Debug, Default)]
struct Book {
    paired: Vec<Panel>,
    /// Hashes. Kept over a restart: the room comes back into its meeting, and the panel that is on
    /// the wall has to be able to end it.
    local: VecDeque<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Panel {
    sha256: String,
    created: DateTime<Utc>,
    last_seen: DateTime<Utc>,
}

impl Sessions {
    pub(super) fn open(state_dir: &Path) -> io::Result<Self> {
        let file = state_dir.join("panels.json");
        let text = storage::read(&file)?.unwrap_or_else(|| "[]".to_owned());
        let paired = serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the list of paired panels is damaged; panels must pair again");
            Vec::new()
        });
        let wired_file = state_dir.join("wired.json");
        let text = storage::read(&wired_file)?.unwrap_or_else(|| "[]".to_owned());
        let local = serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "the wired panel's sessions are damaged; it must open a new one");
            VecDeque::new()
        });
        Ok(Self {
            book: Mutex::new(Book { paired, local }),
            file,
            wired_file,
        })
    }

    /// Opens a session for a panel that paired; its token goes into the cookie.
    pub(super) fn add_paired(&self, now: DateTime<Utc>) -> io::Result<String> {
        let token = random_token();
        let mut book = self.book();
        book.forget_unused(now);
        if book.paired.len() >= PANELS {
            book.paired.sort_by_key(|panel| panel.last_seen);
            book.paired.remove(0);
        }
        book.paired.push(Panel {
            sha256: hash(&token),
            created: now,
            last_seen: now,
        });
        self.write(&book)?;
        Ok(token)
    }

    /// Opens a session for the wired panel.
    pub(super) fn add_local(&self) -> String {
        let token = random_token();
        let mut book = self.book();
        while book.local.len() >= LOCAL {
            book.local.pop_front();
        }
        book.local.push_back(hash(&token));
        if let Err(error) = self.write_wired(&book) {
            tracing::warn!(%error, "the wired panel's session will not outlive a restart");
        }
        token
    }

    /// Whose session this is.
    pub(super) fn find(&self, token: &str, now: DateTime<Utc>) -> Option<Kind> {
        let hash = hash(token);
        let same = |other: &String| bool::from(other.as_bytes().ct_eq(hash.as_bytes()));
        let mut book = self.book();
        if book.local.iter().any(same) {
            return Some(Kind::Wired);
        }
        book.forget_unused(now);
        let panel = book.paired.iter_mut().find(|panel| same(&panel.sha256))?;
        // To the hour is enough, and spares the flash memory.
        if now - panel.last_seen > Duration::hours(1) {
            panel.last_seen = now;
            if let Err(error) = self.write(&book) {
                tracing::warn!(%error, "cannot keep the list of paired panels");
            }
        }
        Some(Kind::Paired)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, book: &Book) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(&book.paired).map_err(io::Error::other)?;
        storage::replace(&self.file, &json, 0o600)
    }

    fn write_wired(&self, book: &Book) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(&book.local).map_err(io::Error::other)?;
        storage::replace(&self.wired_file, &json, 0o600)
    }
}

impl Book {
    fn forget_unused(&mut self, now: DateTime<Utc>) {
        self.paired
            .retain(|panel| now - panel.last_seen < Duration::days(UNUSED_DAYS));
    }
}

fn hash(token: &str) -> String {
    STANDARD.encode(Sha256::digest(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paired_panel_outlives_a_restart_and_its_token_is_not_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let now = Utc::now();
        let token = Sessions::open(folder.path())
            .unwrap()
            .add_paired(now)
            .unwrap();
        let text = std::fs::read_to_string(folder.path().join("panels.json")).unwrap();
        assert!(!text.contains(&token));
        let again = Sessions::open(folder.path()).unwrap();
        assert_eq!(again.find(&token, now), Some(Kind::Paired));
        assert_eq!(again.find("other", now), None);
        let late = now + Duration::days(UNUSED_DAYS);
        assert_eq!(again.find(&token, late), None);
    }

    #[test]
    fn use_keeps_a_panel_and_the_longest_silent_one_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(folder.path()).unwrap();
        let now = Utc::now();
        let tokens: Vec<String> = (0..PANELS)
            .map(|_| sessions.add_paired(now).unwrap())
            .collect();
        let later = now + Duration::days(UNUSED_DAYS - 1);
        for token in &tokens[1..] {
            assert_eq!(sessions.find(token, later), Some(Kind::Paired));
        }
        sessions.add_paired(later).unwrap();
        assert_eq!(sessions.find(&tokens[0], later), None);
        let much_later = later + Duration::days(2);
        assert_eq!(sessions.find(&tokens[1], much_later), Some(Kind::Paired));
    }

    #[test]
    fn the_wired_panel_outlives_a_restart_and_its_token_is_not_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::open(folder.path()).unwrap();
        let token = sessions.add_local();
        assert_eq!(sessions.find(&token, Utc::now()), Some(Kind::Wired));
        let text = std::fs::read_to_string(folder.path().join("wired.json")).unwrap();
        assert!(!text.contains(&token));
        let again = Sessions::open(folder.path()).unwrap();
        assert_eq!(again.find(&token, Utc::now()), Some(Kind::Wired));
        for _ in 0..LOCAL {
            again.add_local();
        }
        assert_eq!(
            again.find(&token, Utc::now()),
            None,
            "the oldest makes room"
        );
    }
}
