// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A display of the room: what is plugged in, and its power.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use roomd_devices_core::display::cec::{Message, Outcome, Place};
use roomd_devices_core::display::lines::{self, Socket, Whose};
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
    /// The connector of another display of the room, which is this one only while no other is plugged in.
    pub apart: Option<String>,
    /// The CEC adapter, such as `/dev/cec0`; when none, the one whose line is the display's.
    pub cec: Option<PathBuf>,
    /// The CEC adapter of another display, whatever it says of itself.
    pub taken: Option<PathBuf>,
    /// Whether only a line that is the display's for certain is spoken on.
    pub strict: bool,
    /// What the display shows as the room's name, up to 14 letters.
    pub name: String,
    /// What displays do differently.
    pub quirks: QuirkTable,
}

/// A CEC adapter of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CecAdapter {
    /// Its node, such as `/dev/cec0`.
    pub node: PathBuf,
    /// Its path below `/sys`.
    pub path: String,
    /// How often it came. One that came again has forgotten the room's place on the line.
    pub arrivals: u64,
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
    /// The connector of the display, also while it looks unplugged.
    pub display: Option<String>,
    /// Whether there is any way to speak to it.
    pub reaches: bool,
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

/// Begins to look after a display, which need not be there, on a machine with these adapters. The task
/// ends with the last handle.
#[must_use]
pub fn spawn(
    config: DisplayConfig,
    adapters: watch::Receiver<Vec<CecAdapter>>,
    sysfs: Sysfs,
) -> DisplayHandle {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let (publish, state) = watch::channel(DisplayState::default());
    let task = Task::new(config, adapters, sysfs, publish);
    tokio::spawn(task.run(receiver));
    DisplayHandle { commands, state }
}

/// The adapter to the display, since it came for this time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    node: PathBuf,
    arrivals: u64,
}

struct Task {
    config: DisplayConfig,
    adapters: watch::Receiver<Vec<CecAdapter>>,
    sysfs: Sysfs,
    publish: watch::Sender<DisplayState>,
    control: PowerControl,
    wanted: Option<Power>,
    /// The display that the control was told of.
    known: Option<Connector>,
    /// The display that was seen last.
    last: Option<Connector>,
    /// The adapters among which the line was chosen.
    seen: Option<Vec<CecAdapter>>,
    line: Option<Line>,
    place: Option<Place>,
    /// When a place is tried for again, and how long that wait was.
    again: Option<(Instant, Duration)>,
    bus: Option<PathBuf>,
}

