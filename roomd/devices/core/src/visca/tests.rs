// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;

use super::stand_in::{Fixed, StandIn};
use super::*;
use crate::camera::presets::Presets;
use crate::display::power::Power;

/// The talk and the stand-in camera, in virtual time.
struct Talk {
    now: Instant,
    protocol: Protocol,
    visca: Visca,
    camera: StandIn,
    finished: Vec<(Request, Result<(), Failure>)>,
    sent: usize,
    /// Whether this datagram is lost, by a number that counts both ways.
    lost: fn(usize) -> bool,
    carried: usize,
}

const HERE: Request = Request::Point {
    pan: 720,
    tilt: -14,
};

impl Talk {
    fn new() -> Self {
        Self::over(Protocol::Sony)
    }

    fn over(protocol: Protocol) -> Self {
        let now = Instant::now();
        Self {
            now,
            protocol,
            visca: Visca::new(Model::default(), protocol, now),
            camera: StandIn::default(),
            finished: Vec::new(),
            sent: 0,
            lost: |_| false,
            carried: 0,
        }
    }

    fn up() -> Self {
        Self::up_over(Protocol::Sony)
    }

    fn up_over(protocol: Protocol) -> Self {
        let mut talk = Self::over(protocol);
        talk.run(1);
        assert_eq!(talk.visca.state().trouble, None);
        talk
    }

    fn want(&mut self, request: Request) {
        let effects = self.visca.handle(Input::Want(request), self.now);
        self.act(effects);
    }

    fn arrives(&mut self) -> bool {
        self.carried += 1;
        !(self.lost)(self.carried)
    }

    fn act(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(bytes) => {
                    self.sent += 1;
                    if self.arrives() {
                        let answers = match self.protocol {
                            Protocol::Sony => self.camera.receive(&bytes),
                            Protocol::Udp | Protocol::Tcp => self.camera.receive_as_is(&bytes),
                        };
                        self.give(answers);
                    }
                }
                Effect::Finished(request, result) => self.finished.push((request, result)),
            }
        }
    }

    fn give(&mut self, answers: Vec<Vec<u8>>) {
        for answer in answers {
            if !self.arrives() {
                continue;
            }
            // A stream comes in whatever pieces it likes.
            let piece = match self.protocol {
                Protocol::Sony | Protocol::Udp => answer.len(),
                Protocol::Tcp => 2,
            };
            for piece in answer.chunks(piece) {
                let effects = self.visca.handle(Input::Received(piece), self.now);
                self.act(effects);
            }
        }
    }

    /// Lets so many seconds pass; the camera is done with what it does at the end of each.
    fn run(&mut self, seconds: u32) {
        for _ in 0..seconds {
            let until = self.now + Duration::from_secs(1);
            while let Some((at, _)) = self.visca.poll_timeout()
                && at < until
            {
                self.now = self.now.max(at);
                let effects = self.visca.handle_timeout(self.now);
                self.act(effects);
            }
            self.now = until;
            let done = match self.protocol {
                Protocol::Sony => self.camera.complete(),
                Protocol::Udp | Protocol::Tcp => self.camera.complete_as_is(),
            };
            self.give(done);
        }
    }
}

#[test]
fn a_camera_is_found_and_does_what_it_is_told() {
    let mut talk = Talk::up();
    assert_eq!(talk.visca.state().power, Some(Power::On));
    assert_eq!(talk.visca.state().direction, Some((0, 0)));
    let wanted = [
        HERE,
        Request::Zoom(0x1234),
        Request::Store(3),
        Request::Zoom(0),
        Request::Recall(3),
        Request::Power(Power::Standby),
    ];
    for request in wanted {
        talk.want(request);
        talk.run(1);
    }
    let done: Vec<_> = wanted.iter().map(|request| (*request, Ok(()))).collect();
    assert_eq!(talk.finished, done);
    // 720 steps of 14.4 to the degree.
    assert_eq!(talk.visca.state().direction, Some((50 * 3600, -3500)));
    assert_eq!(talk.visca.state().zoom, Some(0x1234));
    assert_eq!(talk.visca.state().power, Some(Power::Standby));
    talk.want(HERE);
    talk.run(1);
    assert_eq!(talk.finished.pop(), Some((HERE, Err(Failure::NotNow))));
}

