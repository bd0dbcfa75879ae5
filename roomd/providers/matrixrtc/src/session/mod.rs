// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One meeting, as a state machine.
//!
//! In order: the account joins the Matrix room, or knocks; the homeserver's media server is asked for
//! a token while the membership is announced; keys are told to everybody whose membership is seen.
//! From then on memberships, media servers and keys each go their own way and come back alone: the
//! homeserver may be gone while media flows, and the other way round.

mod account;
mod door;
mod doubts;
mod enter;
mod key_exchange;
mod keys;
mod media;
mod people;
mod servers;
mod stay;
mod talk;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Ended, Event, Input, Output, Session,
};
use roomd_livekit::Ids;
use roomd_matrix_port::{
    Ask, Call, EventId, JoinedRoom, Knocking, Me, OpenIdToken, Recipient, Reply, RoomId, UserId,
};
use roomd_model::{E2ee, FaultCode, Now, Participant, ParticipantId, Pii, Secret, StreamId};
use serde_json::Value;
use url::Url;

use crate::link::Target;
use crate::members::Member;
use crate::random::Random;
use account::{Account, Purpose};
use doubts::Doubts;
use keys::Keys;
use people::{Mode, People};
use servers::Servers;
use stay::Stay;

/// How long the last words may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// What a session is made with.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Where the link leads; none when it names no room.
    pub(crate) target: Option<Target>,
    pub(crate) password: Option<Secret>,
    /// A password belongs to the link, also where it is not known.
    pub(crate) protected: bool,
    /// Links of this kind may carry a password, and people pass them on without it.
    pub(crate) takes_password: bool,
    pub(crate) encryption_required: bool,
    pub(crate) room_name: Pii<String>,
}

/// One meeting.
#[derive(Debug)]
pub(crate) struct MatrixRtcSession {
    setup: Setup,
    ids: Ids,
    random: Random,
    outputs: VecDeque<Output>,
    account: Account,
    stage: Stage,
    me: Option<Me>,
    room: Option<JoinedRoom>,
    mode: Option<Mode>,
    transport: Option<Pii<Url>>,
    open_id: Option<(OpenIdToken, Instant)>,
    stay: Option<Stay>,
    members: Vec<Member>,
    knocking: BTreeMap<ParticipantId, (UserId, Participant)>,
    servers: Servers,
    keys: Keys,
    doubts: Doubts,
    people: People,
    /// What is asked again, and when.
    again: Vec<(Instant, Again)>,
    /// Microphone and camera.
    sending: (bool, bool),
    /// The room shows something.
    content: bool,
    /// Lines of the pictures on the displays.
    shown: BTreeMap<StreamId, u32>,
    hand: Hand,
    /// Hands of before were asked for.
    hands_asked: bool,
    chats: u32,
    /// The server's clock minus ours, in milliseconds.
    clock: i64,
    /// When the membership was last asked for, in milliseconds of our clock; none once the clocks were
    /// compared by it.
    announced_at: Option<u64>,
    /// The last snapshot of the call.
    call: Option<Call>,
    /// When the first of its memberships expires.
    expires: Option<Instant>,
    /// Memberships in it that could not be read.
    unreadable: u64,
    /// Keys that came before the room of the call was known.
    early: Vec<(Recipient, Pii<Value>)>,
    bad: u64,
    told: Told,
}

/// What is asked again after a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Again {
    Hand,
    Join,
    Transports,
    OpenId,
    /// Whether a password that was entered opens anything.
    Doubt,
    /// Our key of this number, told to devices that were not reached.
    Key {
        index: u8,
        attempt: u32,
        to: Vec<Recipient>,
    },
}

/// The room's raised hand.
#[derive(Debug, Default)]
struct Hand {
    wanted: bool,
    /// It is on its way up.
    asked: bool,
    /// The event that raises it.
    event: Option<EventId>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// On the way into the Matrix room.
    Entering,
    /// Before its door.
    Knocking(RoomId),
    /// In the Matrix room; a password is needed for the call.
    Password,
    /// In the Matrix room, on the way into the call or in it.
    Inside,
    /// Saying goodbye.
    Leaving {
        until: Instant,
    },
    Ended,
}

