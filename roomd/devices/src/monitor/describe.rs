// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What udev says about a device, as the core takes it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;

use roomd_devices_core::device::{ATTRIBUTES, Kind, PROPERTIES, Properties, USB};

/// Longer values are cut.
const LENGTH: usize = 256;

/// All devices of the kinds that the room uses.
pub(super) fn all() -> io::Result<Vec<Properties>> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let mut enumerator = udev::Enumerator::new()?;
        enumerator.match_subsystem(kind.subsystem())?;
        found.extend(enumerator.scan_devices()?.map(|device| properties(&device)));
    }
    Ok(found)
}

/// The device's path below `/sys`.
pub(super) fn path(device: &udev::Device) -> String {
    text(device.devpath())
}

/// What udev says about a device.
pub(super) fn properties(device: &udev::Device) -> Properties {
    let mut values = BTreeMap::new();
    for name in PROPERTIES {
        if let Some(value) = device.property_value(name) {
            values.insert((*name).to_owned(), text(value));
        }
    }
    for name in ATTRIBUTES {
        if let Some(value) = device.attribute_value(name) {
            values.insert(format!("attr:{name}"), text(value));
        }
    }
    let parent = device.parent_with_subsystem_devtype("usb", "usb_device");
    if let Ok(Some(usb)) = parent {
        for (attribute, name) in USB {
            if let Some(value) = usb.attribute_value(attribute) {
                values
                    .entry((*name).to_owned())
                    .or_insert_with(|| text(value));
            }
        }
    }
    // The node of an input device has no name; the device above it has.
    if let Ok(Some(input)) = device.parent_with_subsystem("input")
        && let Some(name) = input.attribute_value("name")
    {
        values
            .entry("attr:name".to_owned())
            .or_insert_with(|| text(name));
    }
    Properties {
        path: path(device),
        subsystem: device.subsystem().map(text).unwrap_or_default(),
        values,
    }
}

fn text(value: &OsStr) -> String {
    value.to_string_lossy().chars().take(LENGTH).collect()
}
