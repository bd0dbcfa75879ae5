// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Encrypted meetings.

use livekit_protocol as proto;
use proto::signal_response::Message as Response;
use roomd_conference::{FrameKeyMaterial, FrameScheme, LocalSource};
use roomd_livekit::{Identity, Options, Packet};
use roomd_model::{Pii, Secret};

use crate::bench::{Bench, camera, join, microphone, options, sealed, somebody};

fn encrypted(scheme: FrameScheme) -> Options {
    let mut options = options(&[LocalSource::Microphone]);
    options.encryption = Some(scheme);
    options
}

fn key(seed: u8) -> FrameKeyMaterial {
    FrameKeyMaterial::Bytes(vec![seed; 16])
}

fn anna() -> Identity {
    Identity::new("anna")
}

#[test]
fn both_connections_encrypt_before_anything_is_described() {
    let mut bench = Bench::new(encrypted(FrameScheme::ElementCall));
    bench.wish(|connection, _| connection.set_own_key(3, key(1)));
    bench.open();
    bench.hear(Response::Join(proto::JoinResponse {
        sif_trailer: vec![1, 2, 3],
        ..join()
    }));
    bench.offer(&[]);
    let log = bench.take_log();
    let at = |what: &str| {
        let found = log.iter().position(|line| line.starts_with(what));
        found.unwrap_or_else(|| panic!("no {what} in {log:#?}"))
    };
    let mark = "encrypts ElementCall mark [1, 2, 3]";
    assert_eq!(at("peer 0 opens") + 1, at(&format!("peer 0 {mark}")));
    assert!(at("peer 0 sends key 3") < at("peer 0 offers"));
    assert!(at(&format!("peer 1 {mark}")) < at("peer 1 remote Offer"));
    let add = log.iter().find(|line| line.starts_with("> add")).unwrap();
    assert!(add.contains("encryption 1"), "{add}");
}