impl Stage {
    /// When the goodbye ends.
    const fn ends(&self) -> Option<Instant> {
        match self {
            Self::Leaving { until } => Some(*until),
            Self::Entering | Self::Knocking(_) | Self::Password | Self::Inside | Self::Ended => {
                None
            }
        }
    }

    /// The room before whose door it is.
    const fn knocked(&self) -> Option<&RoomId> {
        match self {
            Self::Knocking(room) => Some(room),
            Self::Entering | Self::Password | Self::Inside | Self::Leaving { .. } | Self::Ended => {
                None
            }
        }
    }
}

/// What the room was told last, so that it hears of changes only.
#[derive(Debug, Default)]
struct Told {
    joined: bool,
    reconnecting: bool,
    participants: Vec<Participant>,
    waiting: Vec<Participant>,
    e2ee: E2ee,
    /// Said once in the meeting.
    warnings: Vec<FaultCode>,
    /// The password opens nothing, and another one is asked for.
    wrong_password: bool,
    /// The others have a password, and it is asked for.
    password_missing: bool,
}

impl MatrixRtcSession {
    pub(crate) fn new(setup: Setup, seed: [u8; 32], streams: Arc<AtomicU32>) -> Self {
        let mut session = Self {
            setup,
            ids: Ids::new(streams),
            random: Random::new(seed),
            outputs: VecDeque::new(),
            account: Account::default(),
            stage: Stage::Entering,
            me: None,
            room: None,
            mode: None,
            transport: None,
            open_id: None,
            stay: None,
            members: Vec::new(),
            knocking: BTreeMap::new(),
            servers: Servers::default(),
            keys: Keys::default(),
            doubts: Doubts::default(),
            people: People::default(),
            again: Vec::new(),
            sending: (false, false),
            content: false,
            shown: BTreeMap::new(),
            hand: Hand::default(),
            hands_asked: false,
            chats: 0,
            clock: 0,
            announced_at: None,
            call: None,
            expires: None,
            unreadable: 0,
            early: Vec::new(),
            bad: 0,
            told: Told::default(),
        };
        if session.setup.target.is_some() {
            session.open_account();
        } else {
            session.end(Ended::Failed(FaultCode::LinkBroken));
        }
        session
    }

    fn open_account(&mut self) {
        let (channel, open) = self.account.open(&self.ids);
        self.outputs.push_back(Output::Channel(channel, open));
    }
}

impl Session for MatrixRtcSession {
    fn handle(&mut self, input: Input, now: Now) {
        if self.stage == Stage::Ended {
            return;
        }
        match input {
            Input::Command(command) => self.command(command, now),
            Input::Channel(channel, event) => self.channel(channel, event, now),
            Input::Media(event) => self.media(&event, now),
            Input::Timeout => self.expire(now),
        }
        if self.stage != Stage::Ended {
            self.drive(now);
        }
        if self.stage != Stage::Ended {
            self.tell();
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        if self.stage == Stage::Ended {
            return None;
        }
        let leaving = self.stage.ends().map(|until| (until, "goodbye"));
        let account = self.account.again().map(|at| (at, "account"));
        let again = self.again.iter().map(|(at, _)| (*at, "again"));
        let stay = self.stay.as_ref().and_then(Stay::poll);
        let keys = self.keys.due().map(|at| (at, "key"));
        let servers = self.servers.all.iter();
        let servers = servers.flat_map(|server| {
            let connection = match &server.state {
                servers::State::Connected { connection, .. } => connection.poll_timeout(),
                servers::State::Waiting | servers::State::Asking(_) | servers::State::Shared(_) => {
                    None
                }
            };
            // Without a token of the homeserver's, its answer is what is waited for.
            let due = server.due.filter(|_| self.open_id.is_some());
            let due = due.map(|at| (at, "media server"));
            [connection, due].into_iter().flatten()
        });
        let stay = stay.map(|at| (at, "membership"));
        let shown = self.people.reactions_due().map(|at| (at, "reaction"));
        let expires = self.expires.filter(|_| self.stage == Stage::Inside);
        let expires = expires.map(|at| (at, "membership of another"));
        let doubts = self.doubts.due().filter(|_| self.stage == Stage::Inside);
        let doubts = doubts.map(|at| (at, "key that opens"));
        let singles = [leaving, account, stay, keys, shown, expires, doubts];
        let singles = singles.into_iter().flatten();
        singles.chain(again).chain(servers).min()
    }

    fn bad_messages(&self) -> u64 {
        let servers = self.servers.all.iter();
        let connections = servers.map(|server| match &server.state {
            servers::State::Connected { connection, .. } => connection.bad_messages(),
            servers::State::Waiting | servers::State::Asking(_) | servers::State::Shared(_) => 0,
        });
        self.bad + connections.sum::<u64>()
    }
}

impl MatrixRtcSession {
    fn command(&mut self, command: Command, now: Now) {
        match command {
            Command::Admit(id) => self.admit(&id, true),
            Command::Deny(id) => self.admit(&id, false),
            Command::Remove(id) => self.remove(&id),
            Command::Sending { microphone, camera } => self.send(microphone, camera, now),
            Command::Content(on) => self.show(on, now),
            Command::Hand(raised) => self.raise(raised),
            Command::Chat(text) => self.write(text),
            Command::Password(password) => self.password(password, now),
            // What is shown says more.
            Command::WantedHeight(_) => {}
            Command::Shown(shown) => {
                self.shown = shown.into_iter().collect();
                self.want_pictures();
            }
            Command::Leave { returning } => self.leave(returning, now),
        }
    }