#[test]
fn presets_of_any_camera_are_recalled() {
    let mut talk = Talk::up();
    talk.want(HERE);
    talk.want(Request::Zoom(500));
    talk.run(2);
    let mut presets = Presets::default();
    let values = talk.visca.state().values();
    presets.save("Rednerpult", values).unwrap();
    talk.want(Request::Point { pan: 0, tilt: 0 });
    talk.want(Request::Zoom(0));
    talk.run(2);
    assert_eq!((talk.camera.pan, talk.camera.zoom), (0, 0));
    let preset = presets.find("Rednerpult").unwrap();
    let plan = talk.visca.model().plan(preset, talk.visca.state()).unwrap();
    let picture = [
        Request::FocusAuto(true),
        Request::Exposure(0),
        Request::WhiteBalance(0),
        Request::Backlight(false),
    ];
    assert_eq!(plan.requests[..2], [HERE, Request::Zoom(500)]);
    assert_eq!(plan.requests[2..], picture);
    for request in plan.requests {
        talk.want(request);
    }
    talk.run(2);
    let camera = &talk.camera;
    assert_eq!((camera.pan, camera.tilt, camera.zoom), (720, -14, 500));
}

#[test]
fn a_picture_is_adjusted_and_its_state_told() {
    let mut talk = Talk::up();
    let picture = talk.visca.state().picture;
    assert_eq!(
        (picture.focus_auto, picture.focus),
        (Some(true), Some(0x1000))
    );
    // While focus is automatic, the camera does not take a value.
    talk.want(Request::Focus(0xf000));
    talk.run(1);
    let refused = (Request::Focus(0xf000), Err(Failure::NotNow));
    assert_eq!(talk.finished.pop(), Some(refused));
    for request in [
        Request::FocusAuto(false),
        Request::Focus(0xf000),
        Request::Exposure(3),
        Request::WhiteBalance(5),
        Request::Backlight(true),
    ] {
        talk.want(request);
    }
    talk.run(4);
    assert_eq!(talk.finished.iter().filter(|it| it.1.is_ok()).count(), 5);
    let said = Picture {
        focus_auto: Some(false),
        focus: Some(0xf000),
        exposure: Some(3),
        white_balance: Some(5),
        backlight: Some(true),
    };
    assert_eq!(talk.visca.state().picture, said);
    for setting in said.once() {
        for request in once(setting).unwrap() {
            talk.want(request);
        }
        talk.run(2);
    }
    assert_eq!((talk.camera.once, talk.camera.white_balance), (2, 3));
    assert!(talk.visca.is_settled());
}

#[test]
fn a_camera_without_a_picture_to_adjust_is_no_missing_one() {
    for fixed in [Fixed::Refuses, Fixed::Silent] {
        let mut talk = Talk::new();
        talk.camera.fixed = Some(fixed);
        for _ in 0..30 {
            talk.run(1);
            assert_eq!(talk.visca.state().trouble, None, "{fixed:?}");
        }
        assert_eq!(talk.visca.state().picture, Picture::default());
        assert_eq!(talk.visca.state().zoom, Some(0));
        // It is not asked for ever: only the three questions that it answers.
        let before = talk.sent;
        talk.run(10);
        assert_eq!(talk.sent - before, 3, "{fixed:?}");
        talk.want(HERE);
        talk.run(2);
        assert_eq!(talk.finished, [(HERE, Ok(()))]);
    }
}

