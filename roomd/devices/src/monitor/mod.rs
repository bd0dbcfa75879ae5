// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The inventory of the machine's devices, by udev.
//!
//! udev and not the kernel's own messages: udev's come when permissions are set and the device has
//! its names. Messages can be lost when many come at once, so all devices are listed again now and
//! then.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use roomd_devices_core::device::Kind;
use roomd_devices_core::inventory::{Effect, Entry, Event, Inventory, Places, Roles};
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::kernel::readable;

mod describe;

/// How often all devices are listed again.
const AGAIN: Duration = Duration::from_secs(60);
/// News that wait for the daemon.
const NEWS: usize = 256;
/// Messages that are read before other tasks have their turn.
const BATCH: usize = 64;

/// What the monitor publishes.
#[derive(Debug)]
pub struct Monitor {
    /// Every device that is or was there.
    pub devices: watch::Receiver<Vec<Entry>>,
    /// What changed, in order. Whoever falls behind loses news, never the present state.
    pub news: mpsc::Receiver<Effect>,
    /// Where devices are and were, to be kept over a restart.
    pub places: watch::Receiver<Places>,
}

/// The monitor cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen to udev; the room's service needs AF_NETLINK in RestrictAddressFamilies")]
pub struct MonitorError(#[from] io::Error);

/// Lists all devices, tells which are elsewhere than they were, and begins to listen. The task ends when
/// nobody holds `devices` any more.
///
/// # Errors
///
/// udev cannot be listened to.
pub fn spawn(roles: Roles, before: Places) -> Result<Monitor, MonitorError> {
    let mut builder = udev::MonitorBuilder::new()?;
    for kind in Kind::ALL {
        builder = builder.match_subsystem(kind.subsystem())?;
    }
    let socket = builder.listen()?;
    // A second descriptor to wait for: the library's own object does not go between threads.
    let second = socket.as_fd().try_clone_to_owned()?;
    let readable = readable(second)?;
    let (devices, receiver) = watch::channel(Vec::new());
    let (news, news_receiver) = mpsc::channel(NEWS);
    let (places, places_receiver) = watch::channel(before.clone());
    let mut task = Task {
        inventory: Inventory::new(roles),
        socket,
        devices,
        news,
        places,
    };
    if task.list_all() {
        let moved = task.inventory.recall(before);
        task.tell(moved);
    }
    task.tell_places();
    tokio::spawn(task.run(readable));
    Ok(Monitor {
        devices: receiver,
        news: news_receiver,
        places: places_receiver,
    })
}

struct Task {
    inventory: Inventory,
    socket: udev::MonitorSocket,
    devices: watch::Sender<Vec<Entry>>,
    news: mpsc::Sender<Effect>,
    places: watch::Sender<Places>,
}

impl Task {
    async fn run(mut self, readable: AsyncFd<OwnedFd>) {
        let mut again = tokio::time::interval(AGAIN);
        again.reset();
        loop {
            let wake = self.inventory.poll_timeout().map(|(at, _)| at.into());
            let quiet = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ready = readable.readable() => {
                    let Ok(mut ready) = ready else { return };
                    // A full batch may have left messages behind: then it is still readable.
                    if self.take() < BATCH {
                        ready.clear_ready();
                    }
                }
                () = quiet => {
                    let effects = self.inventory.handle_timeout(Instant::now());
                    self.tell(effects);
                }
                _ = again.tick() => {
                    self.list_all();
                    self.tell_places();
                }
                () = self.devices.closed() => return,
            }
        }
    }

    /// Takes the messages that wait; returns how many.
    fn take(&mut self) -> usize {
        let mut effects = Vec::new();
        let mut count = 0;
        for event in self.socket.iter().take(BATCH) {
            count += 1;
            let device = event.device();
            let event = match event.event_type() {
                udev::EventType::Remove => Event::Removed(describe::path(&device)),
                udev::EventType::Change => Event::Changed(describe::properties(&device)),
                udev::EventType::Add | udev::EventType::Bind => {
                    Event::Added(describe::properties(&device))
                }
                udev::EventType::Unbind | udev::EventType::Unknown => continue,
            };
            effects.extend(self.inventory.handle(event, Instant::now()));
        }
        self.tell_places();
        self.tell(effects);
        count
    }

    /// Brings the inventory to what is there; false when that cannot be known.
    fn list_all(&mut self) -> bool {
        let now = Instant::now();
        let found = match describe::all() {
            Ok(found) => found,
            Err(error) => {
                warn!(%error, "cannot list the devices");
                return false;
            }
        };
        let there: BTreeSet<&str> = found.iter().map(|p| p.path.as_str()).collect();
        let usable = self
            .inventory
            .usable()
            .map(|entry| entry.device.path.clone());
        let gone: Vec<String> = usable
            .filter(|path| !there.contains(path.as_str()))
            .collect();
        let mut effects = Vec::new();
        for path in gone {
            effects.extend(self.inventory.handle(Event::Removed(path), now));
        }
        for properties in found {
            effects.extend(self.inventory.list(&properties, now));
        }
        self.tell(effects);
        true
    }

    fn tell_places(&self) {
        let now = self.inventory.places();
        self.places.send_if_modified(|places| {
            let differs = *places != now;
            *places = now;
            differs
        });
    }

    fn tell(&mut self, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        self.devices
            .send_replace(self.inventory.entries().cloned().collect());
        for effect in effects {
            info!("device {effect}");
            if self.news.try_send(effect).is_err() {
                warn!("news about devices were lost: nobody reads them");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_machine_without_devices_has_an_inventory() {
        let monitor = match spawn(Roles::default(), Places::default()) {
            Ok(monitor) => monitor,
            // A sandbox without netlink: the error says what to change.
            Err(error) => {
                assert!(error.to_string().contains("AF_NETLINK"));
                return;
            }
        };
        let devices = monitor.devices.borrow().clone();
        assert!(devices.iter().all(|entry| !entry.device.node.is_empty()));
    }
}
