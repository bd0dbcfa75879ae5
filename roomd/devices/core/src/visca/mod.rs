// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Cameras that turn, over the network: Sony's VISCA over IP, and VISCA as it is over UDP or TCP.
//!
//! One message is open at a time, as Sony asks: the next is sent when the camera has taken the last.
//! What it has taken it does in one of two sockets, and answers later. A message without an answer is
//! sent again under the same sequence number, and again; a camera that stays silent is missing, and is
//! called every few seconds by resetting the sequence, with which everything begins.
//!
//! A camera that complains about the sequence number of a message that was repeated had received it:
//! only the answer was lost. One that complains about a first message counts differently, because it
//! restarted or somebody else speaks with it: the sequence is reset and the message sent again.
//!
//! What a camera's picture has is asked too. A question about it that is refused, or not answered by a
//! camera that goes on answering others, is not asked again until the camera was away.
//!
//! Without Sony's header nothing says which message an answer belongs to. Such a camera gets one message at
//! a time and the next when that is done; after one that was repeated there is a pause in which the answers
//! to the repetitions pass. A camera is called by asking whether it is awake.
//!
//! Source: Sony, "BRC-X400/X401 SRG-X400/X120 Command List", chapters "VISCA" and "VISCA over IP".

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::health::Trouble;

mod model;
mod request;
mod talk;
mod wire;

pub use model::{Model, Plan, once};
pub use request::{Question, Request};
pub use talk::{Effect, Failure, Input, Picture, State};
pub use wire::{LONGEST, Protocol};

use request::{Dialect, Said};
use wire::{Answer, Kind, Packets, Refusal};

/// A camera answers within four pictures, 167 ms at the slowest rate; the rest is the network's.
const ANSWERS: Duration = Duration::from_millis(500);
/// How often a message is sent.
const TRIES: u32 = 3;
/// From end to end a slow camera turns so long.
const MOVES: Duration = Duration::from_secs(30);
/// Cameras without Sony's header do not all say when they are done: they are not waited for as long.
const MOVES_AS_IS: Duration = Duration::from_secs(10);
/// Commands that a camera does at the same time.
const SOCKETS: usize = 2;
/// A camera that has no free socket is asked again after this time, so many times.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSES: u32 = 25;
/// How often a camera is asked how it is.
const ASK: Duration = Duration::from_secs(10);
/// How often a missing camera is called.
const CALL: Duration = Duration::from_secs(5);
/// Requests that wait. More are no person's.
const WAITING: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// It does not answer, and is called at this time.
    Down(Instant),
    /// A reset of the sequence number is open, sent so many times.
    Resetting(u32, Instant),
    Up,
}

/// A message without an answer.
#[derive(Debug)]
struct Open {
    request: Request,
    sequence: u32,
    bytes: Vec<u8>,
    tries: u32,
    until: Instant,
}

/// A command that the camera does.
#[derive(Debug)]
struct Running {
    request: Request,
    sequence: u32,
    until: Instant,
}

/// The talk with one camera.
#[derive(Debug)]
pub struct Visca {
    model: Model,
    protocol: Protocol,
    /// What arrived of a packet, without Sony's header.
    packets: Packets,
    dialect: Dialect,
    state: State,
    link: Link,
    sequence: u32,
    waiting: VecDeque<Request>,
    open: Option<Open>,
    running: Vec<Running>,
    /// Not before this time something is sent, and how often it was put off.
    hold: Option<Instant>,
    pauses: u32,
    /// Resets in a row without an answer to anything after them.
    resets: u32,
    ask_at: Instant,
    /// What it does not say.
    unsaid: Vec<Question>,
    /// Whether it sent what is no message.
    garbled: bool,
}

impl Visca {
    /// Begins; the camera is called at the first timeout, which is due.
    #[must_use]
    pub fn new(model: Model, protocol: Protocol, now: Instant) -> Self {
        Self {
            model,
            protocol,
            packets: Packets::default(),
            dialect: Dialect::default(),
            state: State {
                trouble: Some(Trouble::Missing),
                ..State::default()
            },
            link: Link::Down(now),
            sequence: 0,
            waiting: VecDeque::new(),
            open: None,
            running: Vec::new(),
            hold: None,
            pauses: 0,
            resets: 0,
            ask_at: now,
            unsaid: Vec::new(),
            garbled: false,
        }
    }

