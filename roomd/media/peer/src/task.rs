// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The task of a connection: sockets, the clock and the channels around the core.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::task::Poll;
use std::time::{Duration, Instant};

use roomd_conference::{PeerId, PeerState};
use tokio::sync::mpsc;

use crate::core::Core;
use crate::gather::{self, Local};
use crate::moves::{Moves, Next};
use crate::turn::{News, Relays};
use crate::{PeerCommand, PeerConfig, PeerEvent};

/// Commands that may wait for the task.
const COMMANDS: usize = 64;
/// Events that must arrive and may wait for the engine; above, no command is taken.
const MAX_WAITING: usize = 32;
/// Messages of data channels that may wait for the engine; above, they are lost.
const MAX_MESSAGES: usize = 256;
/// Datagrams read at a stretch, so that commands and time get their turn.
const BATCH: usize = 32;
/// How long the last events may wait for the engine.
const FAREWELL: Duration = Duration::from_secs(5);

/// Starts a connection in the running tokio runtime; it ends on [`PeerCommand::Close`], when it
/// failed, or when the sender is dropped. [`PeerEvent::Closed`] is its last event.
///
/// While the event channel is full, frames and figures are dropped; states and wishes for keyframes wait.
pub fn spawn(
    id: PeerId,
    config: PeerConfig,
    events: mpsc::Sender<(PeerId, PeerEvent)>,
) -> mpsc::Sender<PeerCommand> {
    let (sender, commands) = mpsc::channel(COMMANDS);
    tokio::spawn(async move {
        let outlet = events.clone();
        let work =
            tokio::spawn(async move { Task::new(id, &config, outlet).await.run(commands).await });
        if work.await.is_err() {
            // The transport broke on something it was sent; only this connection is lost.
            tracing::error!(peer = id.0, "a connection broke");
            let _ = events.send((id, PeerEvent::State(PeerState::Failed))).await;
            let _ = events.send((id, PeerEvent::Closed)).await;
        }
    });
    sender
}

struct Task {
    id: PeerId,
    core: Core,
    locals: Vec<Local>,
    relays: Relays,
    moves: Moves,
    events: mpsc::Sender<(PeerId, PeerEvent)>,
    waiting: VecDeque<PeerEvent>,
    /// Layers of which the engine did not take the last frame.
    holes: BTreeSet<(String, Option<String>)>,
    lost_events: u64,
    unsent: u64,
    buffer: Vec<u8>,
}

enum Step {
    Command(Option<PeerCommand>),
    Room,
    Arrived,
    Relay(News),
    Moved(Next),
    Time,
}

