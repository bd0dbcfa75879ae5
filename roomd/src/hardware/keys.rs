// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's hardware buttons and sensors: opened and grabbed wherever they are plugged in.

use std::collections::BTreeMap;
use std::path::Path;

use roomd_config::Buttons;
use roomd_devices::core::health::Trouble;
use roomd_devices::core::identity::DeviceId;
use roomd_devices::core::inventory::{Entry, Role};
use roomd_devices::core::keys::{KeyMap, Press};
use roomd_devices::keys;
use tokio::sync::mpsc;

/// Presses that wait for the hardware task. More are no person's.
const WAITING: usize = 32;

/// The buttons that are open.
#[derive(Debug)]
pub struct Keys {
    map: KeyMap,
    configured: bool,
    /// Each device that is open, and how often it came.
    open: BTreeMap<DeviceId, u64>,
    presses: mpsc::Sender<Press>,
    receiver: mpsc::Receiver<Press>,
}

impl Keys {
    /// The buttons of the configuration.
    pub fn new(buttons: &Buttons) -> Self {
        let (presses, receiver) = mpsc::channel(WAITING);
        Self {
            map: buttons.keys.clone(),
            configured: !buttons.devices.is_empty(),
            open: BTreeMap::new(),
            presses,
            receiver,
        }
    }

    /// Opens each device with the role that came; the task that reads one ends when it goes.
    pub fn refresh(&mut self, entries: &[Entry], health: &mut BTreeMap<String, Option<Trouble>>) {
        if !self.configured {
            return;
        }
        let keys = || {
            let mine = |entry: &&Entry| entry.role == Some(Role::Keys);
            entries.iter().filter(mine)
        };
        self.open.retain(|id, arrivals| {
            keys().any(|it| it.usable && it.device.id == *id && it.arrivals == *arrivals)
        });
        health.clear();
        for entry in keys() {
            let device = &entry.device;
            let trouble = if !entry.usable {
                Some(Trouble::Missing)
            } else if self.open.contains_key(&device.id) {
                None
            } else {
                let opened = self.open(&device.node);
                if opened.is_none() {
                    self.open.insert(device.id.clone(), entry.arrivals);
                }
                opened
            };
            health.insert(device.label.clone(), trouble);
        }
        if health.is_empty() {
            health.insert("buttons".to_owned(), Some(Trouble::Missing));
        }
    }

    fn open(&self, node: &str) -> Option<Trouble> {
        match keys::spawn(Path::new(node), self.map.clone()) {
            Ok(device) => {
                tokio::spawn(pass_on(device, self.presses.clone()));
                None
            }
            Err(error) => {
                let in_use = matches!(error, keys::KeysError::Grab(..));
                let error = anyhow::Error::new(error);
                tracing::warn!(code = "keys-missing", "{error:#}");
                Some(if in_use {
                    Trouble::InUse
                } else {
                    Trouble::Stalled
                })
            }
        }
    }

    /// The next press.
    pub async fn pressed(&mut self) -> Option<Press> {
        self.receiver.recv().await
    }
}

async fn pass_on(mut device: mpsc::Receiver<Press>, presses: mpsc::Sender<Press>) {
    while let Some(press) = device.recv().await {
        // When the room is behind by so many, a further press would surprise whoever pressed it.
        let _ = presses.try_send(press);
    }
}