#[test]
fn a_camera_that_does_not_answer_is_missing_and_called_again() {
    let mut talk = Talk::new();
    talk.lost = |_| true;
    talk.run(1);
    talk.want(HERE);
    talk.run(60);
    assert_eq!(talk.visca.state().trouble, Some(Trouble::Missing));
    assert_eq!(talk.finished, [(HERE, Err(Failure::Unreachable))]);
    // Three calls in each six and a half seconds.
    assert!((24..=30).contains(&talk.sent), "{}", talk.sent);
    talk.want(HERE);
    assert_eq!(talk.finished.len(), 2);
    talk.lost = |_| false;
    talk.run(7);
    assert_eq!(talk.visca.state().trouble, None);
    // It goes again.
    talk.lost = |_| true;
    talk.run(20);
    assert_eq!(talk.visca.state().trouble, Some(Trouble::Missing));
    assert_eq!(talk.visca.state().direction, None);
}

#[test]
fn what_is_lost_on_the_way_is_sent_again_and_done_once() {
    for lost in [
        // The command, then its acknowledgement, then both.
        (|n| n == 1) as fn(usize) -> bool,
        |n| n == 2,
        |n| n == 1 || n == 3,
    ] {
        let mut talk = Talk::up();
        talk.run(1);
        (talk.carried, talk.lost) = (0, lost);
        talk.want(HERE);
        talk.run(3);
        assert_eq!(talk.finished, [(HERE, Ok(()))]);
        assert_eq!(talk.camera.pan, 720);
    }
    // The completion is lost: the request is, but nothing hangs.
    let mut talk = Talk::up();
    (talk.carried, talk.lost) = (0, |n| n == 3);
    talk.want(HERE);
    talk.run(40);
    assert_eq!(talk.finished, [(HERE, Err(Failure::Lost))]);
    assert_eq!(talk.visca.state().trouble, None);
}

#[test]
fn a_camera_that_restarted_is_reset_and_told_again() {
    let mut talk = Talk::up();
    talk.camera.restart();
    talk.want(HERE);
    talk.run(2);
    assert_eq!(talk.finished, [(HERE, Ok(()))]);
    assert_eq!(talk.camera.pan, 720);
}

#[test]
fn a_camera_that_always_complains_is_given_up() {
    let mut talk = Talk::up();
    talk.lost = |_| true;
    talk.want(HERE);
    let complain = |talk: &mut Talk| {
        for sequence in 0..50 {
            let bytes = wire::write(Kind::ControlReply, sequence, &[0x0f, 0x01]);
            let effects = talk.visca.handle(Input::Received(&bytes), talk.now);
            for effect in effects {
                if let Effect::Send(bytes) = effect
                    && bytes[0] == 2
                {
                    let answer = wire::write(Kind::ControlReply, 0, wire::RESET);
                    talk.visca.handle(Input::Received(&answer), talk.now);
                }
            }
        }
    };
    for _ in 0..10 {
        complain(&mut talk);
    }
    assert_eq!(talk.visca.state().trouble, Some(Trouble::Missing));
}

#[test]
fn a_third_command_waits_for_a_socket() {
    let mut talk = Talk::up();
    for zoom in 1..=4 {
        talk.want(Request::Zoom(zoom));
    }
    assert_eq!(talk.camera.zoom, 2);
    talk.run(1);
    assert_eq!(talk.camera.zoom, 4);
    talk.run(1);
    assert_eq!(talk.finished.len(), 4);
    // Somebody else's commands fill the sockets: the camera refuses, and is asked again.
    talk.camera.sockets = [Some(900), Some(901)];
    talk.want(Request::Zoom(9));
    talk.run(2);
    assert_eq!(talk.finished.pop(), Some((Request::Zoom(9), Ok(()))));
    for zoom in 0..60 {
        talk.want(Request::Zoom(zoom));
    }
    let many = |(_, result): &&(Request, _)| *result == Err(Failure::TooMany);
    assert!(talk.finished.iter().filter(many).count() >= 20);
}

