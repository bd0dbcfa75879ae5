// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Several media servers, some of which are the same one.

use std::time::Duration;

use roomd_conference::{Ended, Event};
use roomd_matrix_port::News;
use roomd_model::FaultCode;

use crate::bench::{Bench, LINK, SERVICE_URL, camera, me, member, sends};

const OTHER: &str = "https://jwt.y";

/// In the call, joined on the own media server.
fn joined() -> Bench {
    let mut bench = Bench::new(LINK);
    bench.join();
    assert!(bench.events.contains(&Event::Joined));
    bench.events.clear();
    bench
}

fn comes(bench: &mut Bench, service: &str) {
    bench.members.push(member("@bert:y", "B", service));
    bench.call();
    bench.answer();
}

fn hosts(bench: &Bench) -> Vec<&str> {
    let urls = bench.sockets.iter();
    urls.filter_map(|(_, url, _)| url.host_str()).collect()
}

fn is_over(bench: &Bench) -> bool {
    let over = |event: &Event| matches!(event, Event::Ended(_));
    bench.events.iter().any(over)
}

#[test]
fn the_own_service_is_known_however_it_is_written() {
    let mut bench = joined();
    comes(&mut bench, &format!("{SERVICE_URL}/?x=1#y"));
    assert_eq!(bench.http.len(), 0);
}

#[test]
fn one_connection_serves_two_services_of_a_server() {
    let mut bench = joined();
    comes(&mut bench, OTHER);
    bench.grant(OTHER, "https://sfu.x/", "room");
    assert_eq!(hosts(&bench), ["sfu.x"]);
    bench.advance(Duration::from_secs(5));
    assert!(bench.http.is_empty(), "it stays so");
    // Another LiveKit room is nobody's duplicate.
    bench.members.push(member("@anna:x", "A", "https://jwt.z"));
    bench.call();
    bench.grant("https://jwt.z", "wss://sfu.x", "other");
    assert_eq!(hosts(&bench), ["sfu.x", "sfu.x"]);
}

#[test]
fn the_own_server_takes_its_place_back() {
    let mut bench = Bench::new(LINK);
    bench.news(News::Online(me()));
    bench.answer();
    comes(&mut bench, OTHER);
    bench.grant(OTHER, "wss://sfu.x", "room");
    bench.greet("sfu.x");
    bench.grant(SERVICE_URL, "wss://sfu.x", "room");
    bench.greet("sfu.x");
    assert!(bench.events.contains(&Event::Joined));
    bench.advance(Duration::from_secs(5));
    assert!(bench.http.is_empty(), "the other is not tried again");
    assert_eq!(hosts(&bench), ["sfu.x", "sfu.x"]);
}

#[test]
fn a_shared_server_is_tried_by_itself_when_the_other_is_gone() {
    let mut bench = joined();
    bench.members.push(member("@anna:x", "A", "https://jwt.z"));
    comes(&mut bench, OTHER);
    bench.grant(OTHER, "wss://sfu.y", "room");
    bench.greet("sfu.y");
    bench.grant("https://jwt.z", "wss://sfu.y", "room");
    assert_eq!(hosts(&bench), ["sfu.x", "sfu.y"]);
    bench.members.pop();
    bench.call();
    bench.grant("https://jwt.z", "wss://sfu.y", "room");
    assert_eq!(hosts(&bench), ["sfu.x", "sfu.y", "sfu.y"]);
}

#[test]
fn a_server_under_two_names_does_not_end_the_meeting() {
    let mut bench = joined();
    comes(&mut bench, OTHER);
    bench.grant(OTHER, "wss://alias.x", "room");
    bench.greet("alias.x");
    bench.replaced("sfu.x");
    assert!(!is_over(&bench), "{:?}", bench.events);
    bench.advance(Duration::from_secs(1));
    bench.grant(SERVICE_URL, "wss://sfu.x", "room");
    bench.greet("sfu.x");
    assert_eq!(bench.events.last(), Some(&Event::Joined));
    bench.advance(Duration::from_secs(5));
    assert!(bench.http.is_empty(), "the other is not tried again");
    assert_eq!(hosts(&bench), ["sfu.x", "alias.x", "sfu.x"]);
}

#[test]
fn whoever_else_joins_as_the_room_replaces_it() {
    let mut bench = joined();
    comes(&mut bench, OTHER);
    // A server of another room has nothing to do with it.
    bench.grant(OTHER, "wss://sfu.y", "other");
    bench.greet("sfu.y");
    bench.replaced("sfu.x");
    let replaced = Event::Ended(Ended::Failed(FaultCode::Replaced));
    assert_eq!(bench.events.last(), Some(&replaced));
}

#[test]
fn a_server_speaks_for_those_who_send_to_it() {
    let mut bench = joined();
    bench.members.push(member("@anna:x", "A", SERVICE_URL));
    comes(&mut bench, OTHER);
    bench.grant(OTHER, "wss://sfu.y", "room");
    bench.greet("sfu.y");
    let (anna, bert) = ("@anna:x:A", "@bert:y:B");
    let all = vec![
        sends(anna, vec![camera("TR_a", true)]),
        sends(bert, vec![camera("TR_b", true)]),
    ];
    bench.update("sfu.y", all);
    bench.offer("sfu.y", &[(anna, "TR_a"), (bert, "TR_b")]);
    let people = bench.people();
    let senders = bench.events.iter().filter_map(|event| match event {
        Event::StreamAdded { participant, .. } => people.iter().find(|it| it.id == *participant),
        _ => None,
    });
    let senders: Vec<_> = senders.map(|it| it.name.expose().as_str()).collect();
    assert_eq!(senders, ["", "Bert"]);
    let names: Vec<_> = bench
        .people()
        .into_iter()
        .map(|it| it.name.into_inner())
        .collect();
    assert_eq!(names, ["Anna", "", "Bert"]);
}

#[test]
fn a_service_leads_nobody_to_this_machine() {
    let mut bench = joined();
    comes(&mut bench, OTHER);
    bench.grant(OTHER, "ws://127.0.0.1:7880", "room");
    assert_eq!(hosts(&bench), ["sfu.x"]);
    let anna = member("@anna:x", "A", "http://127.0.0.1:8080");
    bench.members.push(anna);
    bench.call();
    assert_eq!(bench.http.len(), 0);
}