    fn channel(&mut self, id: ChannelId, event: ChannelEvent, now: Now) {
        if self.account.is(id) {
            return self.account_event(event, now);
        }
        if let Some(index) = self.servers.asking(id) {
            return self.granted(index, &event, now);
        }
        for index in 0..self.servers.all.len() {
            let server = &mut self.servers.all[index];
            let mine = server
                .connection()
                .is_some_and(|connection| connection.handle_channel(id, &event, now));
            if mine {
                return;
            }
        }
    }

    fn account_event(&mut self, event: ChannelEvent, now: Now) {
        match event {
            ChannelEvent::Opened => {}
            ChannelEvent::Text(text) => match Reply::from_text(text.expose()) {
                Ok(Reply::Answer { id, result }) => match self.account.answered(id) {
                    Some(purpose) => self.answer(purpose, result, now),
                    None => self.bad += 1,
                },
                Ok(Reply::News(news)) => self.news(news, now),
                Err(_) => self.bad += 1,
            },
            ChannelEvent::Refused(_) => self.end(Ended::Failed(FaultCode::AccountRefused)),
            ChannelEvent::Closed => {
                let lost = self.account.closed(now.mono);
                self.hand.asked = false;
                if lost.contains(&Purpose::Chat) {
                    self.event(Event::Fault(FaultCode::MessageNotSent));
                }
                for purpose in lost {
                    if let Purpose::Lower(event) = purpose {
                        self.still_raised(event, false, now);
                    }
                }
            }
            ChannelEvent::Binary(_) | ChannelEvent::Response { .. } => self.bad += 1,
        }
    }

    fn expire(&mut self, now: Now) {
        if matches!(self.stage, Stage::Leaving { until } if until <= now.mono) {
            return self.end(Ended::Left);
        }
        if self.account.again().is_some_and(|at| at <= now.mono) {
            self.open_account();
        }
        self.people.reactions_expire(now.mono);
        if self.stage == Stage::Inside && self.expires.is_some_and(|at| at <= now.mono) {
            self.expires = None;
            self.look_again(now);
        }
        for connection in self.servers.connections() {
            connection.handle_timeout(now);
        }
    }

    /// Does what has become due or possible.
    fn drive(&mut self, now: Now) {
        let (due, later) = std::mem::take(&mut self.again)
            .into_iter()
            .partition(|(at, _)| *at <= now.mono);
        self.again = later;
        let due: Vec<(Instant, Again)> = due;
        for (_, again) in due {
            self.once_more(again, now);
        }
        self.doubt_keys(now);
        self.step_stay(now);
        self.drive_servers(now);
        if let Some(key) = self.keys.change(now.mono) {
            self.use_key(&key);
        }
        self.collect(now);
    }

