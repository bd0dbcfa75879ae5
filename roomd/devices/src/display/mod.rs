// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's display: what is plugged in, and its power.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use roomd_devices_core::display::cec::{Message, Outcome, Place};
use roomd_devices_core::display::log::Happened;
use roomd_devices_core::display::power::{Effect, Input, Power, PowerControl};
use roomd_devices_core::display::quirks::{QuirkTable, Quirks};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::sysfs::{Connector, Sysfs};

mod line;

/// How often connectors are looked at without a reason.
const LOOK: Duration = Duration::from_secs(10);
/// How long no place on the CEC line is tried for again: at first, and at most.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(300);
const COMMANDS: usize = 16;

/// Which display, and how to speak to it.
#[derive(Clone, Debug, Default)]
pub struct DisplayConfig {
    /// Its connector, such as `HDMI-A-1`; the first that has a display when none.
    pub connector: Option<String>,
    /// The CEC adapter, such as `/dev/cec0`; none where there is none.
    pub cec: Option<PathBuf>,
    /// What the display shows as the room's name, up to 14 letters.
    pub name: String,
    /// What displays do differently.
    pub quirks: QuirkTable,
}

/// What is asked of a display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// It should be like this.
    Want(Power),
    /// Something was plugged: look again.
    Look,
    /// Somebody says that they turned it on.
    Confirmed,
}

/// How a display is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisplayState {
    /// The connectors of the machine.
    pub connectors: Vec<Connector>,
    /// Whether the panel should ask people to turn it on.
    pub asks: bool,
    /// Whether it stays on although it was told to sleep.
    pub stays_on: bool,
    /// What was done, the oldest first.
    pub log: Vec<(Instant, Happened)>,
}

/// A display's task.
#[derive(Clone, Debug)]
pub struct DisplayHandle {
    /// What is asked of it.
    pub commands: mpsc::Sender<Command>,
    /// How it is.
    pub state: watch::Receiver<DisplayState>,
}

/// Begins to look after a display, which need not be there. The task ends with the last handle.
#[must_use]
pub fn spawn(config: DisplayConfig, sysfs: Sysfs) -> DisplayHandle {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let (publish, state) = watch::channel(DisplayState::default());
    let task = Task::new(config, sysfs, publish);
    tokio::spawn(task.run(receiver));
    DisplayHandle { commands, state }
}

struct Task {
    config: DisplayConfig,
    sysfs: Sysfs,
    publish: watch::Sender<DisplayState>,
    control: PowerControl,
    /// The display that the control was told of.
    known: Option<Connector>,
    place: Option<Place>,
    /// When a place is tried for again, and how long that wait was.
    again: Option<(Instant, Duration)>,
    bus: Option<PathBuf>,
}

impl Task {
    fn new(config: DisplayConfig, sysfs: Sysfs, publish: watch::Sender<DisplayState>) -> Self {
        Self {
            config,
            sysfs,
            publish,
            control: PowerControl::default(),
            known: None,
            place: None,
            again: None,
            bus: None,
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        self.look().await;
        let mut look = tokio::time::interval(LOOK);
        look.reset();
        loop {
            self.tell();
            let wake = self.control.poll_timeout().map(|(at, _)| at);
            let due = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let effects = tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Want(power)) => {
                        self.wake_unplugged(power).await;
                        self.handle(Input::Want(power))
                    }
                    Some(Command::Confirmed) => self.handle(Input::Confirmed),
                    Some(Command::Look) => {
                        // What was plugged in may be the adapter.
                        self.again = None;
                        self.look().await;
                        continue;
                    }
                    None => return,
                },
                _ = look.tick() => {
                    self.look().await;
                    continue;
                }
                () = due => self.control.handle_timeout(Instant::now()),
            };
            self.act(effects).await;
        }
    }

    /// Some displays look unplugged while they sleep, and hear all the same.
    async fn wake_unplugged(&self, power: Power) {
        if let (Power::On, None, Some(node)) = (power, &self.known, &self.config.cec) {
            let outcome = line::say(node, Place::NONE, Message::ImageViewOn).await;
            info!(?outcome, "woke a display that looks unplugged");
        }
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        self.control.handle(input, Instant::now())
    }

    /// Does what the control wants, one after the other: a display does one thing at a time.
    async fn act(&mut self, effects: Vec<Effect>) {
        let mut open = effects;
        while let Some(effect) = open.pop() {
            let answer = match effect {
                Effect::Say(message) => {
                    let outcome = match (&self.config.cec, self.place) {
                        (Some(node), Some(place)) => line::say(node, place, message).await,
                        (Some(_) | None, _) => Outcome::Nobody,
                    };
                    Input::Said(outcome)
                }
                Effect::Set(power) => {
                    let is = match &self.bus {
                        Some(bus) => line::set_power(bus, power).await,
                        None => None,
                    };
                    Input::Set(is)
                }
                // Both are part of the published state.
                Effect::Ask | Effect::Withdraw => continue,
            };
            open.extend(self.handle(answer));
            self.tell();
        }
    }

    /// Looks what is plugged in.
    async fn look(&mut self) {
        let connectors = self.sysfs.connectors();
        let wanted = self.config.connector.as_deref();
        let display = connectors
            .iter()
            .filter(|connector| connector.connected)
            .find(|connector| wanted.is_none_or(|name| connector.name == name))
            .cloned();
        self.publish.send_if_modified(|state| {
            let changed = state.connectors != connectors;
            state.connectors = connectors;
            changed
        });
        let is_new = identity(display.as_ref()) != identity(self.known.as_ref());
        if !is_new && !self.misses_place() {
            return;
        }
        self.known = display;
        let input = match self.known.clone() {
            Some(display) => {
                self.bus.clone_from(&display.bus);
                if is_new {
                    self.again = None;
                }
                self.place = self.take_place(&display).await;
                if !is_new && self.place.is_none() {
                    return;
                }
                let (cec, ddc) = (self.place, &self.bus);
                let plugged = &display.name;
                info!(plugged, ?cec, ?ddc, "a display is plugged in");
                let edid = display.edid.as_ref().ok();
                Input::Display {
                    cec: self.place.is_some(),
                    ddc: self.bus.is_some(),
                    quirks: edid.map_or_else(Quirks::default, |e| self.config.quirks.find(e)),
                }
            }
            None => {
                self.place = None;
                Input::Unplugged
            }
        };
        let effects = self.handle(input);
        self.act(effects).await;
    }

    /// Whether it is time to try again for a place on the CEC line. A line may be busy, a display that
    /// wakes has no place for anybody yet, and an adapter may come late.
    fn misses_place(&self) -> bool {
        let has_line = self.known.is_some() && self.config.cec.is_some();
        let is_due = self.again.is_none_or(|(at, _)| Instant::now() >= at);
        has_line && self.place.is_none() && is_due
    }

    async fn take_place(&mut self, display: &Connector) -> Option<Place> {
        let node = self.config.cec.as_ref()?;
        let input = display.edid.as_ref().ok().and_then(|edid| edid.cec_address);
        let error = match line::take_place(node, &self.config.name, input).await {
            Ok(place) => {
                self.again = None;
                return Some(place);
            }
            Err(error) => error,
        };
        let wait = match self.again {
            None => {
                warn!(error, "no place on the CEC line");
                AGAIN
            }
            Some((_, wait)) => (wait * 2).min(AGAIN_AT_MOST),
        };
        self.again = Some((Instant::now() + wait, wait));
        None
    }

    fn tell(&self) {
        self.publish.send_if_modified(|state| {
            let log: Vec<_> = self.control.log().lines().copied().collect();
            let (asks, stays_on) = (self.control.asks(), self.control.stays_on());
            let changed = (state.asks, state.stays_on) != (asks, stays_on) || state.log != log;
            (state.asks, state.stays_on) = (asks, stays_on);
            state.log = log;
            changed
        });
    }
}

