// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The invariants of a direct meeting under random operations, and the port's conformance suite.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::{Bench, direct, hello, link, noon, sdp, text};
use proptest::prelude::*;
use roomd_conference::conformance::{Step, check};
use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Event, Input, MediaEvent, Output, PeerId,
    PeerState, Provider,
};
use roomd_model::{ParticipantId, Pii};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
enum Op {
    Open(u64),
    Close(u64),
    Hello {
        channel: u64,
        resume: bool,
    },
    /// The target counts through the room, the members and nobody.
    Relay {
        channel: u64,
        kind: &'static str,
        target: usize,
    },
    Say {
        channel: u64,
        message: Value,
    },
    Admit(usize),
    Deny(usize),
    Remove(usize),
    Sending(bool),
    Peer {
        peer: u32,
        state: PeerState,
    },
    Advance(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let channel = 0..5_u64;
    let kind = prop_oneof![Just("offer"), Just("answer"), Just("candidate")];
    let state = prop_oneof![
        4 => Just(PeerState::Verified),
        1 => Just(PeerState::Interrupted),
        1 => Just(PeerState::Unverified),
        1 => Just(PeerState::Failed),
    ];
    let message = prop_oneof![
        Just(json!({"type": "state", "microphone": true, "camera": true, "sharing": true})),
        Just(json!({"type": "hand", "raised": true})),
        Just(json!({"type": "chat", "text": "hello"})),
        Just(json!({"type": "bye"})),
        Just(json!({"type": "welcome"})),
    ];
    prop_oneof![
        5 => channel.clone().prop_map(Op::Open),
        1 => channel.clone().prop_map(Op::Close),
        5 => (channel.clone(), any::<bool>()).prop_map(|(channel, resume)| Op::Hello { channel, resume }),
        6 => (channel.clone(), kind, 0..5_usize)
            .prop_map(|(channel, kind, target)| Op::Relay { channel, kind, target }),
        3 => (channel, message).prop_map(|(channel, message)| Op::Say { channel, message }),
        6 => (0..3_usize).prop_map(Op::Admit),
        1 => (0..3_usize).prop_map(Op::Deny),
        1 => (0..3_usize).prop_map(Op::Remove),
        1 => any::<bool>().prop_map(Op::Sending),
        4 => (0..6_u32, state).prop_map(|(peer, state)| Op::Peer { peer, state }),
        2 => (0..40_u64).prop_map(Op::Advance),
    ]
}

struct World {
    bench: Bench,
    /// Who is behind each channel, as the room said in its welcome.
    members: BTreeMap<u64, String>,
    open: BTreeSet<u64>,
    tokens: Vec<Value>,
    participants: Vec<ParticipantId>,
    waiting: Vec<ParticipantId>,
    speaking: Option<u64>,
    relays: usize,
}

impl World {
    fn new() -> Self {
        Self {
            bench: Bench::new(None),
            members: BTreeMap::new(),
            open: BTreeSet::new(),
            tokens: Vec::new(),
            participants: Vec::new(),
            waiting: Vec::new(),
            speaking: None,
            relays: 0,
        }
    }

    fn run(&mut self, op: Op) {
        self.bench.take();
        self.speaking = None;
        match op {
            Op::Open(channel) => {
                self.bench.open(channel);
                self.open.insert(channel);
            }
            Op::Close(channel) => {
                self.bench.close(channel);
                self.open.remove(&channel);
                self.members.remove(&channel);
            }
            Op::Hello { channel, resume } => {
                let mut message = hello("Erika");
                if resume {
                    message["resume"] = self.tokens.last().cloned().unwrap_or_default();
                }
                self.bench.say(channel, &message);
            }
            Op::Relay {
                channel,
                kind,
                target,
            } => self.relay(channel, kind, target),
            Op::Say { channel, message } => self.bench.say(channel, &message),
            Op::Admit(index) => self.at(index, true, Command::Admit),
            Op::Deny(index) => self.at(index, true, Command::Deny),
            Op::Remove(index) => self.at(index, false, Command::Remove),
            Op::Sending(on) => self.bench.command(Command::Sending {
                microphone: on,
                camera: on,
            }),
            Op::Peer { peer, state } => self.bench.peer(peer, state),
            Op::Advance(seconds) => self.bench.advance(seconds),
        }
        for output in self.bench.take() {
            self.verify(&output);
        }
    }

