// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The invariants of the room, after each of many random operations, and over a year.

mod common;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use common::{Bench, ELSEWHERE, LINK, OTHER, booking, person};
use proptest::prelude::*;
use roomd_conference::{Command, Ended, Event};
use roomd_model::{
    BookingId, FaultCode, Layout, ParticipantId, Phase, Pii, Secret, StreamId, StreamKind,
};
use roomd_room::{AllowList, Input, LEAVE_LIMIT, Output, Request, RoomConfig, SessionId};

#[derive(Clone, Debug)]
enum Op {
    Ask(Request),
    Event(Event),
    LateEvent(Event),
    Bookings(Vec<(u8, i64, bool)>),
    Stream(u32, bool),
    Content(bool),
    Allow(bool),
    Advance(u64),
    Shutdown,
}

fn url() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(LINK), Just(OTHER), Just(ELSEWHERE), Just("nonsense")]
}

fn id() -> impl Strategy<Value = ParticipantId> {
    "[a-c]".prop_map(ParticipantId)
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        4 => url().prop_map(|url| Request::JoinLink(Pii::from(url))),
        3 => "[0-3]".prop_map(|id| Request::JoinBooking(BookingId(id))),
        1 => any::<u8>().prop_map(|seed| Request::StartMeeting { password: None, seed: [seed; 32] }),
        2 => Just(Request::Leave),
        5 => Just(Request::StartSending),
        2 => any::<bool>().prop_map(Request::Microphone),
        2 => any::<bool>().prop_map(Request::Camera),
        1 => any::<u8>().prop_map(Request::Volume),
        1 => Just(Request::Layout(Layout::Speaker)),
        1 => id().prop_map(Request::Admit),
        1 => id().prop_map(Request::Remove),
        1 => any::<bool>().prop_map(Request::Hand),
        1 => "[a ]{0,3}".prop_map(|text| Request::Chat(Pii::new(text))),
        1 => Just(Request::Password(Secret::new("sesame"))),
        1 => Just(Request::Stay),
        1 => Just(Request::Acknowledge(FaultCode::MeetingUnreachable)),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let people = proptest::collection::vec("[a-c]", 0..3);
    let people = people.prop_map(|ids| ids.iter().map(|id| person(id)).collect::<Vec<_>>());
    prop_oneof![
        1 => Just(Event::Lobby),
        5 => Just(Event::Joined),
        1 => (1..5_u32).prop_map(|attempt| Event::Reconnecting { attempt }),
        4 => people.clone().prop_map(Event::Participants),
        1 => people.prop_map(Event::Waiting),
        1 => id().prop_map(|participant| Event::StreamAdded {
            stream: StreamId(1),
            participant,
            kind: StreamKind::Camera,
        }),
        1 => Just(Event::PasswordRequired { wrong: false }),
        1 => Just(Event::Fault(FaultCode::GuestDropped)),
        2 => prop_oneof![
            Just(Ended::Left),
            Just(Ended::Closed),
            Just(Ended::Failed(FaultCode::MeetingRefused)),
        ].prop_map(Event::Ended),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let bookings = proptest::collection::vec((0..4_u8, -90..90_i64, any::<bool>()), 0..4);
    prop_oneof![
        10 => request().prop_map(Op::Ask),
        10 => event().prop_map(Op::Event),
        1 => event().prop_map(Op::LateEvent),
        1 => bookings.prop_map(Op::Bookings),
        1 => (0..3_u32, any::<bool>()).prop_map(|(id, live)| Op::Stream(id, live)),
        2 => any::<bool>().prop_map(Op::Content),
        1 => any::<bool>().prop_map(Op::Allow),
        4 => (0..200_u64).prop_map(Op::Advance),
        1 => (0..20_u8).prop_map(|n| if n == 0 { Op::Shutdown } else { Op::Advance(1) }),
    ]
}

/// What the outputs say, followed like the shell would.
#[derive(Debug, Default)]
struct Witness {
    session: Option<SessionId>,
    asked_to_send: bool,
    shares: bool,
    persisted: bool,
    leaving_since: Option<Instant>,
    stopping: bool,
    finished: bool,
}

struct World {
    bench: Bench,
    witness: Witness,
    config: RoomConfig,
}

impl World {
    fn new(joins_sending: bool) -> Self {
        let config = RoomConfig {
            joins_sending,
            ..RoomConfig::default()
        };
        Self {
            bench: Bench::new(config.clone(), None),
            witness: Witness::default(),
            config,
        }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Ask(request) => {
                let sends = request == Request::StartSending;
                let accepted = self.bench.ask(request).is_ok();
                self.witness.asked_to_send |= accepted && sends;
            }
            Op::Event(event) => {
                if !self.bench.sessions.is_empty() {
                    self.bench.event(event);
                }
            }
            Op::LateEvent(event) => {
                let before = self.bench.room.view();
                let stranger = Input::Session(SessionId(u32::MAX), event);
                self.bench.input(stranger).unwrap();
                assert_eq!(
                    self.bench.room.view(),
                    before,
                    "a stranger changed the room"
                );
            }
            Op::Bookings(list) => {
                let now = self.bench.now.utc;
                let bookings = list.into_iter().map(|(id, start, allowed)| {
                    let url = if allowed { OTHER } else { ELSEWHERE };
                    booking(&id.to_string(), now + TimeDelta::minutes(start), 30, url)
                });
                self.bench
                    .input(Input::Bookings(bookings.collect()))
                    .unwrap();
            }
            Op::Stream(id, live) => {
                let stream = StreamId(id);
                self.bench.input(Input::Stream { stream, live }).unwrap();
            }
            Op::Content(on) => {
                self.witness.shares = on;
                self.bench.input(Input::Content(on)).unwrap();
            }
            Op::Allow(all) => {
                self.config.allow = all.then(|| AllowList::parse(["*.example"]).unwrap());
                self.bench
                    .input(Input::Config(self.config.clone()))
                    .unwrap();
            }
            Op::Advance(seconds) => self.bench.advance(Duration::from_secs(seconds)),
            Op::Shutdown => {
                self.witness.stopping = true;
                self.bench.input(Input::Shutdown).unwrap();
            }
        }
        self.verify_invariants();
    }

    fn verify_invariants(&mut self) {
        for output in self.bench.take() {
            assert!(!self.witness.finished, "an output after the end");
            self.follow(output);
        }
        let view = self.bench.room.view();
        let has_call = !matches!(
            view.phase,
            Phase::Idle | Phase::Offered { .. } | Phase::Fault { .. }
        );
        assert_eq!(view.call.is_some(), has_call);
        assert_eq!(self.witness.session.is_some(), has_call);
        if let Some(call) = &view.call {
            let on_wire = call.microphone || call.camera;
            assert!(!on_wire || view.phase == Phase::InCall);
            assert!(!on_wire || self.config.joins_sending || self.witness.asked_to_send);
            assert!(!on_wire || call.sending);
            assert!(!call.content || view.phase == Phase::InCall);
            assert!(!call.content || self.witness.shares);
        }
        let now = self.bench.now.mono;
        match view.phase {
            Phase::Leaving => {
                let since = *self.witness.leaving_since.get_or_insert(now);
                assert!(now < since + LEAVE_LIMIT, "leaving takes too long");
                assert!(self.witness.stopping || !self.witness.persisted);
            }
            _ => self.witness.leaving_since = None,
        }
        let busy = matches!(view.phase, Phase::Joining | Phase::Lobby | Phase::InCall);
        assert!(!busy || self.witness.stopping || self.witness.persisted);
        assert!(has_call || self.witness.stopping || !self.witness.persisted);
        if let Some((at, _)) = self.bench.room.poll_timeout() {
            assert!(at > now, "a time-out lies in the past");
        }
    }

    fn follow(&mut self, output: Output) {
        let witness = &mut self.witness;
        match output {
            Output::StartSession { session, link, .. } => {
                assert!(witness.session.is_none(), "two sessions");
                let allowed = self.config.allow.as_ref();
                let url = link.url.expose();
                let own = url.host_str() == Some("room.example");
                assert!(own || allowed.is_some_and(|list| list.allows(url)));
                witness.session = Some(session);
                witness.asked_to_send = false;
                witness.shares = false;
                witness.leaving_since = None;
            }
            Output::Session(session, command) => {
                assert_eq!(witness.session, Some(session));
                if let Command::Sending { microphone, camera } = command {
                    let may = self.config.joins_sending || witness.asked_to_send;
                    assert!(may || !microphone && !camera);
                }
                if let Command::Content(on) = command {
                    assert!(!on || witness.shares);
                }
            }
            Output::DropSession(session) => {
                assert_eq!(witness.session.take(), Some(session));
            }
            Output::Sending { microphone, camera } => {
                let may = self.config.joins_sending || witness.asked_to_send;
                assert!(may || !microphone && !camera, "sending without being asked");
            }
            Output::Persist(resume) => witness.persisted = resume.is_some(),
            Output::Finished => witness.finished = true,
            Output::Content(on) => {
                assert!(!on || witness.shares, "sharing without being asked");
            }
            Output::Preview(_) | Output::Volume(_) | Output::Answer(_, _) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold(
        joins_sending in proptest::bool::weighted(0.2),
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let mut world = World::new(joins_sending);
        for op in ops {
            world.run(op);
        }
    }
}

#[test]
fn a_year_of_meetings() {
    const DAY: u64 = 24 * 60 * 60;
    let mut world = World::new(false);
    let mut met = 0;
    for _ in 0..365 {
        let midnight = world.bench.now.utc;
        let bookings = (0..8).map(|slot| {
            let url = if slot % 2 == 0 { LINK } else { OTHER };
            booking(
                &slot.to_string(),
                midnight + TimeDelta::minutes(60 + 45 * slot),
                40,
                url,
            )
        });
        world
            .bench
            .input(Input::Bookings(bookings.collect()))
            .unwrap();
        let mut left = DAY;
        while left > 0 {
            world.run(Op::Advance(300));
            left -= 300;
            if let Phase::Offered { booking } = world.bench.room.phase() {
                met += 1;
                world.run(Op::Ask(Request::JoinBooking(booking)));
                world.run(Op::Event(Event::Joined));
                world.run(Op::Ask(Request::StartSending));
                world.run(Op::Event(Event::Participants(vec![person("a")])));
                world.run(Op::Advance(2400));
                world.run(Op::Event(Event::Participants(Vec::new())));
                world.run(Op::Advance(300));
                left -= 2700;
                assert!(world.bench.room.view().call.is_none());
            }
        }
    }
    assert!(met > 365 * 7, "only {met} meetings");
}
