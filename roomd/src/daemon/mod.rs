// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room task: the one place where calendar, session, media engine, panel and operators meet.
//!
//! It decides nothing. It feeds the room machine, does what the machine says, and publishes what it
//! shows.

mod effects;
mod intents;
mod news;
mod publish;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::Utc;
use roomd_api::{Devices, Reply, State};
use roomd_conference::{ChannelEvent, ChannelId, Command, Ended, Event, Output};
use roomd_config::Settings;
use roomd_driver::calendar;
use roomd_driver::channels::{self, Channels};
use roomd_driver::session::SessionHandle;
use roomd_interfaces::pairing::Desk;
use roomd_interfaces::web::{Reloader, WebError};
use roomd_interfaces::{GuestEvent, RoomOwner};
use roomd_media::{ContentPicture, Engine, EngineEvent, EngineStatistics};
use roomd_model::{Fault, FaultCode, Now, ParticipantId, StreamId};
use roomd_room::{Input, Platforms, Room, SessionId};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::display::OnDisplay;
use crate::guests::Guests;
use crate::hardware::{Hardware, HardwareState, Outlets};
use crate::process::{Meter, Usage};
use crate::store::Store;
use crate::{account, service};

/// Longest farewell: after it the daemon ends whatever a platform does.
const FAREWELL: Duration = Duration::from_secs(7);

/// Everything the room task owns.
#[derive(Debug)]
pub struct Daemon {
    /// The configuration in use.
    pub settings: Settings,
    /// Where it was read from.
    pub config_path: PathBuf,
    /// The room machine.
    pub room: Room,
    /// The platforms.
    pub platforms: Platforms,
    /// The guests' channels.
    pub guests: Guests,
    /// The meeting under way.
    pub session: Option<Active>,
    /// Where the channels of sessions lead.
    pub channels: channels::Settings,
    /// The last meeting's farewells to its servers.
    pub farewells: JoinSet<()>,
    /// The media engine.
    pub engine: Engine,
    /// The devices.
    pub hardware: Hardware,
    /// How the devices are.
    pub hardware_state: HardwareState,
    /// The calendar.
    pub calendar: calendar::Handle,
    /// What the calendar read last.
    pub calendar_state: watch::Receiver<calendar::CalendarState>,
    /// Pairing of panels.
    pub desk: Desk,
    /// The interfaces' other side.
    pub owner: RoomOwner,
    /// Reads the administration's certificate again.
    pub certificate: Reloader,
    /// The meeting on disk.
    pub store: Store,
    /// What was measured of the process.
    pub meter: Meter,
    /// What the process uses.
    pub usage: Usage,
    /// What the engine measured.
    pub figures: EngineStatistics,
    /// What the engine works with.
    pub devices: Devices,
    /// What the engine's source of content gives.
    pub content: ContentPicture,
    /// The same, as the engine said it last.
    pub report: roomd_media::DeviceReport,
    /// Devices that the engine misses.
    pub lost: BTreeSet<FaultCode>,
    /// Faults of the parts that the room machine does not know.
    pub faults: BTreeMap<FaultCode, Fault>,
    /// Who sends which stream, for levels.
    pub senders: BTreeMap<StreamId, ParticipantId>,
    /// What the displays show.
    pub shown: OnDisplay,
    /// Messages that did not parse in meetings before this one.
    pub bad_messages: u64,
    /// Who waits for the answer to an invitation that is about to be written.
    pub answering: Option<oneshot::Sender<Reply>>,
    /// The state that was published last.
    pub published: Arc<State>,
}

/// The meeting under way.
#[derive(Debug)]
pub struct Active {
    /// Its name towards the room machine.
    pub id: SessionId,
    /// The way to its driver.
    pub handle: SessionHandle,
    /// What it wants.
    pub outputs: mpsc::Receiver<Output>,
    /// What it opened itself.
    pub channels: Channels,
    /// It said so, or fell silent.
    pub ended: bool,
}

/// What reaches the room task from outside.
#[derive(Debug)]
pub struct Inlets {
    /// The engine's news.
    pub engine: mpsc::Receiver<EngineEvent>,
    /// The engine's figures.
    pub figures: watch::Receiver<EngineStatistics>,
    /// What the displays show.
    pub shown: watch::Receiver<OnDisplay>,
    /// What the room's Matrix account is doing, where it has one.
    pub account: Option<watch::Receiver<roomd_matrix::State>>,
    /// How the devices are, and what people do at them.
    pub hardware: Outlets,
    /// The guests' channels.
    pub guests: mpsc::Receiver<GuestEvent>,
    /// The server of panel and guests; it ends with the daemon, and not before.
    pub serving: JoinHandle<Result<(), WebError>>,
}

/// Both clocks, now.
pub fn now() -> Now {
    Now {
        mono: Instant::now(),
        utc: Utc::now(),
    }
}

