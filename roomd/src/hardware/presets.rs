// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Saved positions of cameras, and how their pictures are adjusted, on disk: readable by roomd alone, as their thumbnails may show people.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roomd_api::CameraPreset;
use roomd_devices::core::camera::controls::Control;
use roomd_devices::core::camera::presets::{Preset, PresetError, Presets};
use serde::{Deserialize, Serialize};

use crate::store::write_whole;

/// Cameras whose positions are kept.
const CAMERAS: usize = 64;

/// The file `cameras.json` in the state directory.
#[derive(Debug)]
pub struct PresetStore {
    path: PathBuf,
    cameras: BTreeMap<String, Kept>,
}

/// What is kept of one camera.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    presets: Presets,
    /// PNG files in base64, by the preset's name.
    thumbnails: BTreeMap<String, String>,
    /// How its picture is adjusted. Left out while it is not, as a roomd that does not know it reads no
    /// file that has it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    picture: BTreeMap<Control, i32>,
}

impl PresetStore {
    /// What was kept; a file that cannot be read is set aside, not overwritten.
    pub fn load(directory: &Path) -> Self {
        let path = directory.join("cameras.json");
        let cameras = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|error| {
                tracing::warn!(%error, "the cameras' positions are not readable; the file is set aside");
                if let Err(error) = std::fs::rename(&path, path.with_extension("bad")) {
                    tracing::warn!(%error, "it cannot be set aside");
                }
                BTreeMap::new()
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                tracing::warn!(%error, "the cameras' positions cannot be read");
                BTreeMap::new()
            }
        };
        Self { path, cameras }
    }

    /// A camera's positions, as a panel shows them.
    pub fn shown(&self, camera: &str) -> Vec<CameraPreset> {
        let Some(kept) = self.cameras.get(camera) else {
            return Vec::new();
        };
        let shown = |preset: &Preset| CameraPreset {
            name: preset.name.clone(),
            thumbnail: kept
                .thumbnails
                .get(&preset.name)
                .map(|png| format!("data:image/png;base64,{png}")),
        };
        kept.presets.all().iter().map(shown).collect()
    }

    /// The position of this name, or of this number counted from 1.
    pub fn find(&self, camera: &str, preset: &str) -> Result<Preset, PresetError> {
        let unknown = || PresetError::Unknown(preset.to_owned());
        let kept = self.cameras.get(camera).ok_or_else(unknown)?;
        kept.presets.find(preset).cloned()
    }

    /// How a camera's picture was adjusted.
    pub fn picture(&self, camera: &str) -> BTreeMap<Control, i32> {
        let kept = self.cameras.get(camera);
        kept.map_or_else(BTreeMap::new, |kept| kept.picture.clone())
    }

    /// Keeps how a camera's picture is adjusted. A camera too many is not kept; it is adjusted all the
    /// same.
    pub fn keep_picture(&mut self, camera: &str, picture: BTreeMap<Control, i32>) {
        let known = self.cameras.contains_key(camera);
        if self.picture(camera) == picture || (!known && self.cameras.len() >= CAMERAS) {
            return;
        }
        self.cameras.entry(camera.to_owned()).or_default().picture = picture;
        self.write();
    }

    /// Saves a position; replaces the one that has the name.
    pub fn save(
        &mut self,
        camera: &str,
        preset: &str,
        values: BTreeMap<Control, i32>,
        thumbnail: Option<&[u8]>,
    ) -> Result<(), PresetError> {
        if !self.cameras.contains_key(camera) && self.cameras.len() >= CAMERAS {
            return Err(PresetError::TooMany);
        }
        let kept = self.cameras.entry(camera.to_owned()).or_default();
        kept.presets.save(preset, values)?;
        let name = preset.trim().to_owned();
        match thumbnail {
            Some(png) => kept.thumbnails.insert(name, STANDARD.encode(png)),
            None => kept.thumbnails.remove(&name),
        };
        self.write();
        Ok(())
    }

    /// Deletes a position and its thumbnail.
    pub fn delete(&mut self, camera: &str, preset: &str) -> Result<(), PresetError> {
        let unknown = || PresetError::Unknown(preset.to_owned());
        let kept = self.cameras.get_mut(camera).ok_or_else(unknown)?;
        kept.presets.delete(preset)?;
        kept.thumbnails.remove(preset);
        self.write();
        Ok(())
    }

    fn write(&self) {
        let written = serde_json::to_vec(&self.cameras)
            .map_err(std::io::Error::from)
            .and_then(|text| write_whole(&self.path, &text));
        if let Err(error) = written {
            tracing::warn!(%error, "a restart will not find the cameras' positions");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_a_restart_with_their_thumbnails() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = PresetStore::load(folder.path());
        let values = BTreeMap::from([(Control::Pan, 3600)]);
        store
            .save("Front", " Tafel ", values, Some(b"png"))
            .unwrap();
        let store = PresetStore::load(folder.path());
        let shown = store.shown("Front");
        assert_eq!(shown[0].name, "Tafel");
        let thumbnail = shown[0].thumbnail.as_deref();
        assert_eq!(thumbnail, Some("data:image/png;base64,cG5n"));
        assert_eq!(
            store.find("Front", "1").unwrap().values[&Control::Pan],
            3600
        );
        let unknown = store.find("Front", "2").unwrap_err();
        assert_eq!(unknown, PresetError::Unknown("2".to_owned()));
    }

    #[test]
    fn how_a_picture_is_adjusted_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = PresetStore::load(folder.path());
        store.save("Front", "Tafel", BTreeMap::new(), None).unwrap();
        let text = || std::fs::read_to_string(folder.path().join("cameras.json")).unwrap();
        assert!(!text().contains("picture"), "as a roomd before wrote it");
        let picture = BTreeMap::from([(Control::FocusAuto, 0), (Control::Focus, 30)]);
        store.keep_picture("Front", picture.clone());
        let store = PresetStore::load(folder.path());
        assert_eq!(store.picture("Front"), picture);
        assert_eq!(store.shown("Front").len(), 1);
        assert_eq!(store.picture("Back"), BTreeMap::new());
    }

    #[test]
    fn a_deleted_position_leaves_no_picture() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = PresetStore::load(folder.path());
        let save = |store: &mut PresetStore, picture| {
            store.save("Front", "Tafel", BTreeMap::new(), picture)
        };
        save(&mut store, Some(b"png")).unwrap();
        store.delete("Front", "Tafel").unwrap();
        let text = std::fs::read_to_string(folder.path().join("cameras.json")).unwrap();
        assert!(!text.contains("cG5n"), "{text}");
        // One that is saved again without a picture has none of before.
        save(&mut store, Some(b"png")).unwrap();
        save(&mut store, None).unwrap();
        assert_eq!(store.shown("Front")[0].thumbnail, None);
    }

    #[test]
    fn a_damaged_file_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cameras.json"), "{").unwrap();
        let store = PresetStore::load(folder.path());
        assert!(store.shown("Front").is_empty());
        let kept = std::fs::read_to_string(folder.path().join("cameras.bad")).unwrap();
        assert_eq!(kept, "{");
    }
}
