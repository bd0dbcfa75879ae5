// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where devices were seen last, on disk, so that one that was moved while the room was off is told of.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use roomd_devices::core::inventory::Places;

use crate::store::write_whole;

/// The file `places.json` in the state directory; readable by roomd alone, as it holds serial numbers.
#[derive(Debug)]
pub struct PlaceStore {
    path: PathBuf,
    places: Places,
}

impl PlaceStore {
    /// What was kept; whatever cannot be read counts as nothing, as everything is seen again at once.
    pub fn load(directory: &Path) -> Self {
        let path = directory.join("places.json");
        let places = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, "where devices were is not readable and is forgotten");
                Places::default()
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Places::default(),
            Err(error) => {
                tracing::warn!(%error, "where devices were cannot be read");
                Places::default()
            }
        };
        Self { path, places }
    }

    /// Where devices were.
    pub fn kept(&self) -> Places {
        self.places.clone()
    }

    /// Keeps where devices are; writes only what is new.
    pub fn keep(&mut self, places: &Places) {
        if self.places == *places {
            return;
        }
        self.places.clone_from(places);
        let written = serde_json::to_vec(places)
            .map_err(std::io::Error::from)
            .and_then(|text| write_whole(&self.path, &text));
        if let Err(error) = written {
            tracing::warn!(%error, "a restart will not notice devices that are moved meanwhile");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn places_survive_a_restart_and_are_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"[{"kind":"camera","id":"usb:046d:0857/A1@1-1.4:1.0"}]"#;
        let places: Places = serde_json::from_str(text).unwrap();
        PlaceStore::load(folder.path()).keep(&places);
        let file = folder.path().join("places.json");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        assert_eq!(PlaceStore::load(folder.path()).kept(), places);
        std::fs::write(&file, "{").unwrap();
        assert_eq!(PlaceStore::load(folder.path()).kept(), Places::default());
    }
}
