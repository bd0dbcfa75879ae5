// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `[buttons]`: hardware buttons and sensors, and what each does.

use roomd_devices_core::inventory::{Role, Roles};
use roomd_devices_core::keys::KeyMap;

use crate::check::{Checked, Checker};
use crate::{Buttons, raw};

impl Checker<'_> {
    pub(crate) fn buttons(&self, buttons: &raw::Buttons) -> Checked<Buttons> {
        let mut devices = Roles::default();
        for device in &buttons.devices {
            devices
                .give(Role::Keys, device.get_ref())
                .map_err(|_| {
                    self.error(device.span(), "names no input device").with_help(
                        "write a USB id such as \"046d:0857\", or a node such as \"/dev/input/event3\"",
                    )
                })?;
        }
        let Some(lines) = &buttons.keys else {
            return Ok(Buttons {
                devices,
                keys: KeyMap::default(),
            });
        };
        let mut keys = KeyMap::empty();
        for (key, action) in lines {
            keys.add(key.get_ref(), action.get_ref())
                .map_err(|error| self.error(key.span(), &error.to_string()))?;
        }
        Ok(Buttons { devices, keys })
    }
}
