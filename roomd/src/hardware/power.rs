// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The display's power: awake before and during meetings, asleep when the room is idle.

use std::path::PathBuf;

use roomd_config::{Display, DisplayPower};
use roomd_devices::core::device::Kind;
use roomd_devices::core::display::power::Power;
use roomd_devices::core::display::quirks::QuirkTable;
use roomd_devices::core::display::schedule::{Schedule, Use};
use roomd_devices::core::inventory::Entry;
use roomd_devices::display::{self, Command, DisplayConfig, DisplayHandle, DisplayState};
use roomd_devices::sysfs::{Connector, Sysfs};
use roomd_model::Now;
use tokio::time::Instant;

/// The display's power.
#[derive(Debug)]
pub struct DisplayControl {
    settings: Display,
    /// The connectors that the room is to have displays on.
    named: Vec<String>,
    room_name: String,
    quirks: QuirkTable,
    schedule: Schedule,
    wanted: Option<Power>,
    /// What the display's task was told.
    told: Option<Power>,
    sysfs: Sysfs,
    cec: Option<PathBuf>,
    /// Whether that adapter is there.
    is_there: bool,
    /// How often it came.
    arrivals: u64,
    handle: Option<DisplayHandle>,
    /// The displays that were plugged in when somebody last looked.
    plugged: Option<Vec<Connector>>,
}

impl DisplayControl {
    /// Power as the configuration wants it, and the connectors that are to have displays.
    pub fn new(
        settings: Display,
        named: Vec<String>,
        room_name: &str,
        quirks: QuirkTable,
        now: Now,
    ) -> Self {
        Self {
            schedule: Schedule::new(settings.wake, settings.standby, now),
            named,
            settings,
            room_name: room_name.to_owned(),
            quirks,
            wanted: None,
            told: None,
            sysfs: Sysfs::default(),
            cec: None,
            is_there: false,
            arrivals: 0,
            handle: None,
            plugged: None,
        }
    }

    /// Takes what is plugged in. Another CEC adapter is another way to speak to the display, and one
    /// that came again has forgotten the room's place on the line.
    pub fn refresh(&mut self, entries: &[Entry]) {
        let mut adapters = entries
            .iter()
            .filter(|entry| entry.usable && entry.device.kind == Kind::Cec);
        let configured = self.settings.cec.as_ref();
        let found = adapters.find(|entry| {
            configured.is_none_or(|node| node.as_os_str() == entry.device.node.as_str())
        });
        let cec = configured
            .cloned()
            .or_else(|| found.map(|entry| PathBuf::from(&entry.device.node)));
        self.is_there = found.is_some();
        let arrivals = found.map_or(self.arrivals, |entry| entry.arrivals);
        if self.handle.is_none() || cec != self.cec || arrivals != self.arrivals {
            self.cec = cec;
            self.arrivals = arrivals;
            // The old task ends with its handle.
            self.handle = Some(display::spawn(
                DisplayConfig {
                    connector: self.settings.connector.clone(),
                    cec: self.cec.clone(),
                    name: self.room_name.clone(),
                    quirks: self.quirks.clone(),
                },
                self.sysfs.clone(),
            ));
            self.told = None;
            self.repeat();
        } else {
            self.send(Command::Look);
        }
    }

    /// Takes what the room does.
    pub fn room(&mut self, room: Use, now: Now) {
        let power = self.schedule.handle(room, now);
        self.say(power);
    }

    /// Somebody is there.
    pub fn touched(&mut self, now: Now) {
        let power = self.schedule.touched(now);
        self.say(power);
    }

    /// Time has come.
    pub fn handle_timeout(&mut self, now: Now) {
        let power = self.schedule.handle_timeout(now);
        self.say(power);
    }

    /// When that is.
    pub fn poll_timeout(&self, now: Now) -> Option<Instant> {
        self.schedule.poll_timeout(now).map(|(at, _)| at.into())
    }

    /// Whether the displays are to sleep.
    pub fn sleeps(&self) -> bool {
        self.settings.power != DisplayPower::Off && self.wanted == Some(Power::Standby)
    }

    /// Somebody says that they turned it on.
    pub fn confirmed(&self) {
        self.send(Command::Confirmed);
    }

    fn say(&mut self, power: Option<Power>) {
        let Some(power) = power else { return };
        self.wanted = Some(power);
        self.told = None;
        self.repeat();
    }

    /// Says what was wanted before there was a way to: at the start nobody has looked yet what is
    /// plugged in.
    pub fn repeat(&mut self) {
        let Some(power) = self.wanted else { return };
        if self.told != Some(power) && self.controls() && self.send(Command::Want(power)) {
            tracing::info!(?power, "display");
            self.told = Some(power);
        }
    }