#[test]
fn a_camera_without_sonys_header_does_the_same() {
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let mut talk = Talk::up_over(protocol);
        assert_eq!(talk.visca.state().zoom, Some(0));
        assert_eq!(talk.visca.state().picture.focus_auto, Some(true));
        // One after the other, however fast they are wanted.
        let wanted = [HERE, Request::Zoom(7), Request::FocusAuto(false)];
        for request in wanted {
            talk.want(request);
        }
        assert_eq!((talk.camera.pan, talk.camera.zoom), (720, 0));
        talk.run(5);
        assert_eq!(talk.finished, wanted.map(|request| (request, Ok(()))));
        assert_eq!(talk.visca.state().direction, Some((50 * 3600, -3500)));
        assert_eq!(talk.visca.state().picture.focus_auto, Some(false));
        talk.want(Request::Recall(9));
        talk.run(1);
        let refused = (Request::Recall(9), Err(Failure::NotNow));
        assert_eq!(talk.finished.pop(), Some(refused));
        // Power was away, and nobody noticed: nothing counts that could be out of step.
        talk.camera.restart();
        talk.want(Request::Zoom(9));
        talk.run(2);
        assert_eq!(talk.finished.pop(), Some((Request::Zoom(9), Ok(()))));
    }
}

#[test]
fn without_a_header_what_is_lost_hangs_nothing_and_swaps_no_answers() {
    for lost in [
        (|n| n == 1) as fn(usize) -> bool,
        |n| n == 2,
        |n| n == 1 || n == 3,
    ] {
        let mut talk = Talk::up_over(Protocol::Udp);
        talk.run(1);
        (talk.carried, talk.lost) = (0, lost);
        talk.want(HERE);
        talk.run(4);
        assert_eq!(talk.finished, [(HERE, Ok(()))]);
        assert_eq!(talk.camera.pan, 720);
    }
    // It never says that it is done: the next is not kept from it for ever.
    let mut talk = Talk::up_over(Protocol::Udp);
    (talk.carried, talk.lost) = (0, |n| n == 3);
    talk.want(HERE);
    talk.want(Request::Zoom(9));
    talk.run(15);
    let expected = [(HERE, Err(Failure::Lost)), (Request::Zoom(9), Ok(()))];
    assert_eq!(talk.finished, expected);
    // Both answers to a question that was repeated come late. The second is not that of the next.
    let now = Instant::now();
    let mut visca = Visca::new(Model::default(), Protocol::Udp, now);
    let mut answer = |bytes: &[u8], now| visca.handle(Input::Received(bytes), now);
    assert_eq!(answer(&[0x90, 0x50, 2, 0xff], now), []);
    visca.handle_timeout(now);
    let asked = |effects: Vec<Effect>| match effects.last() {
        Some(Effect::Send(bytes)) => bytes[2..bytes.len() - 1].to_vec(),
        _ => Vec::new(),
    };
    let on = [0x90, 0x50, 2, 0xff];
    let direction = [0x90, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0xff];
    let power = visca.handle(Input::Received(&on), now);
    assert_eq!(asked(power), [4, 0]);
    assert_eq!(asked(visca.handle(Input::Received(&on), now)), [6, 0x12]);
    assert_eq!(
        asked(visca.handle(Input::Received(&direction), now)),
        [4, 0x47]
    );
    let late = now + ANSWERS;
    assert_eq!(asked(visca.handle_timeout(late)), [4, 0x47]);
    let zoom = [0x90, 0x50, 1, 2, 3, 4, 0xff];
    assert_eq!(visca.handle(Input::Received(&zoom), late), []);
    assert_eq!(visca.handle(Input::Received(&zoom), late), []);
    assert_eq!(visca.state().zoom, Some(0x1234));
    let next = visca.handle_timeout(late + ANSWERS);
    assert_eq!(asked(next), [4, 0x38]);
    assert_eq!(visca.state().picture, Picture::default());
}

