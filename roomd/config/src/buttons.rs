// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `[buttons]`: hardware buttons and sensors, and what each does.

use roomd_devices_core::inventory::{Role, Roles};
use roomd_devices_core::keys::{KeyMap, KeyMapError};

use crate::check::{Checked, Checker};
use crate::{Buttons, RefusedKey, raw};

/// A name that is no key's is shown so long.
const LENGTH: usize = 40;

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
                ..Buttons::default()
            });
        };
        let (mut keys, mut refused) = (KeyMap::empty(), Vec::new());
        for (key, action) in lines {
            if let Err(why) = keys.add(key.get_ref(), action.get_ref()) {
                let wrong = match why {
                    KeyMapError::Action { .. } => action.span(),
                    KeyMapError::Key { .. } | KeyMapError::Switch(..) | KeyMapError::Twice(_) => {
                        key.span()
                    }
                };
                refused.push(RefusedKey {
                    key: key.get_ref().chars().take(LENGTH).collect(),
                    error: self.error(wrong, &why.to_string()),
                    why,
                });
            }
        }
        Ok(Buttons {
            devices,
            keys,
            refused,
        })
    }
}
