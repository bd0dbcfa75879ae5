// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's hardware buttons and sensors: opened and grabbed wherever they are plugged in.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use roomd_config::Buttons;
use roomd_devices::core::device::Device;
use roomd_devices::core::health::Trouble;
use roomd_devices::core::identity::DeviceId;
use roomd_devices::core::inventory::{Entry, Role, Roles};
use roomd_devices::core::keys::{Action, KeyMap, Standing};
use roomd_devices::keys;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Presses that wait for the hardware task. More are no person's.
const WAITING: usize = 32;
/// How often it is told at most how a device stands; a loose contact has no end.
const SETTLES: Duration = Duration::from_millis(100);

/// How each is: what people call it, and what is wrong with it, by its identity or the
/// configuration's line.
pub type KeysHealth = BTreeMap<String, (String, Option<Trouble>)>;

/// What is heard of the buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// One was pressed.
    Press(Action),
    /// A device stands otherwise than before.
    Standing,
}

/// A device that is open.
#[derive(Debug)]
struct Open {
    /// How often it came.
    arrivals: u64,
    standing: watch::Receiver<Standing>,
}

impl Open {
    fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    fn trouble(&self) -> Option<Trouble> {
        self.standing().flood.then_some(Trouble::Flood)
    }
}

/// The buttons that are open.
#[derive(Debug)]
pub struct Keys {
    map: KeyMap,
    configured: Roles,
    /// Each device that is open.
    open: BTreeMap<DeviceId, Open>,
    /// What is there and does not open.
    failing: BTreeMap<DeviceId, Trouble>,
    presses: mpsc::Sender<Action>,
    receiver: mpsc::Receiver<Action>,
    /// A device stands otherwise; one word of it is enough for all.
    stands: mpsc::Sender<()>,
    stood: mpsc::Receiver<()>,
}