#[test]
fn keys_come_before_and_after_those_they_belong_to() {
    let mut bench = Bench::joined_with(encrypted(FrameScheme::ElementCall));
    bench.wish(|connection, _| connection.set_key(&anna(), 0, key(1)));
    bench.wish(|connection, _| connection.set_key(&anna(), 1, key(2)));
    bench.take_log();
    bench.update(vec![somebody("anna", vec![sealed(camera("TR_b"))])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    assert_eq!(
        bench.take_log()[2..],
        [
            "peer 1 remote Offer",
            "peer 1 binds 1=Camera#1",
            "stream 1 key 0",
            "stream 1 key 1",
            "* added 1 anna Camera encrypted",
            "> answer 2",
        ]
    );
    bench.wish(|connection, _| connection.set_key(&anna(), 2, key(3)));
    bench.wish(|connection, _| connection.set_key(&Identity::new("bert"), 0, key(4)));
    bench.wish(|connection, _| connection.forget_key(&anna(), 0));
    bench.wish(|connection, _| connection.set_own_key(1, key(5)));
    assert_eq!(
        bench.take_log(),
        ["stream 1 key 2", "stream 1 forgets 0", "peer 0 sends key 1"]
    );
}

#[test]
fn a_shared_key_is_for_everybody() {
    let mut bench = Bench::joined_with(encrypted(FrameScheme::LiveKitShared));
    bench.update(vec![somebody("anna", vec![sealed(camera("TR_b"))])]);
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    bench.take_log();
    let word = FrameKeyMaterial::Passphrase(Secret::new("Kamillentee"));
    bench.wish(|connection, _| connection.set_shared_key(0, &word));
    assert_eq!(bench.take_log(), ["stream 1 key 0", "peer 0 sends key 0"]);
    bench.update(vec![somebody("bert", vec![sealed(microphone("TR_c"))])]);
    bench.offer(&[("1", "PA_anna", "TR_b"), ("2", "PA_bert", "TR_c")]);
    assert!(bench.log.contains(&"stream 2 key 0".to_owned()));
}

#[test]
fn what_is_not_encrypted_is_never_bound() {
    let mut bench = Bench::joined_with(encrypted(FrameScheme::LiveKit));
    bench.take_log();
    let custom = proto::TrackInfo {
        encryption: proto::encryption::Type::Custom as i32,
        ..microphone("TR_a")
    };
    bench.update(vec![somebody("anna", vec![camera("TR_b"), custom])]);
    bench.offer(&[("1", "PA_anna", "TR_b"), ("2", "PA_anna", "TR_a")]);
    assert_eq!(
        bench.take_log(),
        [
            "* anna microphone camera",
            "* refused anna Microphone Encrypted",
            "* refused anna Camera Unencrypted",
            "peer 1 remote Offer",
            "> answer 2",
        ]
    );
    // Nor does it become so because the server says it again.
    bench.update(vec![somebody("anna", vec![camera("TR_b")])]);
    assert_eq!(bench.take_log(), ["* anna camera"]);
}

#[test]
fn keys_are_kept_for_a_connection_that_is_made_anew() {
    let mut bench = Bench::joined_with(encrypted(FrameScheme::ElementCall));
    bench.wish(|connection, _| connection.set_own_key(4, key(1)));
    bench.wish(|connection, _| connection.set_key(&anna(), 2, key(2)));
    bench.hear(crate::bench::leave(
        proto::DisconnectReason::StateMismatch,
        proto::leave_request::Action::Reconnect,
    ));
    bench.open();
    bench.take_log();
    bench.hear(Response::Join(proto::JoinResponse {
        other_participants: vec![somebody("anna", vec![sealed(camera("TR_b"))])],
        ..join()
    }));
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    let log = bench.take_log();
    assert!(log.contains(&"peer 2 sends key 4".to_owned()), "{log:#?}");
    assert!(log.contains(&"stream 1 key 2".to_owned()), "{log:#?}");
}

#[test]
fn no_more_keys_are_held_than_anybody_needs() {
    let mut bench = Bench::joined_with(encrypted(FrameScheme::ElementCall));
    for index in 0..1000 {
        bench.wish(|connection, _| connection.set_key(&anna(), index, key(1)));
    }
    bench.update(vec![somebody("anna", vec![sealed(camera("TR_b"))])]);
    bench.take_log();
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    let keys = bench.log.iter().filter(|line| line.contains(" key "));
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys.len(), 16);
    assert_eq!(keys[15], "stream 1 key 999");
    // Those who are here keep theirs when too many others come.
    for other in 0..3000 {
        let other = Identity::new(format!("other{other}"));
        bench.wish(|connection, _| connection.set_key(&other, 0, key(1)));
    }
    bench.offer(&[]);
    bench.take_log();
    bench.offer(&[("1", "PA_anna", "TR_b")]);
    let keys = bench.log.iter().filter(|line| line.contains(" key "));
    assert_eq!(keys.count(), 16);
}

#[test]
fn nothing_readable_passes_an_encrypted_meeting() {
    let mut options = encrypted(FrameScheme::LiveKit);
    options.data = true;
    let mut bench = Bench::joined_with(options);
    assert!(
        !bench
            .log
            .iter()
            .any(|line| line.contains("channel") || line.contains("TakeData"))
    );
    let packet = Packet {
        payload: Pii::new(vec![1]),
        topic: String::new(),
        reliable: true,
        to: Vec::new(),
    };
    assert!(!bench.wish(|connection, _| connection.send_data(packet)));
    // Keys mean nothing in a meeting without encryption.
    let mut open = Bench::joined(&[LocalSource::Microphone]);
    open.take_log();
    open.wish(|connection, _| connection.set_own_key(0, key(1)));
    open.wish(|connection, _| connection.set_key(&anna(), 0, key(1)));
    open.wish(|connection, _| connection.set_shared_key(0, &key(1)));
    assert_eq!(open.take_log(), [""; 0]);
}