impl Task {
    fn new(
        config: DisplayConfig,
        adapters: watch::Receiver<Vec<CecAdapter>>,
        sysfs: Sysfs,
        publish: watch::Sender<DisplayState>,
    ) -> Self {
        Self {
            config,
            adapters,
            sysfs,
            publish,
            control: PowerControl::default(),
            wanted: None,
            known: None,
            last: None,
            seen: None,
            line: None,
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
                        self.want(power).await;
                        continue;
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
                Ok(()) = self.adapters.changed() => {
                    self.again = None;
                    self.look().await;
                    continue;
                }
                _ = look.tick() => {
                    self.look().await;
                    continue;
                }
                () = due => self.control.handle_timeout(Instant::now()),
            };
            self.act(effects).await;
        }
    }

    async fn want(&mut self, power: Power) {
        self.wanted = Some(power);
        self.wake_unplugged(power).await;
        let effects = self.handle(Input::Want(power));
        self.act(effects).await;
    }

    /// Some displays look unplugged while they sleep, and hear all the same.
    async fn wake_unplugged(&self, power: Power) {
        if let (Power::On, None, Some(line)) = (power, &self.known, &self.line) {
            let outcome = line::say(&line.node, Place::NONE, Message::ImageViewOn).await;
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
                    let outcome = match (&self.line, self.place) {
                        (Some(line), Some(place)) => line::say(&line.node, place, message).await,
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
                Effect::Show(input) => {
                    let taken = match &self.bus {
                        Some(bus) => line::show(bus, input).await,
                        None => false,
                    };
                    Input::Shown(taken)
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
        let display = self.find(&connectors).cloned();
        if display.is_some() {
            self.last.clone_from(&display);
        }
        let is_new = identity(display.as_ref()) != identity(self.known.as_ref());
        let differs = self.follow_line(&connectors, is_new).await || is_new;
        self.tell_plugged(connectors, display.as_ref());
        let begins_anew = differs && !is_new && self.line.is_some();
        if begins_anew {
            // What was tried on another line says nothing about this one.
            self.control = PowerControl::default();
        }
        if !differs && !self.misses_place() {
            return;
        }
        self.known = display;
        let input = match self.known.clone() {
            Some(display) => {
                self.bus.clone_from(&display.bus);
                if differs {
                    self.again = None;
                }
                self.place = self.take_place(&display).await;
                if !differs && self.place.is_none() {
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
        if let (true, Some(power)) = (begins_anew, self.wanted) {
            self.want(power).await;
        }
    }

    /// The display that this is about, if it is plugged in.
    fn find<'a>(&self, connectors: &'a [Connector]) -> Option<&'a Connector> {
        let mut plugged = connectors.iter().filter(|it| it.connected);
        if let Some(name) = &self.config.connector {
            return plugged.find(|it| it.name == *name);
        }
        // One that sleeps may look unplugged. Another one, such as the panel's, does not take its place then.
        if let (Some(Power::Standby), Some(last)) = (self.wanted, &self.last) {
            return plugged.find(|it| is_same_place(it, last));
        }
        let apart = self.config.apart.as_ref();
        let first = plugged.clone().find(|it| Some(&it.name) != apart);
        first.or_else(|| plugged.next())
    }

    /// Chooses the line to the display again where something changed; returns whether it is another one, or
    /// one that came again.
    async fn follow_line(&mut self, connectors: &[Connector], is_new: bool) -> bool {
        let adapters = self.adapters.borrow_and_update().clone();
        if !is_new && self.seen.as_ref() == Some(&adapters) {
            return false;
        }
        let line = self.choose(&adapters, connectors).await;
        self.seen = Some(adapters);
        let differs = self.line != line;
        self.line = line;
        differs
    }

    async fn choose(&self, adapters: &[CecAdapter], connectors: &[Connector]) -> Option<Line> {
        if let Some(node) = &self.config.cec {
            return Some(self.configured(node, adapters));
        }
        let at = self.place_of(connectors);
        let plugged = at.and_then(|at| connectors.get(at));
        let is_plugged = plugged.is_some_and(|it| it.connected);
        // What a display says of its input is not known while it looks unplugged.
        let kept = self.line.as_ref().filter(|_| !is_plugged);
        if let Some(line) = kept.filter(|line| adapters.iter().any(|it| line.is(it))) {
            return Some(line.clone());
        }
        let free = |it: &&CecAdapter| self.config.taken.as_ref() != Some(&it.node);
        let adapters: Vec<&CecAdapter> = adapters.iter().filter(free).collect();
        let whose = match (self.config.strict, at) {
            (true, at) => Whose::Only(at?),
            (false, at) => {
                let apart = self.config.apart.as_ref();
                let apart = connectors.iter().position(|it| Some(&it.name) == apart);
                Whose::First { at, apart }
            }
        };
        let mut known = Vec::new();
        for adapter in &adapters {
            let captures = self.sysfs.captures(&adapter.path);
            known.push(line::whose(&adapter.node, captures).await);
        }
        let sockets: Vec<Socket> = connectors.iter().map(socket).collect();
        let found = adapters.get(lines::find(&known, &sockets, whose)?)?;
        Some(Line {
            node: found.node.clone(),
            arrivals: found.arrivals,
        })
    }

    /// The line that the configuration names. One that is gone has not come again.
    fn configured(&self, node: &Path, adapters: &[CecAdapter]) -> Line {
        let found = adapters.iter().find(|it| it.node == node);
        let before = self.line.as_ref().map_or(0, |line| line.arrivals);
        Line {
            node: node.to_owned(),
            arrivals: found.map_or(before, |it| it.arrivals),
        }
    }

    /// The display's place in the list, also while it looks unplugged.
    fn place_of(&self, connectors: &[Connector]) -> Option<usize> {
        let named = self.config.connector.as_ref();
        let is = |it: &Connector| match &self.last {
            Some(last) => is_same_place(it, last),
            None => Some(&it.name) == named,
        };
        connectors.iter().position(is)
    }

    /// Whether it is time to try again for a place on the CEC line. A line may be busy, a display that
    /// wakes has no place for anybody yet, and an adapter may come late.
    fn misses_place(&self) -> bool {
        let has_line = self.known.is_some() && self.line.is_some();
        let is_due = self.again.is_none_or(|(at, _)| Instant::now() >= at);
        has_line && self.place.is_none() && is_due
    }

    async fn take_place(&mut self, display: &Connector) -> Option<Place> {
        let node = &self.line.as_ref()?.node;
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

    fn tell_plugged(&self, connectors: Vec<Connector>, display: Option<&Connector>) {
        let name = display.or(self.last.as_ref()).map(|it| &it.name);
        let name = name.or(self.config.connector.as_ref()).cloned();
        let has_bus = display.is_some_and(|display| display.bus.is_some());
        let reaches = self.line.is_some() || has_bus;
        self.publish.send_if_modified(|state| {
            let changed = state.connectors != connectors
                || (&state.display, state.reaches) != (&name, reaches);
            state.connectors = connectors;
            (state.display, state.reaches) = (name, reaches);
            changed
        });
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

impl Line {
    fn is(&self, adapter: &CecAdapter) -> bool {
        (&self.node, self.arrivals) == (&adapter.node, adapter.arrivals)
    }
}

fn is_same_place(one: &Connector, other: &Connector) -> bool {
    (&one.card, &one.name) == (&other.card, &other.name)
}

/// What tells whose line it is at.
fn socket(connector: &Connector) -> Socket {
    let card = connector.card.strip_prefix("card");
    let edid = connector.edid.as_ref().ok();
    Socket {
        card: card.and_then(|number| number.parse().ok()),
        number: connector.number,
        input: edid.and_then(|edid| edid.cec_address),
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
mod tests;
