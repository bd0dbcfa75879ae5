// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The schedule on disk: written whole or not at all, readable by the daemon alone.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use roomd_bookings::Cache;
use serde::{Deserialize, Serialize};
use tokio::{fs, io::AsyncWriteExt};

use super::{Settings, Source};

const MAX_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct File<T> {
    /// What it was read from, so that another calendar's bookings are never shown.
    source: u64,
    cache: T,
}

/// Reads what was kept of this source. Whatever else is there goes: another calendar's bookings, or
/// titles that may no longer be kept.
pub(super) async fn load(settings: &Settings) -> Option<Cache> {
    let path = path(settings)?;
    let kept = read(&path, settings).await;
    if kept.is_none() {
        match fs::remove_file(&path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(kind = ?error.kind(), "an old schedule could not be removed");
            }
            Ok(()) | Err(_) => {}
        }
    }
    kept
}

async fn read(path: &Path, settings: &Settings) -> Option<Cache> {
    if fs::metadata(path).await.ok()?.len() > MAX_BYTES {
        return None;
    }
    let bytes = fs::read(path).await.ok()?;
    let file: File<Cache> = serde_json::from_slice(&bytes).ok()?;
    (file.source == fingerprint(settings)).then_some(file.cache)
}

/// Keeps the schedule; a failure costs the next start its schedule, no more.
pub(super) async fn save(settings: &Settings, cache: &Cache) {
    let Some(path) = path(settings) else {
        return;
    };
    let file = File {
        source: fingerprint(settings),
        cache,
    };
    let written = match serde_json::to_vec(&file) {
        Ok(bytes) => write(&path, &bytes).await,
        Err(error) => Err(io::Error::other(error)),
    };
    if let Err(error) = written {
        tracing::warn!(kind = ?error.kind(), "the schedule could not be kept on disk");
    }
}

async fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("json.new");
    // A file left behind keeps the mode it had, which may be another.
    match fs::remove_file(&partial).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&partial).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&partial, path).await
}

fn path(settings: &Settings) -> Option<PathBuf> {
    settings
        .state_dir
        .as_ref()
        .map(|dir| dir.join("calendar.json"))
}

fn fingerprint(settings: &Settings) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &settings.source {
        Source::None => 0_u8.hash(&mut hasher),
        Source::File(path) => path.hash(&mut hasher),
        Source::Ics { url, username, .. } => (1_u8, url, username).hash(&mut hasher),
        Source::CalDav { url, username, .. } => (2_u8, url, username).hash(&mut hasher),
    }
    // What may be kept depends on what may be shown.
    format!("{:?}", settings.privacy).hash(&mut hasher);
    hasher.finish()
}
