// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The meeting that the room is in, on disk, so that a restart rejoins it.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use roomd_room::Resume;

/// The file `meeting.json` in the state directory; readable by roomd alone.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// A store in this directory.
    pub fn new(directory: &Path) -> Self {
        Self {
            path: directory.join("meeting.json"),
        }
    }

    /// What was kept; whatever cannot be read counts as nothing.
    pub fn load(&self) -> Option<Resume> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "the last meeting cannot be read");
                return None;
            }
        };
        let kept = serde_json::from_slice(&text);
        if kept.is_err() {
            tracing::warn!("the last meeting is not readable and is forgotten");
        }
        kept.ok()
    }

    /// Keeps a meeting, or forgets it.
    pub fn keep(&self, resume: Option<&Resume>) {
        let result = match resume {
            Some(resume) => self.write(resume),
            None => match std::fs::remove_file(&self.path) {
                Ok(()) => sync_folder(&self.path),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            },
        };
        if let Err(error) = result {
            tracing::warn!(%error, "a restart will not find the meeting");
        }
    }

    fn write(&self, resume: &Resume) -> std::io::Result<()> {
        write_whole(&self.path, &serde_json::to_vec(resume)?)
    }
}

/// Writes a file that roomd alone reads; whole or not at all: a power cut leaves the old one.
pub fn write_whole(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("part");
    let mut file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    sync_folder(path)
}

/// Names are kept by the folder: one that is new is lost by a power cut until the folder is written.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