    fn ask(&mut self, ask: Ask, purpose: Purpose) {
        if let Some((channel, command)) = self.account.ask(ask, purpose) {
            self.outputs.push_back(Output::Channel(channel, command));
        }
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn leave(&mut self, returning: bool, now: Now) {
        if matches!(self.stage, Stage::Leaving { .. }) {
            return;
        }
        for connection in self.servers.connections() {
            connection.leave();
        }
        self.collect(now);
        if self.stage == Stage::Ended {
            return;
        }
        let words = self.last_words(returning);
        if words.is_empty() || !self.account.is_open() {
            return self.end(Ended::Left);
        }
        self.stage = Stage::Leaving {
            until: now.mono + GOODBYE,
        };
        for ask in words {
            self.ask(ask, Purpose::Leave);
        }
    }

    /// What takes back what stands of the room: its membership, its knock, and its place in a Matrix
    /// room that it came into for this meeting only.
    fn last_words(&mut self, returning: bool) -> Vec<Ask> {
        let stay = self.stay.take();
        let mut words = stay.map(|stay| stay.leave()).unwrap_or_default();
        let joined = self.room.as_ref();
        let joined = joined.filter(|room| !room.belongs && !returning);
        let knocked = self.stage.knocked().cloned();
        let left = joined.map(|room| room.room.clone()).or(knocked);
        words.extend(left.map(|room| Ask::Leave { room }));
        words
    }

    /// Ends; nothing follows.
    fn end(&mut self, how: Ended) {
        if self.stage == Stage::Ended {
            return;
        }
        self.stage = Stage::Ended;
        for server in &mut self.servers.all {
            if let servers::State::Asking(channel) = server.state {
                self.outputs
                    .push_back(Output::Channel(channel, ChannelCommand::Close));
            }
        }
        if let Some((channel, close)) = self.account.close() {
            self.outputs.push_back(Output::Channel(channel, close));
        }
        self.event(Event::Ended(how));
    }

    fn fail(&mut self, code: FaultCode) {
        self.finish(Ended::Failed(code));
    }

    /// Ends without waiting, after saying goodbye where there is something to take back.
    fn finish(&mut self, how: Ended) {
        for connection in self.servers.connections() {
            connection.leave();
        }
        self.silence_servers();
        for ask in self.last_words(false) {
            self.ask(ask, Purpose::Nothing);
        }
        self.end(how);
    }

    fn tell(&mut self) {
        let keys = &self.keys;
        let mode = self.mode.unwrap_or(Mode::Plain);
        let participants = self.people.list(mode, |device| keys.has(device));
        if participants != self.told.participants {
            self.told.participants = participants.clone();
            let e2ee = people::whole(mode, &participants);
            self.event(Event::Participants(participants));
            if e2ee != self.told.e2ee {
                self.told.e2ee = e2ee;
                self.event(Event::E2ee(e2ee));
            }
        }
        let waiting: Vec<_> = self.knocking.values().map(|(_, it)| it.clone()).collect();
        if waiting != self.told.waiting {
            self.told.waiting = waiting.clone();
            self.event(Event::Waiting(waiting));
        }
    }
}

/// Milliseconds since 1970, of the room's own clock.
fn millis(now: Now) -> u64 {
    u64::try_from(now.utc.timestamp_millis()).unwrap_or_default()
}

/// Somebody's name, or the part of their id that says most.
fn name(call: &Call, user: &UserId) -> Pii<String> {
    let given = call
        .names
        .get(user)
        .filter(|name| !name.expose().trim().is_empty());
    given.cloned().unwrap_or_else(|| {
        let id = user.expose().trim_start_matches('@');
        Pii::new(id.split(':').next().unwrap_or(id).to_owned())
    })
}

/// Somebody before the door.
fn waiting(id: ParticipantId, call: &Call, knocking: &Knocking) -> Participant {
    Participant {
        id,
        name: name(call, &knocking.user),
        microphone: false,
        camera: false,
        sharing: false,
        hand: false,
        reaction: None,
        speaking: false,
        connection: roomd_model::Connection::Connecting,
        e2ee: E2ee::Pending,
    }
}
