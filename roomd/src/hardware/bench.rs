// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Devices for tests, as udev would describe them.

use std::time::Instant;

use roomd_devices::core::device::Properties;
use roomd_devices::core::inventory::{Entry, Event, Inventory, Roles};

/// A device: its subsystem, its path below `/sys`, and udev's properties.
pub(super) type Described<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

fn properties((subsystem, path, values): Described<'_>) -> Properties {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    Properties {
        path: path.to_owned(),
        subsystem: subsystem.to_owned(),
        values: values.iter().map(owned).collect(),
    }
}

/// What an inventory makes of them.
pub(super) fn entries<'a>(devices: impl IntoIterator<Item = Described<'a>>) -> Vec<Entry> {
    inventory(Roles::default(), devices)
}

/// What an inventory that gives these roles makes of them.
pub(super) fn inventory<'a>(
    roles: Roles,
    devices: impl IntoIterator<Item = Described<'a>>,
) -> Vec<Entry> {
    let mut inventory = Inventory::new(roles);
    for device in devices {
        inventory.handle(Event::Added(properties(device)), Instant::now());
    }
    inventory.entries().cloned().collect()
}
