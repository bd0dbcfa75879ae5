// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The account's directory: the encrypted store, and beside it what opens it.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use matrix_sdk::authentication::matrix::MatrixSession;
use rand::RngCore;
use roomd_matrix_port::Why;
use roomd_model::Secret;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::settings::read_secret;

/// Rooms that the account entered for a meeting, and is to leave with it.
const ENTERED: &str = "entered.json";

/// A login that outlives the process.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The homeserver that it belongs to.
    pub homeserver: Url,
    /// The user as configured.
    pub user: String,
    /// Account, device and access token.
    pub session: MatrixSession,
}

/// The files of one account; readable by roomd alone.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    directory: PathBuf,
}

impl Files {
    /// Makes the directory if there is none, and keeps others out of it.
    pub fn open(directory: &Path) -> Result<Self, Why> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .and_then(|()| std::fs::set_permissions(directory, Permissions::from_mode(0o700)));
        made.map_err(|error| {
            tracing::warn!(%error, "the Matrix account's directory cannot be used");
            Why::Store
        })?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// Where the SDK keeps rooms and keys.
    pub fn database(&self) -> PathBuf {
        self.directory.join("store")
    }

    /// What encrypts the store; made at the first call.
    pub fn passphrase(&self) -> Result<Secret, Why> {
        let path = self.directory.join("passphrase");
        if path.exists() {
            return read_secret(&path).map_err(|_| Why::Store);
        }
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        let passphrase: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(&path, passphrase.as_bytes())?;
        Ok(Secret::new(passphrase))
    }

    /// The login of an earlier run; one that cannot be read counts as none.
    pub fn session(&self) -> Option<Kept> {
        let text = std::fs::read(self.directory.join("session.json")).ok()?;
        let kept = serde_json::from_slice(&text);
        if kept.is_err() {
            tracing::warn!("the Matrix account's login is not readable and is forgotten");
        }
        kept.ok()
    }

    pub fn keep_session(&self, kept: &Kept) -> Result<(), Why> {
        let text = serde_json::to_vec(kept).map_err(|_| Why::Store)?;
        self.write(&self.directory.join("session.json"), &text)
    }

    /// The key of the account's own recovery, if this device created its identity.
    pub fn recovery_key(&self) -> Option<Secret> {
        read_secret(&self.directory.join("recovery-key")).ok()
    }

    pub fn keep_recovery_key(&self, key: &Secret) -> Result<(), Why> {
        self.write(
            &self.directory.join("recovery-key"),
            key.expose().as_bytes(),
        )
    }

    /// Whether a room was entered for a meeting only, perhaps by an earlier run.
    pub fn was_entered(&self, room: &str) -> bool {
        self.entered().contains(room)
    }

    /// A room is about to be entered for a meeting.
    pub fn keep_entered(&self, room: &str) -> Result<(), Why> {
        let mut entered = self.entered();
        if !entered.insert(room.to_owned()) {
            return Ok(());
        }
        self.write_entered(&entered)
    }

    /// A room was left, or belongs to the account.
    pub fn forget_entered(&self, room: &str) -> Result<(), Why> {
        let mut entered = self.entered();
        if !entered.remove(room) {
            return Ok(());
        }
        self.write_entered(&entered)
    }

    /// Rooms that were entered for a meeting; a list that cannot be read counts as empty.
    fn entered(&self) -> BTreeSet<String> {
        let Ok(text) = std::fs::read(self.directory.join(ENTERED)) else {
            return BTreeSet::new();
        };
        serde_json::from_slice(&text).unwrap_or_else(|_| {
            tracing::warn!("the list of rooms that were entered is not readable and is forgotten");
            BTreeSet::new()
        })
    }

    fn write_entered(&self, entered: &BTreeSet<String>) -> Result<(), Why> {
        let text = serde_json::to_vec(entered).map_err(|_| Why::Store)?;
        self.write(&self.directory.join(ENTERED), &text)
    }

    /// Forgets the login with its rooms and keys. The recovery key stays, and which rooms were entered:
    /// both belong to the account.
    pub fn forget(&self) -> Result<(), Why> {
        let removed = [
            std::fs::remove_file(self.directory.join("session.json")),
            std::fs::remove_dir_all(self.database()),
            std::fs::remove_file(self.directory.join("passphrase")),
        ];
        for result in removed {
            match result {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Why::Store),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Whole or not at all: a power cut leaves the old file.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Why> {
        let part = path.with_extension("part");
        let written = File::options()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .and_then(|()| std::fs::rename(&part, path))
            .and_then(|()| File::open(&self.directory)?.sync_all());
        written.map_err(|error| {
            tracing::warn!(%error, "the Matrix account's files cannot be written");
            Why::Store
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_read_them() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("matrix");
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        let files = Files::open(&directory).unwrap();
        let passphrase = files.passphrase().unwrap();
        assert_eq!(passphrase.expose().len(), 64);
        assert_eq!(files.passphrase().unwrap(), passphrase);
        files.keep_recovery_key(&Secret::new("key")).unwrap();
        assert_eq!(mode(&directory), 0o700);
        for name in ["passphrase", "recovery-key"] {
            assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn rooms_that_were_entered_are_known_until_they_are_left() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(directory.path()).unwrap();
        assert!(!files.was_entered("!a"));
        files.keep_entered("!a").unwrap();
        files.keep_entered("!b").unwrap();
        files.keep_entered("!a").unwrap();
        assert_eq!(mode(&directory.path().join(ENTERED)), 0o600);
        // The next run, with another login of the account.
        let files = Files::open(directory.path()).unwrap();
        files.forget().unwrap();
        assert!(files.was_entered("!a") && files.was_entered("!b"));
        files.forget_entered("!a").unwrap();
        files.forget_entered("!a").unwrap();
        assert!(!files.was_entered("!a") && files.was_entered("!b"));
        // Half a file leaves nothing behind that could not be written over.
        std::fs::write(directory.path().join(ENTERED), "[\"!b").unwrap();
        assert!(!files.was_entered("!b"));
        files.keep_entered("!c").unwrap();
        assert!(files.was_entered("!c"));
    }

    #[test]
    fn forgetting_a_login_keeps_the_recovery_key() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(directory.path()).unwrap();
        files.forget().unwrap();
        let passphrase = files.passphrase().unwrap();
        files.keep_recovery_key(&Secret::new("key")).unwrap();
        std::fs::create_dir(files.database()).unwrap();
        std::fs::write(directory.path().join("session.json"), "{}").unwrap();
        assert!(files.session().is_none());
        files.forget().unwrap();
        assert!(!files.database().exists());
        assert_ne!(files.passphrase().unwrap(), passphrase);
        assert_eq!(files.recovery_key(), Some(Secret::new("key")));
    }
}
