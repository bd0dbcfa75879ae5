// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Passwords that are missing or wrong.

use std::time::Duration;

use roomd_conference::{Command, Event, Input, MediaEvent};
use roomd_matrix_port::Done;
use roomd_model::{E2ee, Secret, StreamTrouble};

use crate::bench::{Bench, LINK, SERVICE_URL, camera, member, room, sends};

fn asked(bench: &Bench) -> Vec<bool> {
    let wrong = |event: &Event| match event {
        Event::PasswordRequired { wrong } => Some(*wrong),
        _ => None,
    };
    bench.events.iter().filter_map(wrong).collect()
}

#[test]
fn a_password_that_others_have_is_asked_for_until_it_is_there() {
    let mut bench = Bench::with(LINK, false);
    let plain = Ok(Done::Joined(room(false)));
    bench.answers.insert("join", plain);
    bench.join();
    let anna = sends("@anna:x:A", vec![camera("TR_a", true)]);
    bench.update("sfu.x", vec![anna]);
    assert_eq!(asked(&bench), [false]);
    bench.events.clear();
    bench.restart("sfu.x");
    let lost = |event: &Event| matches!(event, Event::Reconnecting { .. });
    assert!(bench.events.iter().any(lost));
    bench.greet("sfu.x");
    assert!(bench.events.contains(&Event::Joined));
    assert_eq!(asked(&bench), [false], "again");
}

#[test]
fn each_wrong_password_is_asked_about() {
    let mut bench = Bench::new(&format!("{LINK}&password=first"));
    bench.join();
    let anna = sends("@anna:x:A", vec![camera("TR_a", true)]);
    bench.update("sfu.x", vec![anna]);
    bench.offer("sfu.x", &[("@anna:x:A", "TR_a")]);
    let stream = bench.stream();
    let trouble = |active| {
        Input::Media(MediaEvent::Trouble {
            stream,
            trouble: StreamTrouble::Undecryptable,
            active,
        })
    };
    bench.feed(trouble(true));
    assert_eq!(asked(&bench), [true]);
    bench.command(Command::Password(Secret::new("second")));
    bench.advance(Duration::from_secs(2));
    assert_eq!(asked(&bench), [true], "it may still open");
    bench.advance(Duration::from_secs(2));
    assert_eq!(asked(&bench), [true; 2]);
    bench.command(Command::Password(Secret::new("third")));
    bench.feed(trouble(false));
    bench.advance(Duration::from_secs(5));
    assert_eq!(asked(&bench), [true; 2], "it opens");
}

#[test]
fn only_frames_that_the_password_opened_speak_for_it() {
    let mut bench = Bench::new(&format!("{LINK}&password=first"));
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.join();
    let anna = sends("@anna:x:A", vec![camera("TR_a", true)]);
    bench.update("sfu.x", vec![anna]);
    bench.offer("sfu.x", &[("@anna:x:A", "TR_a")]);
    let stream = bench.stream();
    bench.feed(Input::Media(MediaEvent::Stream { stream, live: true }));
    assert_eq!(bench.people()[0].e2ee, E2ee::Pending, "a blank frame");
    bench.feed(Input::Media(MediaEvent::Opened { stream }));
    assert_eq!(bench.people()[0].e2ee, E2ee::Verified);
}