impl Task {
    async fn new(
        id: PeerId,
        config: &PeerConfig,
        events: mpsc::Sender<(PeerId, PeerEvent)>,
    ) -> Self {
        let mut relays = Relays::new(id, config);
        let addresses = gather::addresses(config);
        let gathering = gather::gather(config, &addresses);
        let (locals, relayed) = tokio::join!(gathering, relays.settle());
        let now = Instant::now();
        let mut core = Core::new(now);
        for local in &locals {
            core.add_local(now, local.address, None);
        }
        for local in &locals {
            for &mapped in &local.mapped {
                core.add_local(now, local.address, Some(mapped));
            }
        }
        for relayed in &relayed {
            core.add_relayed(now, relayed.address, relayed.local);
        }
        if locals.is_empty() {
            tracing::warn!(peer = id.0, "no local address for a connection");
        }
        Self {
            id,
            core,
            locals,
            relays,
            moves: Moves::new(config),
            events,
            waiting: VecDeque::new(),
            holes: BTreeSet::new(),
            lost_events: 0,
            unsent: 0,
            buffer: vec![0; 2048],
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<PeerCommand>) {
        self.flush();
        while !self.core.is_ended() {
            match self.step(&mut commands).await {
                Step::Command(Some(command)) => self.core.handle_command(Instant::now(), command),
                Step::Command(None) => {
                    self.core.handle_command(Instant::now(), PeerCommand::Close);
                    // Nobody listens: what the close put out is sent below, and that is all.
                    self.flush();
                    break;
                }
                Step::Room => {}
                Step::Arrived => self.read(),
                Step::Relay(news) => {
                    self.news(news);
                    self.read();
                }
                Step::Moved(next) => self.follow(next),
                Step::Time => self.core.handle_timeout(Instant::now()),
            }
            self.flush();
        }
        let dropped = self.core.dropped();
        let (events, unsent) = (self.lost_events, self.unsent);
        tracing::debug!(
            peer = self.id.0,
            ?dropped,
            events,
            unsent,
            relays = ?self.relays.report(),
            "a connection ended"
        );
        self.farewell().await;
    }

    async fn step(&mut self, commands: &mut mpsc::Receiver<PeerCommand>) -> Step {
        let wake = self.core.poll_timeout().unwrap_or_else(Instant::now);
        let pressed = self.waiting.len() >= MAX_WAITING;
        tokio::select! {
            biased;
            room = self.events.reserve(), if !self.waiting.is_empty() => {
                match (room, self.waiting.pop_front()) {
                    (Ok(permit), Some(event)) => permit.send((self.id, event)),
                    // The engine is gone; its sender goes too and ends the task.
                    (Err(_), _) => self.waiting.clear(),
                    (Ok(_), None) => {}
                }
                Step::Room
            }
            () = tokio::time::sleep_until(wake.into()) => Step::Time,
            command = commands.recv(), if !pressed => Step::Command(command),
            news = self.relays.recv() => Step::Relay(news),
            next = self.moves.next() => Step::Moved(next),
            () = readable(&self.locals) => Step::Arrived,
        }
    }

    fn read(&mut self) {
        for _ in 0..BATCH {
            let Some(news) = self.relays.try_recv() else {
                break;
            };
            self.news(news);
        }
        for index in 0..self.locals.len() {
            for _ in 0..BATCH {
                let local = &self.locals[index];
                match local.socket.try_recv_from(&mut self.buffer) {
                    Ok((len, source)) => {
                        let address = local.address;
                        let datagram = &self.buffer[..len];
                        self.core
                            .handle_datagram(Instant::now(), source, address, datagram);
                        self.transmit();
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    // An ICMP answer to something sent; ICE finds out by itself.
                    Err(_) => {}
                }
            }
        }
    }

    fn news(&mut self, news: News) {
        let now = Instant::now();
        match news {
            News::Relayed(relayed) => {
                self.core.add_relayed(now, relayed.address, relayed.local);
            }
            News::Again(relayed) => {
                self.core.add_relayed(now, relayed.address, relayed.local);
                self.moves.returned(now);
            }
            News::Gone(address) => self.core.remove_relayed(now, address),
            News::Datagram(datagram) => self.core.handle_datagram(
                now,
                datagram.source,
                datagram.destination,
                &datagram.contents,
            ),
        }
        self.transmit();
    }

    /// Goes on with a change of the machine's addresses.
    fn follow(&mut self, next: Next) {
        let now = Instant::now();
        if let Next::Look = next {
            self.moves.look(now, &self.locals);
        }
        if let Next::Found(found) = next {
            if !self.moves.replace(now, &mut self.locals, found) {
                return;
            }
            let mut addresses = Vec::new();
            for local in &self.locals {
                addresses.push((local.address, None));
                let mapped = local.mapped.iter();
                addresses.extend(mapped.map(|&mapped| (local.address, Some(mapped))));
            }
            self.core.replace_locals(now, &addresses);
            let own: Vec<IpAddr> = self.locals.iter().map(|local| local.address.ip()).collect();
            self.relays.moved(&own);
            tracing::info!(peer = self.id.0, "a connection has other addresses");
        }
        if self.moves.settled(now, self.relays.is_settling()) {
            self.tell(PeerEvent::AddressesChanged);
        }
    }

    fn flush(&mut self) {
        self.transmit();
        while let Some(mut event) = self.core.poll_event() {
            if let PeerEvent::Report(report) = &mut event {
                report.relays = self.relays.report();
            }
            if matches!(event, PeerEvent::State(PeerState::Interrupted)) {
                self.relays.probe();
            }
            self.tell(event);
        }
    }

    fn lose(&mut self, event: PeerEvent) {
        self.lost_events += 1;
        if let PeerEvent::Frame { mid, frame } = event {
            self.holes.insert((mid, frame.rid));
        }
    }

    fn tell(&mut self, mut event: PeerEvent) {
        if let PeerEvent::Frame { mid, frame } = &mut event {
            // What the engine did not take is missing before this one.
            let layer = (mid.clone(), frame.rid.clone());
            frame.contiguous &= !self.holes.remove(&layer);
        }
        let must_arrive = match &event {
            PeerEvent::LocalDescription { .. }
            | PeerEvent::LocalParameters(_)
            | PeerEvent::Line(_)
            | PeerEvent::DescriptionRefused(_)
            | PeerEvent::State(_)
            | PeerEvent::ChannelOpen { .. }
            | PeerEvent::ChannelClosed { .. }
            | PeerEvent::AddressesChanged
            | PeerEvent::Closed => true,
            PeerEvent::Message { .. } => self.waiting.len() < MAX_MESSAGES,
            // Not every peer asks again soon; what many ask for must not keep commands out.
            PeerEvent::KeyframeWanted { .. } => self.waiting.len() < MAX_WAITING / 2,
            PeerEvent::Frame { .. }
            | PeerEvent::SenderReport { .. }
            | PeerEvent::Bandwidth(_)
            | PeerEvent::Report(_) => false,
        };
        // Behind one that waits nothing may overtake.
        if self.waiting.is_empty() {
            match self.events.try_send((self.id, event)) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full((_, event))) if must_arrive => {
                    self.waiting.push_back(event);
                }
                Err(mpsc::error::TrySendError::Full((_, event))) => self.lose(event),
                Err(mpsc::error::TrySendError::Closed(_)) => self.lost_events += 1,
            }
        } else if must_arrive {
            self.waiting.push_back(event);
        } else {
            self.lose(event);
        }
    }

    fn transmit(&mut self) {
        while let Some(transmit) = self.core.poll_transmit() {
            let local = self
                .locals
                .iter()
                .find(|local| local.address == transmit.source);
            let sent = if let Some(local) = local {
                let sent = local
                    .socket
                    .try_send_to(&transmit.contents, transmit.destination);
                if let Err(error) = &sent {
                    self.moves.failed(Instant::now(), error);
                }
                sent.is_ok()
            } else {
                self.relays
                    .send(transmit.source, transmit.destination, transmit.contents)
            };
            if !sent {
                self.unsent += 1;
            }
        }
    }

    async fn farewell(mut self) {
        if self
            .waiting
            .back()
            .is_none_or(|event| !matches!(event, PeerEvent::Closed))
            && !self.core.is_ended()
        {
            self.waiting.push_back(PeerEvent::Closed);
        }
        let deadline = tokio::time::Instant::now() + FAREWELL;
        while let Some(event) = self.waiting.pop_front() {
            let sent = self.events.send((self.id, event));
            if !matches!(tokio::time::timeout_at(deadline, sent).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// Waits until one of the sockets has something to read.
async fn readable(locals: &[Local]) {
    std::future::poll_fn(|context| {
        let ready = locals
            .iter()
            .any(|local| local.socket.poll_recv_ready(context).is_ready());
        if ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
