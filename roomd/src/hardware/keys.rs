// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's hardware buttons and sensors: opened and grabbed wherever they are plugged in.

use std::collections::BTreeMap;
use std::path::Path;

use roomd_config::Buttons;
use roomd_devices::core::device::Device;
use roomd_devices::core::health::Trouble;
use roomd_devices::core::identity::DeviceId;
use roomd_devices::core::inventory::{Entry, Role, Roles};
use roomd_devices::core::keys::{KeyMap, Press};
use roomd_devices::keys;
use tokio::sync::mpsc;

/// Presses that wait for the hardware task. More are no person's.
const WAITING: usize = 32;

/// How each is: what people call it, and what is wrong with it, by its identity or the
/// configuration's line.
pub type KeysHealth = BTreeMap<String, (String, Option<Trouble>)>;

/// The buttons that are open.
#[derive(Debug)]
pub struct Keys {
    map: KeyMap,
    configured: Roles,
    /// Each device that is open, and how often it came.
    open: BTreeMap<DeviceId, u64>,
    /// What is there and does not open.
    failing: BTreeMap<DeviceId, Trouble>,
    presses: mpsc::Sender<Press>,
    receiver: mpsc::Receiver<Press>,
}

impl Keys {
    /// The buttons of the configuration.
    pub fn new(buttons: &Buttons) -> Self {
        let (presses, receiver) = mpsc::channel(WAITING);
        Self {
            map: buttons.keys.clone(),
            configured: buttons.devices.clone(),
            open: BTreeMap::new(),
            failing: BTreeMap::new(),
            presses,
            receiver,
        }
    }

    /// Opens each device with the role that is not open yet; the task that reads one ends when it
    /// goes.
    pub fn refresh(&mut self, entries: &[Entry], health: &mut KeysHealth) {
        if self.configured.is_empty() {
            return;
        }
        let keys = || {
            let mine = |entry: &&Entry| entry.role == Some(Role::Keys);
            entries.iter().filter(mine)
        };
        self.open.retain(|id, arrivals| {
            keys().any(|it| it.usable && it.device.id == *id && it.arrivals == *arrivals)
        });
        let failed = std::mem::take(&mut self.failing);
        health.clear();
        for entry in keys() {
            let device = &entry.device;
            let trouble = if !entry.usable {
                Some(Trouble::Missing)
            } else if self.open.contains_key(&device.id) {
                None
            } else {
                self.open(entry, failed.get(&device.id).copied())
            };
            health.insert(device.id.to_string(), (device.label.clone(), trouble));
        }
        let seen: Vec<&Device> = keys().map(|entry| &entry.device).collect();
        for line in self.configured.unseen(&Role::Keys, &seen) {
            health.insert(line.clone(), (line, Some(Trouble::Missing)));
        }
    }

    /// Whether a device is there that does not open: [`Self::refresh`] tries again.
    pub fn is_failing(&self) -> bool {
        !self.failing.is_empty()
    }

    fn open(&mut self, entry: &Entry, before: Option<Trouble>) -> Option<Trouble> {
        let id = entry.device.id.clone();
        match keys::spawn(Path::new(&entry.device.node), self.map.clone()) {
            Ok(device) => {
                tokio::spawn(pass_on(device, self.presses.clone()));
                self.open.insert(id, entry.arrivals);
                None
            }
            Err(error) => {
                let trouble = if matches!(error, keys::KeysError::Grab(..)) {
                    Trouble::InUse
                } else {
                    Trouble::Stalled
                };
                if before != Some(trouble) {
                    let error = anyhow::Error::new(error);
                    tracing::warn!(code = "keys-missing", "{error:#}");
                }
                self.failing.insert(id, trouble);
                Some(trouble)
            }
        }
    }

    /// The next press.
    pub async fn pressed(&mut self) -> Option<Press> {
        self.receiver.recv().await
    }
}

async fn pass_on(mut device: mpsc::Receiver<Press>, presses: mpsc::Sender<Press>) {
    let mut present = false;
    while let Some(press) = device.recv().await {
        if let Press::Presence(now) = press {
            present = now;
        }
        // When the room is behind by so many, a further press would surprise whoever pressed it.
        let _ = presses.try_send(press);
    }
    if present {
        // A sensor that is gone sees nobody. Nobody is left to tell when the daemon ends.
        let _ = presses.send(Press::Presence(false)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Described, inventory};
    use super::*;

    const LEFT: Described<'_> = (
        "input",
        "/devices/pci0000:00/usb1/1-1/1-1:1.0/input/input7/event7",
        &[
            ("DEVNAME", "/dev/no-such-event7"),
            ("ID_VENDOR_ID", "1111"),
            ("ID_MODEL_ID", "0001"),
            ("NAME", "Box"),
        ],
    );
    const RIGHT: Described<'_> = (
        "input",
        "/devices/pci0000:00/usb1/1-2/1-2:1.0/input/input8/event8",
        LEFT.2,
    );

    #[test]
    fn equal_boxes_are_told_apart_and_one_never_seen_is_missed() {
        let mut roles = Roles::default();
        for line in ["1111:0001", "1111:0002"] {
            roles.give(Role::Keys, line).unwrap();
        }
        let mut keys = Keys::new(&Buttons {
            devices: roles.clone(),
            keys: KeyMap::default(),
        });
        let mut health = KeysHealth::new();
        let entries = inventory(roles, [LEFT, RIGHT]);
        keys.refresh(&entries, &mut health);
        let stalled = ("Box".to_owned(), Some(Trouble::Stalled));
        let never = ("1111:0002".to_owned(), Some(Trouble::Missing));
        let wanted = [
            ("1111:0002".to_owned(), never),
            ("usb:1111:0001@1-1:1.0".to_owned(), stalled.clone()),
            ("usb:1111:0001@1-2:1.0".to_owned(), stalled),
        ];
        assert_eq!(health, KeysHealth::from(wanted));
        assert!(keys.is_failing());
        keys.refresh(&[], &mut health);
        assert!(!keys.is_failing());
        assert_eq!(health.len(), 2);
    }

    #[tokio::test]
    async fn a_sensor_that_is_unplugged_sees_nobody() {
        let (device, receiver) = mpsc::channel(1);
        let (presses, mut heard) = mpsc::channel(4);
        tokio::spawn(pass_on(receiver, presses));
        device.send(Press::Presence(true)).await.unwrap();
        assert_eq!(heard.recv().await, Some(Press::Presence(true)));
        drop(device);
        assert_eq!(heard.recv().await, Some(Press::Presence(false)));
        assert_eq!(heard.recv().await, None);
    }
}