    /// How the camera is.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// What it is.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Whether it is missing, and not even being called.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        matches!(self.link, Link::Down(_))
    }

    /// Whether it answers, as far as it is known.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link == Link::Up && self.state.trouble.is_none()
    }

    /// Whether it answers, and everything that it was asked is answered.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.is_up() && self.waiting.is_empty() && self.open.is_none()
    }

    /// Takes what happened.
    pub fn handle(&mut self, input: Input<'_>, now: Instant) -> Vec<Effect> {
        match input {
            Input::Want(request) if matches!(self.link, Link::Down(_)) => {
                ended(request, Err(Failure::Unreachable))
            }
            Input::Want(request) if self.waiting.len() >= WAITING => {
                ended(request, Err(Failure::TooMany))
            }
            Input::Want(request) => {
                self.waiting.push_back(request);
                self.advance(now)
            }
            Input::Received(bytes) if self.protocol == Protocol::Sony => {
                let Some((sequence, answer)) = wire::read(bytes) else {
                    self.garbled = true;
                    return Vec::new();
                };
                let mut effects = self.answered(sequence, answer, now);
                effects.extend(self.advance(now));
                effects
            }
            Input::Received(bytes) => self.received_as_is(bytes, now),
            Input::Connected => {
                self.packets.clear();
                if self.link != Link::Up {
                    self.link = Link::Down(now);
                }
                Vec::new()
            }
            Input::Lost if self.is_down() => Vec::new(),
            Input::Lost => self.give_up(now),
        }
    }

    /// Takes what came without Sony's header.
    fn received_as_is(&mut self, bytes: &[u8], now: Instant) -> Vec<Effect> {
        if self.protocol == Protocol::Udp {
            // A datagram is whole.
            self.packets.clear();
        }
        let mut effects = Vec::new();
        for byte in bytes {
            let Some(packet) = self.packets.push(*byte) else {
                continue;
            };
            match wire::reply(&packet) {
                Some(answer) => effects.extend(self.answered_as_is(answer, now)),
                None => self.garbled = true,
            }
            effects.extend(self.advance(now));
        }
        effects
    }

    /// An answer that does not say to what.
    fn answered_as_is(&mut self, answer: Answer<'_>, now: Instant) -> Vec<Effect> {
        match self.link {
            Link::Down(_) => return Vec::new(),
            Link::Resetting(..) => {
                self.link = Link::Up;
                self.ask(true, now);
                return Vec::new();
            }
            Link::Up => {}
        }
        let fits = |open: &mut Open| match answer {
            Answer::Completed(data) => data.is_empty() != open.request.is_question(),
            Answer::Acknowledged(_) => !open.request.is_question(),
            Answer::Refused(_) => true,
            Answer::Reset | Answer::WrongSequence | Answer::WrongMessage => false,
        };
        if let Some(open) = self.open.take_if(fits) {
            if open.tries > 1 {
                self.hold = Some(now + ANSWERS);
            }
            return self.opened(open, answer, now);
        }
        let result = match answer {
            Answer::Completed([]) => Ok(()),
            Answer::Refused(refusal) => Err(refusal.into()),
            Answer::Completed(_)
            | Answer::Acknowledged(_)
            | Answer::Reset
            | Answer::WrongSequence
            | Answer::WrongMessage => return Vec::new(),
        };
        match self.running.pop() {
            Some(running) => self.finished(running.request, result, now),
            None => Vec::new(),
        }
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let at = match self.link {
            Link::Down(at) => return Some((at, "the missing camera is called")),
            Link::Resetting(_, until) => return Some((until, "the camera has not reset")),
            Link::Up => self.ask_at,
        };
        let answer = self.open.iter().map(|open| open.until);
        let done = self.running.iter().map(|running| running.until);
        let at = answer.chain(done).chain(self.hold).fold(at, Instant::min);
        Some((at, "an answer of the camera is overdue, or a question due"))
    }

    /// Repeats, gives up, and asks how the camera is.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Effect> {
        match self.link {
            Link::Down(at) if now >= at => self.reset(1, now),
            Link::Resetting(tries, until) if now >= until => {
                if tries < TRIES {
                    self.reset(tries + 1, now)
                } else {
                    self.give_up(now)
                }
            }
            Link::Down(_) | Link::Resetting(..) => Vec::new(),
            Link::Up => {
                let mut effects = self.overdue(now);
                if now >= self.ask_at && self.link == Link::Up {
                    self.ask(true, now);
                }
                effects.extend(self.advance(now));
                effects
            }
        }
    }

    fn reset(&mut self, tries: u32, now: Instant) -> Vec<Effect> {
        self.link = Link::Resetting(tries, now + ANSWERS);
        let call = match self.protocol {
            Protocol::Sony => wire::write(Kind::Control, 0, wire::RESET),
            Protocol::Udp | Protocol::Tcp => Request::Ask(Question::Power).packet(self.dialect),
        };
        vec![Effect::Send(call)]
    }

    /// The camera is missing: nothing of what was wanted will be done.
    fn give_up(&mut self, now: Instant) -> Vec<Effect> {
        self.link = Link::Down(now + CALL);
        self.resets = 0;
        self.pauses = 0;
        self.hold = None;
        self.unsaid.clear();
        self.state = State {
            trouble: Some(if std::mem::take(&mut self.garbled) {
                Trouble::Nonsense
            } else {
                Trouble::Missing
            }),
            ..State::default()
        };
        let running = self.running.drain(..).map(|running| running.request);
        let open = self.open.take().map(|open| open.request);
        let lost = running.chain(open).chain(self.waiting.drain(..));
        lost.flat_map(|request| ended(request, Err(Failure::Unreachable)))
            .collect()
    }

    fn overdue(&mut self, now: Instant) -> Vec<Effect> {
        if let Some(open) = &mut self.open
            && now >= open.until
        {
            if open.tries >= TRIES {
                let Request::Ask(question) = open.request else {
                    return self.give_up(now);
                };
                if !question.is_of_picture() {
                    return self.give_up(now);
                }
                self.open = None;
                self.leave_unsaid(question);
                if self.protocol != Protocol::Sony {
                    self.hold = Some(now + ANSWERS);
                }
                // If it is gone and not only silent about this, the next question tells.
                self.waiting.push_front(Request::Ask(Question::Power));
                return Vec::new();
            }
            open.tries += 1;
            open.until = now + ANSWERS;
            return vec![Effect::Send(open.bytes.clone())];
        }
        let late = |running: &mut Running| now >= running.until;
        self.running
            .extract_if(.., late)
            .map(|running| Effect::Finished(running.request, Err(Failure::Lost)))
            .collect()
    }

    /// Puts the questions behind what waits, also those about the picture.
    fn ask(&mut self, picture: bool, now: Instant) {
        self.ask_at = now + ASK;
        for question in Question::ALL {
            let asked = Request::Ask(question);
            let wanted = picture || !question.is_of_picture();
            if wanted && !self.unsaid.contains(&question) && !self.waiting.contains(&asked) {
                self.waiting.push_back(asked);
            }
        }
    }

    fn leave_unsaid(&mut self, question: Question) {
        if !self.unsaid.contains(&question) {
            self.unsaid.push(question);
        }
    }

    /// Sends the next message when it may be sent.
    fn advance(&mut self, now: Instant) -> Vec<Effect> {
        if self.link != Link::Up || self.open.is_some() || self.hold.is_some_and(|at| now < at) {
            return Vec::new();
        }
        self.hold = None;
        let busy = match self.protocol {
            Protocol::Sony => self.running.len() >= SOCKETS,
            Protocol::Udp | Protocol::Tcp if !self.running.is_empty() => return Vec::new(),
            Protocol::Udp | Protocol::Tcp => false,
        };
        // What people wait for comes before questions about the picture.
        let may = |request: &Request| request.is_question() || !busy;
        let soon = |request: &Request| !request.is_question() || !request.is_of_picture();
        let mut waiting = self.waiting.iter();
        let next = waiting.position(|request| may(request) && soon(request));
        let next = next.or_else(|| self.waiting.iter().position(may));
        let Some(request) = next.and_then(|at| self.waiting.remove(at)) else {
            return Vec::new();
        };
        vec![self.send(request, 1, now)]
    }

    fn send(&mut self, request: Request, tries: u32, now: Instant) -> Effect {
        // The first after a reset is 1: the camera's own is 0 then.
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let packet = request.packet(self.dialect);
        let bytes = match self.protocol {
            Protocol::Sony => wire::write(request.kind(), sequence, &packet),
            Protocol::Udp | Protocol::Tcp => packet,
        };
        self.open = Some(Open {
            request,
            sequence,
            bytes: bytes.clone(),
            tries,
            until: now + ANSWERS,
        });
        Effect::Send(bytes)
    }

    fn answered(&mut self, sequence: u32, answer: Answer<'_>, now: Instant) -> Vec<Effect> {
        if answer == Answer::Reset {
            if matches!(self.link, Link::Resetting(..)) {
                self.link = Link::Up;
                self.sequence = 0;
                self.ask(true, now);
            }
            return Vec::new();
        }
        if self.link != Link::Up {
            return Vec::new();
        }
        if let Some(open) = self.open.take_if(|open| open.sequence == sequence) {
            return self.opened(open, answer, now);
        }
        let at = self.running.iter().position(|r| r.sequence == sequence);
        let Some(at) = at else { return Vec::new() };
        let result = match answer {
            Answer::Completed(_) => Ok(()),
            Answer::Refused(refusal) => Err(refusal.into()),
            // An acknowledgement that comes twice says nothing.
            Answer::Acknowledged(_)
            | Answer::Reset
            | Answer::WrongSequence
            | Answer::WrongMessage => {
                return Vec::new();
            }
        };
        let running = self.running.remove(at);
        self.finished(running.request, result, now)
    }

    /// An answer to the open message.
    fn opened(&mut self, open: Open, answer: Answer<'_>, now: Instant) -> Vec<Effect> {
        let Open {
            request,
            sequence,
            tries,
            ..
        } = open;
        if answer == Answer::WrongSequence {
            return self.out_of_step(open, now);
        }
        self.resets = 0;
        self.garbled = false;
        self.state.trouble = None;
        match (answer, request) {
            (Answer::Completed(data), Request::Ask(question)) => {
                match question.read(data, &mut self.dialect) {
                    Some(said) => self.say(said),
                    None => self.state.trouble = Some(Trouble::Nonsense),
                }
                Vec::new()
            }
            (Answer::Refused(refusal), Request::Ask(question)) => {
                if refusal == Refusal::Syntax && question.is_of_picture() {
                    self.leave_unsaid(question);
                }
                Vec::new()
            }
            (Answer::Acknowledged(_), Request::Ask(_)) => {
                self.open = Some(open);
                Vec::new()
            }
            (Answer::Acknowledged(_), _) => {
                self.runs(request, sequence, now);
                Vec::new()
            }
            (Answer::Completed(_), _) => self.finished(request, Ok(()), now),
            (Answer::Refused(Refusal::BufferFull), _) if self.pauses < PAUSES => {
                self.pauses += 1;
                self.hold = Some(now + PAUSE);
                self.waiting.push_front(request);
                Vec::new()
            }
            (Answer::Refused(Refusal::Syntax), Request::Point { .. })
                if self.dialect.tilt_speed =>
            {
                self.dialect.tilt_speed = false;
                vec![self.send(request, tries, now)]
            }
            (Answer::Refused(refusal), _) => self.finished(request, Err(refusal.into()), now),
            (Answer::WrongMessage | Answer::Reset | Answer::WrongSequence, _) => {
                self.finished(request, Err(Failure::Unknown), now)
            }
        }
    }

    /// The camera complains about the sequence number of the open message.
    fn out_of_step(&mut self, open: Open, now: Instant) -> Vec<Effect> {
        match (open.tries, open.request) {
            (1, _) if self.resets >= TRIES => {
                self.open = Some(open);
                self.give_up(now)
            }
            (1, request) => {
                self.resets += 1;
                self.waiting.push_front(request);
                // Their numbers are given out again.
                let mut effects: Vec<Effect> = self
                    .running
                    .drain(..)
                    .map(|running| Effect::Finished(running.request, Err(Failure::Lost)))
                    .collect();
                effects.extend(self.reset(1, now));
                effects
            }
            // Only the answer was lost: a question is asked anew, a command is being done.
            (tries, Request::Ask(question)) if tries >= TRIES => {
                if question.is_of_picture() {
                    self.leave_unsaid(question);
                }
                Vec::new()
            }
            (tries, request @ Request::Ask(_)) => vec![self.send(request, tries + 1, now)],
            (_, request) => {
                self.runs(request, open.sequence, now);
                Vec::new()
            }
        }
    }

    fn runs(&mut self, request: Request, sequence: u32, now: Instant) {
        let moves = match self.protocol {
            Protocol::Sony => MOVES,
            Protocol::Udp | Protocol::Tcp => MOVES_AS_IS,
        };
        self.running.push(Running {
            request,
            sequence,
            until: now + moves,
        });
    }

    fn finished(
        &mut self,
        request: Request,
        result: Result<(), Failure>,
        now: Instant,
    ) -> Vec<Effect> {
        self.pauses = 0;
        if result.is_ok() && !request.is_question() {
            self.ask(request.is_of_picture(), now);
        }
        ended(request, result)
    }

    fn say(&mut self, said: Said) {
        match said {
            Said::Power(power) => self.state.power = Some(power),
            Said::Direction(pan, tilt) => {
                let seconds = |steps| self.model.seconds(steps);
                self.state.direction = Some((seconds(pan), seconds(tilt)));
            }
            Said::Zoom(zoom) => self.state.zoom = Some(zoom),
            Said::FocusAuto(on) => self.state.picture.focus_auto = Some(on),
            Said::Focus(focus) => self.state.picture.focus = Some(focus),
            Said::Exposure(mode) => self.state.picture.exposure = Some(mode),
            Said::WhiteBalance(mode) => self.state.picture.white_balance = Some(mode),
            Said::Backlight(on) => self.state.picture.backlight = Some(on),
        }
    }
}

/// Questions end in the state, or not at all.
fn ended(request: Request, result: Result<(), Failure>) -> Vec<Effect> {
    let ends = !request.is_question();
    ends.then_some(Effect::Finished(request, result))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;
