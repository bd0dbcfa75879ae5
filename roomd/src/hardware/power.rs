// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The displays' power: awake before and during meetings, asleep when the room is idle.

use std::path::PathBuf;

use roomd_config::{Display, DisplayPower};
use roomd_devices::core::device::Kind;
use roomd_devices::core::display::power::Power;
use roomd_devices::core::display::quirks::QuirkTable;
use roomd_devices::core::display::schedule::{Schedule, Use};
use roomd_devices::core::inventory::Entry;
use roomd_devices::display::{
    self, CecAdapter, Command, DisplayConfig, DisplayHandle, DisplayState,
};
use roomd_devices::sysfs::{Connector, Sysfs};
use roomd_model::Now;
use tokio::sync::watch;
use tokio::time::Instant;

/// One of the room's displays.
#[derive(Debug)]
struct Controlled {
    handle: DisplayHandle,
    /// What its task was told.
    told: Option<Power>,
}

/// The displays' power.
#[derive(Debug)]
pub struct DisplayControl {
    settings: Display,
    /// The connectors that the room is to have displays on.
    named: Vec<String>,
    room_name: String,
    quirks: QuirkTable,
    schedule: Schedule,
    wanted: Option<Power>,
    sysfs: Sysfs,
    adapters: watch::Sender<Vec<CecAdapter>>,
    /// Whether the adapter is there that the configuration names.
    is_there: bool,
    /// The first display, on which people are.
    people: Option<Controlled>,
    /// The connector of the display for content: the one that is named, or that the engine last drew it on.
    content_on: Option<String>,
    /// Whether the configuration names it.
    content_named: bool,
    content: Option<(String, Controlled)>,
    /// The displays that were plugged in when somebody last looked.
    plugged: Option<Vec<Connector>>,
}

