// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the configuration says of devices, as the hardware task takes it.

use std::collections::BTreeMap;
use std::path::Path;

use roomd_config::{
    Buttons, Camera as ConfiguredCamera, ContentDisplay, Media, RefusedKey, Settings, TEST_INPUT,
};
use roomd_devices::core::display::quirks::QuirkTable;
use roomd_devices::core::health::Subject;
use roomd_devices::core::inventory::{Role, Roles};
use roomd_devices::core::sound::table::Table;

use super::content::NamedContent;
use super::health::Marks;
use super::presets::PresetStore;
use super::ptz::Ptz;

/// What the configuration gives which device, and the names of its cameras and of its content inputs in
/// order.
pub(super) fn roles(settings: &Settings) -> (Roles, Vec<String>, Vec<NamedContent>) {
    let mut roles = settings.buttons.devices.clone();
    let mut give = |role: Role, name: &str, device: &str| match roles.give(role, device) {
        Ok(()) => Some(name.to_owned()),
        Err(error) => {
            // The configuration was checked; what it takes is a device.
            tracing::warn!(%error, "a name has no device");
            None
        }
    };
    let mut cameras: Vec<String> = Vec::new();
    for camera in &settings.cameras {
        let role = Role::Camera(camera.name.clone());
        cameras.extend(give(role, &camera.name, &camera.device));
    }
    if let ConfiguredCamera::Device(node) = &settings.media.camera {
        let node = node.to_string_lossy();
        cameras.extend(give(Role::Camera(node.clone().into_owned()), &node, &node));
    }
    let inputs = settings.content.iter().filter_map(|input| {
        let role = Role::Content(input.name.clone());
        let test = input.device == TEST_INPUT;
        let name = if test {
            Some(input.name.clone())
        } else {
            give(role, &input.name, &input.device)
        };
        name.map(|name| NamedContent { name, test })
    });
    let inputs = inputs.collect();
    (roles, cameras, inputs)
}

/// The connectors that the room is to have displays on.
pub(super) fn displays(settings: &Settings) -> Vec<String> {
    let first = settings.display.connector.clone();
    first.into_iter().chain(content_display(settings)).collect()
}

/// The connector that is to have the display for content.
pub(super) fn content_display(settings: &Settings) -> Option<String> {
    match &settings.media.content_display {
        ContentDisplay::Connector(name) => Some(name.clone()),
        ContentDisplay::Auto
        | ContentDisplay::Off
        | ContentDisplay::X11(_)
        | ContentDisplay::Wayland(_) => None,
    }
}

/// The cameras that are pointed over the network, by their names.
pub(super) fn visca(settings: &Settings, store: &PresetStore) -> BTreeMap<String, Ptz> {
    let cameras = settings.cameras.iter();
    let pointed = cameras.filter_map(|it| {
        // The configuration names it, so that its name is its key.
        let ptz = Ptz::visca(it.visca?, store.picture(&it.name));
        Some((it.name.clone(), ptz))
    });
    pointed.collect()
}

/// The sound devices that are known.
#[derive(Debug, Default)]
pub struct SoundDevices {
    /// What roomd brings, and what the configuration adds.
    pub table: Table,
    /// Why that is not added, for the health view.
    pub(super) rejected: Option<String>,
}

impl SoundDevices {
    /// Reads what the configuration adds.
    pub fn read(media: &Media) -> Self {
        let mut table = Table::default();
        let path = media.sound_devices.as_deref();
        let rejected = add_table(path, |text, file| table.add(text, file));
        Self { table, rejected }
    }
}

/// The displays that are known: what roomd brings, and what the configuration adds.
pub(super) fn quirks(settings: &Settings, marks: &mut Marks) -> QuirkTable {
    let mut quirks = QuirkTable::default();
    let path = settings.display.quirks.as_deref();
    let rejected = add_table(path, |text, file| quirks.add(text, file));
    let rejected = rejected.map(|cause| (Subject::DisplayControl, cause));
    marks.tables.extend(rejected);
    quirks
}

/// Adds a table that somebody wrote; returns why it cannot be. A wrong one changes nothing, and the health
/// view says so.
fn add_table<E: std::fmt::Display>(
    path: Option<&Path>,
    add: impl FnOnce(&str, &str) -> Result<(), E>,
) -> Option<String> {
    let path = path?;
    let name = path.display().to_string();
    let read = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"));
    let added = read.and_then(|text| add(&text, &name).map_err(|error| error.to_string()));
    added
        .inspect_err(|cause| tracing::warn!(code = "table-rejected", "{cause}"))
        .err()
}

/// Lines of the key map that do nothing: the others hold, and the health view tells of these.
pub(super) fn refused_keys(buttons: &Buttons) -> Vec<RefusedKey> {
    for line in &buttons.refused {
        let (place, cause) = (line.error.place(), line.error.cause());
        tracing::warn!(code = "keys-rejected", "{place}: {cause}");
    }
    buttons.refused.clone()
}