impl Daemon {
    /// Runs until the daemon is told to end.
    pub async fn run(mut self, inlets: &mut Inlets) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let period = service::watchdog_period().unwrap_or(Duration::from_secs(3600));
        let mut watchdog = tokio::time::interval(period);
        // A room that is up for months must not serve a certificate that has expired.
        let mut hour = tokio::time::interval(Duration::from_secs(3600));
        hour.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pairing = self.desk.shown();
        self.settle().await;
        service::ready();
        loop {
            let timer = sleep_until(self.room.poll_timeout().map(|(at, _)| at));
            tokio::select! {
                Some(intent) = self.owner.intents.recv() => self.intent(intent),
                Some(reply) = self.owner.snapshots.recv() => self.snapshot(reply),
                Some(request) = self.owner.previews.recv() => self.hardware.look(request),
                Some(event) = inlets.guests.recv() => self.guest(event),
                event = inlets.engine.recv() => {
                    // systemd starts the daemon again, and the room rejoins.
                    self.engine_event(event.context("the media engine ended")?);
                }
                (id, output) = session_output(&mut self.session) => {
                    self.session_output(id, output).await;
                }
                served = &mut inlets.serving => {
                    served.context("the server of panel and guests failed")??;
                    bail!("the server of panel and guests ended");
                }
                Ok(()) = self.calendar_state.changed() => self.calendar_changed(),
                Ok(()) = pairing.changed() => { pairing.mark_unchanged(); }
                Ok(()) = inlets.figures.changed() => {
                    self.figures = inlets.figures.borrow_and_update().clone();
                }
                Ok(()) = inlets.shown.changed() => {
                    self.shown = inlets.shown.borrow_and_update().clone();
                    let shown = self.shown.clone();
                    self.tell_shown(shown);
                }
                state = account::changed(&mut inlets.account) => self.account_changed(state),
                Ok(()) = inlets.hardware.state.changed() => {
                    let state = inlets.hardware.state.borrow_and_update().clone();
                    self.hardware_changed(state);
                }
                Some(touch) = inlets.hardware.touches.recv() => self.touch(touch),
                () = timer => self.feed(Input::Timeout),
                _ = second.tick() => self.usage = self.meter.look(Instant::now()),
                _ = watchdog.tick() => service::alive(),
                _ = hour.tick() => self.renew_certificate(),
                Some(()) = hang_up.recv() => self.reload().await,
                () = either(&mut terminate, &mut interrupt) => break,
            }
            self.settle().await;
        }
        self.end(inlets).await;
        Ok(())
    }

    /// Leaves in an orderly way, within the bound.
    async fn end(&mut self, inlets: &mut Inlets) {
        tracing::info!("ending");
        service::stopping();
        let deadline = tokio::time::Instant::now() + FAREWELL;
        self.feed(Input::Shutdown);
        let mut finished = self.settle().await;
        while !finished {
            let timer = sleep_until(self.room.poll_timeout().map(|(at, _)| at));
            tokio::select! {
                (id, output) = session_output(&mut self.session) => {
                    self.session_output(id, output).await;
                }
                Some(event) = inlets.engine.recv() => self.engine_event(event),
                Some(event) = inlets.guests.recv() => self.guest(event),
                () = timer => self.feed(Input::Timeout),
                () = tokio::time::sleep_until(deadline) => break,
            }
            finished = self.settle().await;
        }
        let farewells = std::mem::take(&mut self.farewells).join_all();
        let _ = tokio::time::timeout_at(deadline, farewells).await;
        self.engine.shutdown().await;
    }

    /// Does what the room machine wants, then publishes. True when the machine has finished.
    async fn settle(&mut self) -> bool {
        let mut finished = false;
        while let Some(output) = self.room.poll_output() {
            finished |= self.effect(output).await;
        }
        self.publish();
        finished
    }

    fn guest(&mut self, event: GuestEvent) {
        let mut guests = std::mem::take(&mut self.guests);
        let inputs = guests.take(event, &self.settings.room.name, |id| self.expects(id));
        self.guests = guests;
        self.feed_session(inputs);
    }

    fn feed_session(&mut self, inputs: Vec<(ChannelId, ChannelEvent)>) {
        let Some(active) = &self.session else { return };
        for (channel, event) in inputs {
            let gone = matches!(event, ChannelEvent::Closed);
            let Err(error) = active.handle.channel(channel, event) else {
                continue;
            };
            tracing::debug!(%error, "a guest's channel is dropped");
            if gone {
                // A flood of others must not keep a guest who left in the meeting.
                let handle = active.handle.clone();
                tokio::spawn(async move {
                    handle
                        .channel_when_free(channel, ChannelEvent::Closed)
                        .await
                });
            } else {
                self.guests.stop(channel);
            }
        }
    }

    fn account_changed(&mut self, state: roomd_matrix::State) {
        let fault = account::fault(state);
        let codes = [
            FaultCode::AccountUnreachable,
            FaultCode::AccountRefused,
            FaultCode::AccountUnverified,
        ];
        for code in codes {
            self.raise(code, fault == Some(code));
        }
    }

    fn hardware_changed(&mut self, state: HardwareState) {
        let shares = state.shares != self.hardware_state.shares;
        self.hardware_state = state;
        self.raise(FaultCode::ContentLost, self.hardware_state.content_lost);
        if shares {
            // What was asked for in another call is not shared in this one.
            let call = self.session.as_ref().map(|active| active.id.0);
            let on = call.is_some() && self.hardware_state.shares == call;
            self.feed(Input::Content(on));
        }
    }

    fn tell_shown(&self, shown: OnDisplay) {
        if let Some(active) = &self.session {
            let command = Command::Shown(shown.into_iter().collect());
            if let Err(error) = active.handle.command(command) {
                tracing::debug!(%error, "the session does not learn what is shown");
            }
        }
    }

    fn raise(&mut self, code: FaultCode, active: bool) {
        if active {
            self.faults.entry(code).or_insert_with(|| Fault::new(code));
        } else {
            self.faults.remove(&code);
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// The session's next output; a driver that ended without a word has lost the meeting.
async fn session_output(session: &mut Option<Active>) -> (SessionId, Output) {
    let Some(active) = session.as_mut().filter(|active| !active.ended) else {
        return std::future::pending().await;
    };
    let output =
        active.outputs.recv().await.unwrap_or_else(|| {
            Output::Event(Event::Ended(Ended::Failed(FaultCode::ConnectionLost)))
        });
    active.ended = matches!(output, Output::Event(Event::Ended(_)));
    (active.id, output)
}