    /// Whether the room turns the display on and off. Where it has no way to, it tries nothing.
    fn controls(&self) -> bool {
        match self.settings.power {
            DisplayPower::Off => false,
            DisplayPower::Ask => true,
            DisplayPower::Auto => {
                let state = self.state();
                let bus = state
                    .connectors
                    .iter()
                    .any(|it| it.connected && it.bus.is_some());
                self.cec.is_some() || bus
            }
        }
    }

    /// Returns whether the display's task takes it.
    fn send(&self, command: Command) -> bool {
        let Some(handle) = &self.handle else {
            return false;
        };
        let sent = handle.commands.try_send(command).is_ok();
        if !sent {
            tracing::warn!(?command, "the display's task is behind");
        }
        sent
    }

    /// How the display is.
    pub fn state(&self) -> DisplayState {
        let handle = self.handle.as_ref();
        handle.map_or_else(DisplayState::default, |handle| {
            handle.state.borrow().clone()
        })
    }

    /// Named connectors without a display, once somebody has looked.
    pub fn absent(&self) -> Vec<String> {
        let connectors = self.state().connectors;
        let is_there = |name: &&String| {
            let mut plugged = connectors.iter().filter(|it| it.connected);
            plugged.any(|it| it.name == **name)
        };
        if connectors.is_empty() {
            return Vec::new();
        }
        self.named
            .iter()
            .filter(|name| !is_there(name))
            .cloned()
            .collect()
    }

    /// The CEC adapter that the configuration names, where it is not there.
    pub fn absent_adapter(&self) -> Option<String> {
        let node = self.settings.cec.as_ref();
        // A link that somebody made to an adapter is not what udev calls it.
        let absent = node.filter(|node| !self.is_there && !node.exists());
        let absent = absent.filter(|_| self.settings.power != DisplayPower::Off);
        absent.map(|node| node.display().to_string())
    }

    /// Whether another display is there than before, or none any more.
    pub fn is_replugged(&mut self) -> bool {
        let mut plugged = self.state().connectors;
        plugged.retain(|connector| connector.connected);
        for connector in &mut plugged {
            // Whether it shows something is not the question.
            connector.enabled = false;
        }
        let before = self.plugged.replace(plugged);
        before.is_some_and(|before| Some(before) != self.plugged)
    }

    /// Waits until the display is otherwise.
    pub async fn changed(&mut self) {
        if let Some(handle) = &mut self.handle
            && handle.state.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use roomd_devices::core::display::log::Happened;

    use super::super::bench::entries;
    use super::*;
    use crate::daemon::now;

    #[tokio::test]
    async fn a_configured_adapter_that_comes_late_is_taken() {
        let settings = Display {
            cec: Some(PathBuf::from("/dev/no-such-cec0")),
            ..Display::default()
        };
        let quirks = QuirkTable::default();
        let mut display = DisplayControl::new(settings, Vec::new(), "Raum", quirks, now());
        let root = tempfile::tempdir().unwrap();
        display.sysfs = Sysfs::at(root.path());
        display.refresh(&[]);
        assert_eq!(display.absent_adapter().unwrap(), "/dev/no-such-cec0");
        display.touched(now());
        assert_eq!(display.told, Some(Power::On));
        let before = display.handle.clone().unwrap();
        let path = "/devices/pci0000:00/usb1/1-2/1-2:1.0/cec/cec0";
        let adapter = entries([("cec", path, &[("DEVNAME", "/dev/no-such-cec0")][..])]);
        let same = |display: &DisplayControl| {
            let handle = display.handle.as_ref().unwrap();
            handle.commands.same_channel(&before.commands)
        };
        display.refresh(&[]);
        assert!(same(&display));
        display.refresh(&adapter);
        assert!(!same(&display));
        assert_eq!(display.told, Some(Power::On));
        assert_eq!(display.absent_adapter(), None);
    }

    #[tokio::test]
    async fn what_was_wanted_before_somebody_looked_is_said_then() {
        let root = tempfile::tempdir().unwrap();
        let connector = root.path().join("class/drm/card0-HDMI-A-1");
        fs::create_dir_all(connector.join("i2c-7")).unwrap();
        fs::create_dir_all(root.path().join("class/i2c-dev/i2c-7")).unwrap();
        fs::write(connector.join("status"), "connected\n").unwrap();
        let (settings, quirks) = (Display::default(), QuirkTable::default());
        let named = ["HDMI-A-1", "HDMI-A-2"].map(str::to_owned).to_vec();
        let mut display = DisplayControl::new(settings, named, "Raum", quirks, now());
        display.sysfs = Sysfs::at(root.path());
        display.refresh(&[]);
        display.touched(now());
        assert_eq!(display.told, None);
        assert_eq!(display.absent(), Vec::<String>::new());
        let happened = |display: &DisplayControl| {
            let log = display.state().log;
            log.first().map(|(_, happened)| *happened)
        };
        while happened(&display).is_none() {
            display.changed().await;
            display.repeat();
        }
        assert_eq!(happened(&display), Some(Happened::Wanted(Power::On)));
        assert_eq!(display.absent(), ["HDMI-A-2"]);
    }
}