#[test]
fn a_stream_of_garbage_costs_nothing_and_a_lost_connection_is_called_again() {
    let mut talk = Talk::up_over(Protocol::Tcp);
    for _ in 0..1000 {
        let effects = talk.visca.handle(Input::Received(&[7; 1000]), talk.now);
        assert_eq!(effects, []);
    }
    let effects = talk.visca.handle(Input::Received(&[0xff; 1000]), talk.now);
    assert_eq!(effects, []);
    talk.want(HERE);
    talk.run(2);
    assert_eq!(talk.finished.pop(), Some((HERE, Ok(()))));
    talk.want(Request::Zoom(1));
    let effects = talk.visca.handle(Input::Lost, talk.now);
    talk.act(effects);
    let lost = (Request::Zoom(1), Err(Failure::Unreachable));
    assert_eq!(talk.finished.pop(), Some(lost));
    assert!(talk.visca.is_down() && talk.visca.state().trouble.is_some());
    talk.camera.sockets = [None; 2];
    talk.visca.handle(Input::Connected, talk.now);
    talk.run(1);
    assert!(talk.visca.is_up(), "at once, not after a pause");
}

#[test]
fn dialects_are_learned() {
    let mut talk = Talk::new();
    talk.camera.pan_digits = 5;
    talk.camera.no_tilt_speed = true;
    talk.camera.pan = -70_000;
    talk.run(1);
    talk.want(HERE);
    talk.run(1);
    assert_eq!(talk.finished, [(HERE, Ok(()))]);
    assert_eq!((talk.camera.pan, talk.camera.tilt), (720, -14));
    talk.want(Request::Recall(99));
    talk.run(1);
    let refused = (Request::Recall(99), Err(Failure::Unknown));
    assert_eq!(talk.finished.pop(), Some(refused));
}

#[test]
fn nonsense_is_no_answer() {
    let mut talk = Talk::new();
    talk.lost = |_| true;
    for _ in 0..10 {
        let effects = talk
            .visca
            .handle(Input::Received(b"HTTP/1.1 400"), talk.now);
        assert_eq!(effects, []);
    }
    talk.run(3);
    assert_eq!(talk.visca.state().trouble, Some(Trouble::Nonsense));
}

proptest! {
    #[test]
    fn whatever_arrives_no_request_hangs_and_nothing_grows(
        inputs in proptest::collection::vec(
            (0_u8..8, 0_u32..12, proptest::collection::vec(any::<u8>(), 0..20)), 0..200,
        ),
        headed: bool,
    ) {
        let mut now = Instant::now();
        let protocol = if headed { Protocol::Sony } else { Protocol::Tcp };
        let mut visca = Visca::new(Model::default(), protocol, now);
        let (mut wanted, mut finished) = (0, 0);
        let mut count = |effects: Vec<Effect>| {
            finished += effects.iter().filter(|e| matches!(e, Effect::Finished(..))).count();
        };
        for (kind, sequence, bytes) in inputs {
            let reply = |packet: &[u8]| {
                if headed {
                    wire::write(Kind::Reply, sequence, packet)
                } else {
                    packet.to_vec()
                }
            };
            let datagram = match kind {
                0 => {
                    wanted += 1;
                    count(visca.handle(Input::Want(HERE), now));
                    continue;
                }
                1 => {
                    now += Duration::from_millis(100 * u64::from(sequence));
                    count(visca.handle_timeout(now));
                    continue;
                }
                2 => wire::write(Kind::ControlReply, 0, wire::RESET),
                3 => wire::write(Kind::ControlReply, sequence, &[0x0f, 1]),
                4 => reply(&[0x90, 0x41, 0xff]),
                5 => reply(&[0x90, 0x51, 0xff]),
                6 => reply(&[&[0x90, 0x50], &bytes[..], &[0xff]].concat()),
                _ => bytes,
            };
            count(visca.handle(Input::Received(&datagram), now));
            prop_assert!(visca.waiting.len() <= WAITING + 10 && visca.running.len() <= SOCKETS);
        }
        // The camera is silent from now on.
        for _ in 0..200 {
            if let Some((at, _)) = visca.poll_timeout() {
                now = now.max(at);
            }
            count(visca.handle_timeout(now));
        }
        prop_assert_eq!(finished, wanted);
        prop_assert!(matches!(visca.link, Link::Down(_) | Link::Resetting(..)));
    }
}