/// Which display it is; whether it shows something is not part of it.
fn identity(display: Option<&Connector>) -> Option<Connector> {
    let enabled = false;
    display.map(|display| Connector {
        enabled,
        ..display.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::tests::tree;

    #[tokio::test]
    async fn without_cec_and_ddc_people_are_asked() {
        let root = tree();
        std::fs::remove_dir(root.path().join("class/drm/card0-HDMI-A-1/i2c-7")).unwrap();
        let handle = spawn(DisplayConfig::default(), Sysfs::at(root.path()));
        let mut state = handle.state.clone();
        handle
            .commands
            .send(Command::Want(Power::On))
            .await
            .unwrap();
        let asks = state.wait_for(|state| state.asks).await.unwrap();
        assert_eq!(asks.connectors.len(), 2);
        assert_eq!(asks.log.last().unwrap().1, Happened::Asked(Power::On));
        drop(asks);
        handle.commands.send(Command::Confirmed).await.unwrap();
        state.wait_for(|state| !state.asks).await.unwrap();
    }

    #[tokio::test]
    async fn a_line_without_a_place_is_tried_again_and_less_often() {
        let root = tree();
        let (publish, _state) = watch::channel(DisplayState::default());
        let config = DisplayConfig {
            cec: Some(root.path().join("cec0")),
            ..DisplayConfig::default()
        };
        let mut task = Task::new(config, Sysfs::at(root.path()), publish);
        assert!(!task.misses_place());
        task.look().await;
        let (first, wait) = task.again.unwrap();
        assert_eq!(wait, AGAIN);
        assert!(!task.misses_place());
        task.look().await;
        assert_eq!(task.again, Some((first, wait)));
        task.again = Some((Instant::now(), wait));
        assert!(task.misses_place());
        task.look().await;
        assert_eq!(task.again.unwrap().1, AGAIN * 2);
        task.again = Some((Instant::now(), AGAIN_AT_MOST));
        task.look().await;
        assert_eq!(task.again.unwrap().1, AGAIN_AT_MOST);
        // Without the adapter there is nothing to try.
        task.config.cec = None;
        task.again = None;
        assert!(!task.misses_place());
    }

    #[tokio::test]
    async fn a_display_that_is_plugged_in_later_gets_the_wish() {
        let root = tree();
        let status = root.path().join("class/drm/card0-HDMI-A-1/status");
        std::fs::remove_dir(root.path().join("class/drm/card0-HDMI-A-1/i2c-7")).unwrap();
        std::fs::write(&status, "disconnected\n").unwrap();
        let handle = spawn(DisplayConfig::default(), Sysfs::at(root.path()));
        let mut state = handle.state.clone();
        handle
            .commands
            .send(Command::Want(Power::On))
            .await
            .unwrap();
        state.wait_for(|state| !state.log.is_empty()).await.unwrap();
        assert!(!state.borrow().asks);
        std::fs::write(&status, "connected\n").unwrap();
        handle.commands.send(Command::Look).await.unwrap();
        state.wait_for(|state| state.asks).await.unwrap();
    }
}