impl Keys {
    /// The buttons of the configuration.
    pub fn new(buttons: &Buttons) -> Self {
        let (presses, receiver) = mpsc::channel(WAITING);
        let (stands, stood) = mpsc::channel(1);
        Self {
            map: buttons.keys.clone(),
            configured: buttons.devices.clone(),
            open: BTreeMap::new(),
            failing: BTreeMap::new(),
            presses,
            receiver,
            stands,
            stood,
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
        self.open.retain(|id, open| {
            keys().any(|it| it.usable && it.device.id == *id && it.arrivals == open.arrivals)
        });
        let failed = std::mem::take(&mut self.failing);
        health.clear();
        for entry in keys() {
            let device = &entry.device;
            let trouble = if !entry.usable {
                Some(Trouble::Missing)
            } else if let Some(open) = self.open.get(&device.id) {
                open.trouble()
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

    /// Whether a sensor sees somebody.
    pub fn is_present(&self) -> bool {
        self.open.values().any(|open| open.standing().present)
    }

    /// Whether a device is there that does not open: [`Self::refresh`] tries again.
    pub fn is_failing(&self) -> bool {
        !self.failing.is_empty()
    }

    fn open(&mut self, entry: &Entry, before: Option<Trouble>) -> Option<Trouble> {
        let id = entry.device.id.clone();
        match keys::spawn(Path::new(&entry.device.node), self.map.clone()) {
            Ok(device) => {
                let open = Open {
                    arrivals: entry.arrivals,
                    standing: device.standing.clone(),
                };
                tokio::spawn(pass_on(device, self.presses.clone(), self.stands.clone()));
                let trouble = open.trouble();
                self.open.insert(id, open);
                trouble
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

    /// What is heard next.
    pub async fn heard(&mut self) -> Option<Heard> {
        tokio::select! {
            press = self.receiver.recv() => press.map(Heard::Press),
            stood = self.stood.recv() => stood.map(|()| Heard::Standing),
        }
    }
}

/// Passes on what is pressed, and tells when the device stands otherwise: at first, and when it is gone.
async fn pass_on(
    mut device: keys::Opened,
    presses: mpsc::Sender<Action>,
    stands: mpsc::Sender<()>,
) {
    let mut told = Instant::now();
    // One word that waits already is enough: whoever takes it looks how all stand then.
    let _ = stands.try_send(());
    loop {
        let changed = async {
            tokio::time::sleep_until(told + SETTLES).await;
            device.standing.changed().await
        };
        tokio::select! {
            press = device.presses.recv() => match press {
                // When the room is behind by so many, a further press would surprise whoever pressed it.
                Some(press) => {
                    let _ = presses.try_send(press);
                }
                None => break,
            },
            Ok(()) = changed => {
                told = Instant::now();
                let _ = stands.try_send(());
            }
        }
    }
    let _ = stands.try_send(());
}

#[cfg(test)]
mod tests {
    use roomd_devices::core::keys::Action;

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
            ..Buttons::default()
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

    /// A box that is open, with its two ends.
    struct Fake {
        presses: mpsc::Sender<Action>,
        standing: watch::Sender<Standing>,
    }

    impl Fake {
        fn stand(&self, present: bool, flood: bool) {
            self.standing.send_replace(Standing { present, flood });
        }
    }

    /// Adds a box without a node.
    fn plug(keys: &mut Keys, port: &str) -> Fake {
        let (presses, pressed) = mpsc::channel(WAITING);
        let (standing, stood) = watch::channel(Standing::default());
        let open = Open {
            arrivals: 1,
            standing: stood.clone(),
        };
        let device = keys::Opened {
            presses: pressed,
            standing: stood,
        };
        tokio::spawn(pass_on(device, keys.presses.clone(), keys.stands.clone()));
        let id = format!("usb:1111:0001@{port}:1.0").parse().unwrap();
        keys.open.insert(id, open);
        Fake { presses, standing }
    }

    fn boxes() -> (Keys, Roles) {
        let mut devices = Roles::default();
        devices.give(Role::Keys, "1111:0001").unwrap();
        let keys = Keys::new(&Buttons {
            devices: devices.clone(),
            ..Buttons::default()
        });
        (keys, devices)
    }

    #[tokio::test]
    async fn somebody_is_there_while_any_sensor_sees_them() {
        let (mut keys, _) = boxes();
        let (one, other) = (plug(&mut keys, "1-1"), plug(&mut keys, "1-2"));
        assert!(!keys.is_present());
        one.stand(true, false);
        // Nobody before the other sensor is not nobody in the room.
        other.stand(true, false);
        other.stand(false, false);
        assert!(keys.is_present());
        one.stand(false, false);
        assert!(!keys.is_present());
    }

    #[tokio::test]
    async fn presses_are_passed_on_and_a_box_that_goes_is_told_of() {
        let (mut keys, _) = boxes();
        let one = plug(&mut keys, "1-1");
        assert_eq!(keys.heard().await, Some(Heard::Standing));
        let press = Action::Mute;
        one.presses.send(press).await.unwrap();
        assert_eq!(keys.heard().await, Some(Heard::Press(press)));
        // Only the latest counts, however often it changes.
        for present in [true, false, true] {
            one.stand(present, false);
        }
        assert_eq!(keys.heard().await, Some(Heard::Standing));
        assert!(keys.is_present());
        drop(one);
        assert_eq!(keys.heard().await, Some(Heard::Standing));
    }

    #[tokio::test]
    async fn a_flood_is_in_the_health_view_until_it_is_quiet() {
        let (mut keys, devices) = boxes();
        let one = plug(&mut keys, "1-1");
        let entries = inventory(devices, [LEFT]);
        let mut health = KeysHealth::new();
        for (flood, trouble) in [(true, Some(Trouble::Flood)), (false, None)] {
            one.stand(false, flood);
            keys.refresh(&entries, &mut health);
            let wanted = ("Box".to_owned(), trouble);
            assert_eq!(health.get("usb:1111:0001@1-1:1.0"), Some(&wanted));
        }
    }
}