    fn relay(&mut self, channel: u64, kind: &str, target: usize) {
        let to = match target {
            0 => "room".to_owned(),
            _ => match self.participants.get(target - 1) {
                Some(id) => id.0.clone(),
                None => "g-nobody".to_owned(),
            },
        };
        let message = match kind {
            "candidate" => json!({"type": kind, "to": to, "candidate": "candidate:1", "mid": null}),
            _ => json!({"type": kind, "to": to, "sdp": sdp("AA")}),
        };
        self.speaking = Some(channel);
        self.bench.say(channel, &message);
    }

    fn at(&mut self, index: usize, waiting: bool, command: fn(ParticipantId) -> Command) {
        let list = if waiting {
            &self.waiting
        } else {
            &self.participants
        };
        if let Some(id) = list.get(index) {
            self.bench.command(command(id.clone()));
        }
    }

    fn verify(&mut self, output: &Output) {
        match output {
            Output::Channel(ChannelId(id), ChannelCommand::Text(text)) => {
                let message: Value = serde_json::from_str(text.expose()).unwrap();
                self.verify_message(*id, &message);
            }
            Output::Channel(ChannelId(id), ChannelCommand::Close) => {
                assert!(self.open.remove(id), "closed twice");
                self.members.remove(id);
            }
            Output::Event(Event::Participants(people)) => {
                assert!(people.len() <= 2, "more than the most guests");
                self.participants = people.iter().map(|person| person.id.clone()).collect();
                assert!(self.participants.iter().all(|id| id.0 != "room"));
            }
            Output::Event(Event::Waiting(people)) => {
                self.waiting = people.iter().map(|person| person.id.clone()).collect();
            }
            Output::Channel(_, ChannelCommand::Open(_) | ChannelCommand::Binary(_)) => {
                panic!("this platform opens no channel")
            }
            Output::Event(_) | Output::Media(_) => {}
        }
    }

    fn verify_message(&mut self, channel: u64, message: &Value) {
        assert!(
            self.open.contains(&channel),
            "a message on a closed channel"
        );
        let kind = message["type"].as_str().unwrap();
        if kind == "welcome" {
            let id = message["id"].as_str().unwrap();
            assert_ne!(id, "room");
            self.members.insert(channel, id.to_owned());
            self.tokens.push(message["resume"].clone());
            return;
        }
        if !self.members.contains_key(&channel) {
            let known = ["waiting", "refused", "password-required"];
            assert!(known.contains(&kind), "{kind} before welcome");
        }
        if let ("offer" | "answer" | "candidate", Some(speaker)) = (kind, self.speaking) {
            let truth = self.members.get(&speaker).map(String::as_str);
            assert_eq!(message["from"].as_str(), truth, "a false sender");
            self.relays += 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold(ops in proptest::collection::vec(op(), 1..150)) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
        }
    }

    #[test]
    fn any_text_is_survived(texts in proptest::collection::vec(".{0,200}", 1..20)) {
        let mut bench = Bench::new(None);
        bench.admit(1, "Erika");
        for text in texts {
            let event = ChannelEvent::Text(Pii::new(text));
            bench.input(Input::Channel(ChannelId(1), event));
        }
    }
}

#[test]
fn keeps_the_promises_of_the_port() {
    let channel = |id, event| Step::Input(Input::Channel(ChannelId(id), event));
    let media = |event| Step::Input(Input::Media(event));
    let fresh = || -> Box<dyn Provider> { Box::new(direct()) };
    // The seed is the suite's own, so the id of the first guest is known by looking.
    let plain = check(
        &fresh,
        &link(&direct()),
        &[
            channel(1, ChannelEvent::Opened),
            channel(1, text(&hello("Erika"))),
        ],
        noon(),
    );
    let waiting = plain.iter().find_map(|output| match output {
        Output::Event(Event::Waiting(people)) => Some(people[0].id.clone()),
        _ => None,
    });
    let script = [
        channel(1, ChannelEvent::Opened),
        channel(1, text(&hello("Erika"))),
        Step::Input(Input::Command(Command::Admit(waiting.unwrap()))),
        Step::Input(Input::Command(Command::Content(true))),
        channel(
            1,
            text(&json!({"type": "offer", "to": "room", "sdp": sdp("AA")})),
        ),
        media(MediaEvent::Peer {
            peer: PeerId(0),
            state: PeerState::Verified,
        }),
        channel(2, ChannelEvent::Opened),
        Step::Advance(Duration::from_secs(20)),
        channel(1, ChannelEvent::Closed),
        Step::Advance(Duration::from_secs(45)),
        channel(3, ChannelEvent::Opened),
    ];
    let outputs = check(&fresh, &link(&direct()), &script, noon());
    let added = |output: &&Output| matches!(output, Output::Event(Event::StreamAdded { .. }));
    assert_eq!(outputs.iter().filter(added).count(), 2);
}
