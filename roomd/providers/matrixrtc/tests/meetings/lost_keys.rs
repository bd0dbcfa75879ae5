// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What members send and does not open, because a key was lost or is not the one that they use.

use std::collections::BTreeSet;
use std::time::Duration;

use roomd_conference::{Event, Input, MediaEvent};
use roomd_matrix_port::Ask;
use roomd_model::{FaultCode, StreamId, StreamTrouble};
use serde_json::Value;

use crate::bench::{Bench, LINK, SERVICE_URL, camera, member, sends};

/// Lets time pass in steps; gives after how many seconds the membership was announced, and how.
fn announced(bench: &mut Bench, seconds: u64) -> Vec<(u64, Value)> {
    let mut announced = Vec::new();
    for second in 1..=seconds {
        bench.advance(Duration::from_secs(1));
        for ask in std::mem::take(&mut bench.seen) {
            if let Ask::SetState { content, .. } = ask {
                announced.push((second, content.expose().clone()));
            }
        }
    }
    announced
}

fn trouble(stream: StreamId, active: bool) -> Input {
    Input::Media(MediaEvent::Trouble {
        stream,
        trouble: StreamTrouble::Undecryptable,
        active,
    })
}

fn with_a_picture(link: &str, members: &[&str]) -> (Bench, StreamId) {
    let mut bench = Bench::new(link);
    for user in members {
        bench.members.push(member(user, "A", SERVICE_URL));
    }
    bench.join();
    let anna = sends("@anna:x:A", vec![camera("TR_a", true)]);
    bench.update("sfu.x", vec![anna]);
    bench.offer("sfu.x", &[("@anna:x:A", "TR_a")]);
    bench.seen.clear();
    let stream = bench.stream();
    (bench, stream)
}

#[test]
fn all_are_asked_for_their_keys_while_a_member_cannot_be_opened() {
    let (mut bench, stream) = with_a_picture(LINK, &["@anna:x"]);
    bench.feed(trouble(stream, true));
    let asked = announced(&mut bench, 80);
    let at: Vec<_> = asked.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [12, 32, 72]);
    assert!(asked.iter().all(|(_, it)| it.get("created_ts").is_none()));
    let ends = asked.iter().map(|(_, it)| it["expires"].as_u64());
    let ends: BTreeSet<_> = ends.collect();
    assert_eq!(ends.len(), 3, "a homeserver makes an event of each");
}

#[test]
fn a_member_who_is_seen_late_is_asked_for_keys_too() {
    let (mut bench, stream) = with_a_picture(LINK, &[]);
    bench.feed(trouble(stream, true));
    assert_eq!(announced(&mut bench, 20), []);
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    bench.call();
    assert_eq!(announced(&mut bench, 20).len(), 1);
}

#[test]
fn what_begins_anew_says_nothing_about_clocks() {
    let (mut bench, stream) = with_a_picture(LINK, &["@anna:x"]);
    bench.feed(trouble(stream, true));
    // The membership that stands is old by then.
    bench.now = bench.now.after(Duration::from_secs(3600));
    bench.feed(Input::Timeout);
    bench.call();
    let wrong = Event::Fault(FaultCode::ClockWrong);
    assert!(!bench.events.contains(&wrong));
}

#[test]
fn what_opens_soon_is_not_asked_for() {
    let (mut bench, stream) = with_a_picture(LINK, &["@anna:x"]);
    bench.feed(trouble(stream, true));
    assert_eq!(announced(&mut bench, 8), []);
    bench.feed(trouble(stream, false));
    assert_eq!(announced(&mut bench, 60), []);
}

#[test]
fn strangers_and_wrong_passwords_ask_nobody_for_keys() {
    let (mut bench, stream) = with_a_picture(LINK, &["@bert:y"]);
    bench.feed(trouble(stream, true));
    assert_eq!(announced(&mut bench, 60), []);
    let (mut bench, stream) = with_a_picture(&format!("{LINK}&password=first"), &["@anna:x"]);
    bench.feed(trouble(stream, true));
    assert_eq!(announced(&mut bench, 60), []);
}
