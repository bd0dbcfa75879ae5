// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What every provider promises, as a suite that its tests run.
//!
//! - Outputs come only after inputs; a drained session stays drained.
//! - [`Event::Ended`] comes exactly once, is the last output, and nothing follows whatever goes in.
//! - [`Command::Leave`] ends the session within [`LEAVE_LIMIT`], at every point of its life, whether
//!   the room comes back or not.
//! - Garbage on any channel, known or not, and media events of unknown connections are survived.
//! - [`Session::poll_timeout`] moves forward: a time that was handled is not named again.
//! - The same seed and the same inputs give the same outputs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use roomd_model::{MeetingLink, Now, Pii, StreamId, StreamTrouble};

use crate::{
    ChannelEvent, ChannelId, Command, DataChannelId, Event, Input, JoinRequest, MediaEvent, Output,
    PeerId, PeerState, Provider, SdpKind, Session,
};

/// How long a session may take to say goodbye.
pub const LEAVE_LIMIT: Duration = Duration::from_secs(30);

/// Makes the provider as the daemon's start would; each run begins with a new one.
pub type Fresh<'a> = &'a dyn Fn() -> Box<dyn Provider>;

/// One step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    /// Feeds an input.
    Input(Input),
    /// Lets time pass; time-outs on the way are handled when they are due.
    Advance(Duration),
}

/// Runs the script through the suite and returns the outputs of the plain run.
///
/// `start` is the moment at which each run begins; any will do.
///
/// # Panics
///
/// When the provider breaks one of the promises; the message says which.
pub fn check(provider: Fresh<'_>, link: &MeetingLink, script: &[Step], start: Now) -> Vec<Output> {
    let run = |script: &[Step], garbage, returning| {
        let bench = Bench::new(provider, link, start);
        bench.run(script, garbage, returning)
    };
    let plain = run(script, Garbage::None, false);
    let again = run(script, Garbage::None, false);
    assert!(
        format!("{plain:?}") == format!("{again:?}"),
        "the same seed and inputs gave other outputs"
    );
    for length in 0..script.len() {
        run(&script[..length], Garbage::None, false);
        run(&script[..length], Garbage::None, true);
    }
    run(script, Garbage::AfterEachStep, false);
    run(script, Garbage::AfterEachStep, true);
    plain
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Garbage {
    None,
    AfterEachStep,
}

struct Bench {
    session: Box<dyn Session>,
    now: Now,
    outputs: Vec<Output>,
    ended: bool,
    channels: BTreeSet<ChannelId>,
}

impl Bench {
    fn new(provider: Fresh<'_>, link: &MeetingLink, start: Now) -> Self {
        let join = JoinRequest {
            link: link.clone(),
            room_name: "Conformance".to_owned(),
            seed: [7; 32],
        };
        Self {
            session: provider().start(join, start),
            now: start,
            outputs: Vec::new(),
            ended: false,
            channels: BTreeSet::new(),
        }
    }

    fn run(mut self, script: &[Step], garbage: Garbage, returning: bool) -> Vec<Output> {
        self.drain();
        for step in script {
            match step {
                Step::Input(input) => self.feed(input.clone()),
                Step::Advance(by) => self.advance(*by),
            }
            if garbage == Garbage::AfterEachStep {
                self.garbage();
            }
        }
        self.feed(Input::Command(Command::Leave { returning }));
        self.advance(LEAVE_LIMIT);
        assert!(self.ended, "leaving did not end the session in time");
        self.stays_ended();
        self.outputs
    }

    fn feed(&mut self, input: Input) {
        if let Input::Channel(channel, _) = &input {
            self.channels.insert(*channel);
        }
        self.session.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.ended, "an output followed the end");
            self.ended = matches!(output, Output::Event(Event::Ended(_)));
            self.outputs.push(output);
        }
        assert!(
            self.session.poll_output().is_none(),
            "an output came without an input"
        );
    }

    fn advance(&mut self, by: Duration) {
        let until = self.now.mono + by;
        while let Some(due) = self.due(until) {
            self.now = self.now.after(due.saturating_duration_since(self.now.mono));
            self.feed(Input::Timeout);
            let next = self.session.poll_timeout().map(|(at, _)| at);
            assert!(
                next.is_none_or(|at| at > due),
                "a time-out that was handled is named again"
            );
        }
        self.now = self
            .now
            .after(until.saturating_duration_since(self.now.mono));
    }

    fn due(&self, until: Instant) -> Option<Instant> {
        let (at, what) = self.session.poll_timeout()?;
        assert!(!what.is_empty(), "a time-out without a reason");
        (at <= until).then_some(at)
    }

    fn garbage(&mut self) {
        let mut channels = self.channels.clone();
        channels.insert(ChannelId(u64::MAX));
        for channel in channels {
            for text in garbage_texts() {
                let event = ChannelEvent::Text(Pii::new(text));
                self.session
                    .handle(Input::Channel(channel, event), self.now);
                self.drain();
            }
        }
        for event in strange_media() {
            self.feed(Input::Media(event));
        }
        self.session.handle(
            Input::Channel(ChannelId(u64::MAX), ChannelEvent::Closed),
            self.now,
        );
        self.drain();
        self.feed(Input::Timeout);
    }

    fn stays_ended(&mut self) {
        let before = self.outputs.len();
        let channel = ChannelId(u64::MAX - 1);
        let leave = Command::Leave { returning: false };
        self.feed(Input::Command(leave));
        self.feed(Input::Channel(channel, ChannelEvent::Opened));
        self.garbage();
        self.advance(LEAVE_LIMIT);
        assert!(self.outputs.len() == before, "an output followed the end");
        assert!(
            self.session.poll_timeout().is_none(),
            "an ended session names a time-out"
        );
    }
}

fn garbage_texts() -> Vec<String> {
    vec![
        String::new(),
        "\u{0}\u{202e}\u{fffd}".to_owned(),
        "{".to_owned(),
        "null".to_owned(),
        r#"{"type":"\ud800"}"#.to_owned(),
        r#"{"type":null,"version":99999999999999999999}"#.to_owned(),
        "[".repeat(20_000),
        "a".repeat(64 * 1024),
    ]
}

fn strange_media() -> Vec<MediaEvent> {
    let peer = PeerId(u32::MAX);
    let stream = StreamId(u32::MAX);
    let text = || Pii::new("garbage".to_owned());
    vec![
        MediaEvent::LocalDescription {
            peer,
            kind: SdpKind::Answer,
            sdp: text(),
        },
        MediaEvent::LocalCandidate {
            peer,
            candidate: text(),
        },
        MediaEvent::DescriptionRefused { peer },
        MediaEvent::AddressesChanged { peer },
        MediaEvent::Peer {
            peer,
            state: PeerState::Unverified,
        },
        MediaEvent::Stream { stream, live: true },
        MediaEvent::Opened { stream },
        MediaEvent::Trouble {
            stream,
            trouble: StreamTrouble::Undecryptable,
            active: true,
        },
        MediaEvent::Speaking {
            stream,
            speaking: true,
        },
        MediaEvent::ChannelOpen {
            peer,
            channel: DataChannelId(0),
            label: String::new(),
        },
        MediaEvent::Data {
            peer,
            channel: DataChannelId(0),
            binary: true,
            data: Pii::new(vec![0xff; 16]),
        },
        MediaEvent::ChannelClosed {
            peer,
            channel: DataChannelId(0),
        },
        MediaEvent::Quality { peer, poor: true },
    ]
}