impl DisplayControl {
    /// Power as the configuration wants it, the connectors that are to have displays, and the one among
    /// them that is for content.
    pub fn new(
        settings: Display,
        named: Vec<String>,
        content: Option<String>,
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
            sysfs: Sysfs::default(),
            adapters: watch::Sender::new(Vec::new()),
            is_there: false,
            people: None,
            content_named: content.is_some(),
            content_on: content,
            content: None,
            plugged: None,
        }
    }

    /// Takes what is plugged in. A display's task sees itself which adapter's line is its own.
    pub fn refresh(&mut self, entries: &[Entry]) {
        let usable = entries.iter().filter(|entry| entry.usable);
        let adapters = usable.filter(|entry| entry.device.kind == Kind::Cec);
        let adapters: Vec<CecAdapter> = adapters.map(adapter).collect();
        let configured = self.settings.cec.as_ref();
        self.is_there = adapters.iter().any(|it| Some(&it.node) == configured);
        // Tasks that have begun hear of it by that.
        let differs = self.adapters.send_if_modified(|known| {
            let differs = *known != adapters;
            *known = adapters;
            differs
        });
        if !differs {
            self.send(Command::Look);
        }
        if self.people.is_none() {
            let people = DisplayConfig {
                connector: self.settings.connector.clone(),
                // Without a name for people's, content's is the other one.
                apart: self.content_on.clone().filter(|_| self.content_named),
                cec: self.settings.cec.clone(),
                ..self.config()
            };
            self.people = Some(self.spawn(people));
        }
        self.repeat();
    }

    /// The engine draws content on this display now; without one it sleeps, or there is none.
    pub fn draws_content(&mut self, on: Option<&str>) {
        if let Some(on) = on.filter(|_| !self.content_named) {
            self.content_on = Some(on.to_owned());
        }
        self.repeat();
    }

    /// Looks after the display for content as well, unless people are on it. Where the name is none of a
    /// graphics card's connector, nobody knows the display behind it.
    fn follow_content(&mut self) {
        let people = self.state();
        let is_known = |name: &String| people.connectors.iter().any(|it| it.name == *name);
        let controls = self.settings.power != DisplayPower::Off;
        let on = self.content_on.clone().filter(|_| controls);
        let on = on.filter(|name| is_known(name) && people.display.as_ref() != Some(name));
        if self.content.as_ref().map(|(name, _)| name) == on.as_ref() {
            return;
        }
        // The old task ends with its handle.
        self.content = on.map(|name| {
            let content = DisplayConfig {
                connector: Some(name.clone()),
                taken: self.settings.cec.clone(),
                strict: true,
                ..self.config()
            };
            (name, self.spawn(content))
        });
    }

    fn config(&self) -> DisplayConfig {
        DisplayConfig {
            name: self.room_name.clone(),
            quirks: self.quirks.clone(),
            ..DisplayConfig::default()
        }
    }

    fn spawn(&self, config: DisplayConfig) -> Controlled {
        let adapters = self.adapters.subscribe();
        Controlled {
            handle: display::spawn(config, adapters, self.sysfs.clone()),
            told: None,
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

    /// Somebody says that they turned on what was off.
    pub fn confirmed(&self) {
        self.send(Command::Confirmed);
    }

    fn say(&mut self, power: Option<Power>) {
        let Some(power) = power else { return };
        self.wanted = Some(power);
        for display in self.displays_mut() {
            display.told = None;
        }
        self.repeat();
    }

    /// Says what was wanted before there was a way to: at the start nobody has looked yet what is
    /// plugged in, and which display is for content.
    pub fn repeat(&mut self) {
        self.follow_content();
        let Some(power) = self.wanted else { return };
        let controls = self.controls();
        if let Some(people) = self.people.as_mut().filter(|_| controls) {
            people.want(power);
        }
        // One that has no line of its own follows its signal.
        let content = self.content.as_mut().map(|(_, content)| content);
        if let Some(content) = content.filter(|it| it.handle.state.borrow().reaches) {
            content.want(power);
        }
    }

    /// Whether the room turns the first display on and off. Where it has no way to, it tries nothing.
    fn controls(&self) -> bool {
        match self.settings.power {
            DisplayPower::Off => false,
            DisplayPower::Ask => true,
            DisplayPower::Auto => self.settings.cec.is_some() || self.state().reaches,
        }
    }

    fn send(&self, command: Command) {
        for display in self.displays() {
            display.send(command);
        }
    }

    fn displays(&self) -> impl Iterator<Item = &Controlled> {
        let content = self.content.as_ref().map(|(_, content)| content);
        self.people.iter().chain(content)
    }

    fn displays_mut(&mut self) -> impl Iterator<Item = &mut Controlled> {
        let content = self.content.as_mut().map(|(_, content)| content);
        self.people.iter_mut().chain(content)
    }

    /// How the first display is.
    pub fn state(&self) -> DisplayState {
        let people = self.people.as_ref();
        people.map_or_else(DisplayState::default, Controlled::state)
    }

    /// How the display for content is, by the name of its connector.
    pub fn content_state(&self) -> Option<(String, DisplayState)> {
        let (name, content) = self.content.as_ref()?;
        Some((name.clone(), content.state()))
    }

    /// Whether people should turn a display on.
    pub fn asks(&self) -> bool {
        self.displays().any(|it| it.handle.state.borrow().asks)
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

    /// Waits until a display is otherwise.
    pub async fn changed(&mut self) {
        let content = self.content.as_mut().map(|(_, content)| content);
        tokio::select! {
            () = changed(self.people.as_mut()) => {}
            () = changed(content) => {}
        }
    }
}

impl Controlled {
    fn want(&mut self, power: Power) {
        if self.told != Some(power) && self.send(Command::Want(power)) {
            let on = self.handle.state.borrow().display.clone();
            tracing::info!(?power, ?on, "display");
            self.told = Some(power);
        }
    }

    /// Returns whether the display's task takes it.
    fn send(&self, command: Command) -> bool {
        let sent = self.handle.commands.try_send(command).is_ok();
        if !sent {
            tracing::warn!(?command, "the display's task is behind");
        }
        sent
    }

    fn state(&self) -> DisplayState {
        self.handle.state.borrow().clone()
    }
}

fn adapter(entry: &Entry) -> CecAdapter {
    CecAdapter {
        node: PathBuf::from(&entry.device.node),
        path: entry.device.path.clone(),
        arrivals: entry.arrivals,
    }
}

async fn changed(display: Option<&mut Controlled>) {
    if let Some(display) = display
        && display.handle.state.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

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
        let mut display = DisplayControl::new(settings, Vec::new(), None, "Raum", quirks, now());
        let root = tempfile::tempdir().unwrap();
        display.sysfs = Sysfs::at(root.path());
        display.refresh(&[]);
        assert_eq!(display.absent_adapter().unwrap(), "/dev/no-such-cec0");
        display.touched(now());
        assert_eq!(told(&display), Some(Power::On));
        let path = "/devices/pci0000:00/usb1/1-2/1-2:1.0/cec0";
        let adapter = entries([("cec", path, &[("DEVNAME", "/dev/no-such-cec0")][..])]);
        display.refresh(&[]);
        assert!(display.adapters.borrow().is_empty());
        display.refresh(&adapter);
        let known = CecAdapter {
            node: PathBuf::from("/dev/no-such-cec0"),
            path: path.to_owned(),
            arrivals: 1,
        };
        assert_eq!(*display.adapters.borrow(), [known]);
        assert_eq!(told(&display), Some(Power::On));
        assert_eq!(display.absent_adapter(), None);
    }

    /// What the first display's task was told.
    fn told(display: &DisplayControl) -> Option<Power> {
        display.people.as_ref().unwrap().told
    }

    /// Two displays with a bus that has a node in this folder and nowhere else.
    fn two_displays() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (connector, bus) in [("HDMI-A-1", "i2c-4001"), ("HDMI-A-2", "i2c-4002")] {
            let connector = root.path().join(format!("class/drm/card0-{connector}"));
            fs::create_dir_all(connector.join(bus)).unwrap();
            fs::create_dir_all(root.path().join("class/i2c-dev").join(bus)).unwrap();
            fs::write(connector.join("status"), "connected\n").unwrap();
        }
        root
    }

    fn control(power: DisplayPower, content: Option<&str>, root: &Path) -> DisplayControl {
        let settings = Display {
            power,
            ..Display::default()
        };
        let (content, quirks) = (content.map(str::to_owned), QuirkTable::default());
        let mut display = DisplayControl::new(settings, Vec::new(), content, "Raum", quirks, now());
        display.sysfs = Sysfs::at(root);
        display.refresh(&[]);
        display
    }

    /// The connector of the display for content, and what was done there first.
    fn content(display: &DisplayControl) -> Option<(String, Option<Happened>)> {
        let (name, state) = display.content_state()?;
        let first = state.log.first().map(|(_, happened)| *happened);
        Some((name, first))
    }

    #[tokio::test]
    async fn the_display_for_content_wakes_with_the_first() {
        let root = two_displays();
        let mut display = control(DisplayPower::Auto, None, root.path());
        display.touched(now());
        display.draws_content(Some("HDMI-A-2"));
        let woken = Happened::Wanted(Power::On);
        while content(&display) != Some(("HDMI-A-2".to_owned(), Some(woken))) {
            display.changed().await;
            display.repeat();
        }
        assert_eq!(told(&display), Some(Power::On));
        // While it sleeps, the engine draws on none.
        display.draws_content(None);
        assert_eq!(content(&display).unwrap().0, "HDMI-A-2");
        // People take it while theirs is gone, and what is no connector is nobody's.
        for on in ["HDMI-A-1", "X11"] {
            display.draws_content(Some(on));
            assert_eq!(content(&display), None, "{on}");
        }
    }

    #[tokio::test]
    async fn a_named_display_for_content_is_not_peoples() {
        let root = two_displays();
        let mut display = control(DisplayPower::Ask, Some("HDMI-A-1"), root.path());
        display.draws_content(Some("HDMI-A-2"));
        while content(&display).is_none() {
            display.changed().await;
            display.repeat();
        }
        assert_eq!(content(&display).unwrap().0, "HDMI-A-1");
        assert_eq!(display.state().display.as_deref(), Some("HDMI-A-2"));
        let mut display = control(DisplayPower::Off, Some("HDMI-A-1"), root.path());
        display.changed().await;
        display.repeat();
        assert_eq!(content(&display), None);
    }

    #[tokio::test]
    async fn only_what_can_be_spoken_to_is_asked_for_beside_the_first() {
        let root = two_displays();
        fs::remove_dir_all(root.path().join("class/i2c-dev")).unwrap();
        let mut display = control(DisplayPower::Ask, Some("HDMI-A-2"), root.path());
        display.touched(now());
        while content(&display).is_none() || !display.asks() {
            display.changed().await;
            display.repeat();
        }
        assert!(display.state().asks);
        assert_eq!(content(&display).unwrap().1, None);
        display.confirmed();
        while display.asks() {
            display.changed().await;
        }
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
        let mut display = DisplayControl::new(settings, named, None, "Raum", quirks, now());
        display.sysfs = Sysfs::at(root.path());
        display.refresh(&[]);
        display.touched(now());
        assert_eq!(told(&display), None);
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
