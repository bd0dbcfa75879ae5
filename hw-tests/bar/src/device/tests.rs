// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The bar before a host that behaves, and before one that does not.

use proptest::prelude::*;

use super::*;
use crate::telephony::Key;

fn bar() -> Bar {
    Bar::new("A1", 1, Faults::default())
}

fn control(setup: [u8; 8], data: &[u8]) -> Request {
    let inwards = setup[0] & 0x80 != 0;
    let length = usize::from(u16::from_le_bytes([setup[6], setup[7]]));
    Request::Submit(Submit {
        sequence: 1,
        inwards,
        length,
        setup,
        data: data.to_vec(),
        ..Submit::default()
    })
}

fn isochronous(sequence: u32, endpoint: u8, packets: usize, room: usize) -> Request {
    Request::Submit(Submit {
        sequence,
        endpoint,
        inwards: true,
        length: packets * room,
        packets: (0..packets).map(|at| (at * room, room)).collect(),
        ..Submit::default()
    })
}

fn key(sequence: u32) -> Request {
    Request::Submit(Submit {
        sequence,
        endpoint: own::KEY_ENDPOINT,
        inwards: true,
        length: 8,
        ..Submit::default()
    })
}

fn ask(bar: &mut Bar, request: Request) -> (i32, Vec<u8>) {
    bar.handle_request(request, Duration::ZERO);
    match bar.poll_reply() {
        Some(Reply::Done { status, data, .. }) => (status, data),
        other => panic!("an answer, not {other:?}"),
    }
}

#[test]
fn a_host_reads_who_it_is() {
    let mut bar = bar();
    let (status, head) = ask(&mut bar, control([0x80, 6, 0, 1, 0, 0, 8, 0], &[]));
    assert_eq!((status, &head[..]), (0, &own::device()[..8]));
    let (_, serial) = ask(&mut bar, control([0x80, 6, 3, 3, 9, 4, 255, 0], &[]));
    assert_eq!(serial, [6, 3, b'A', 0, b'1', 0]);
    assert_eq!(
        ask(&mut bar, control([0x80, 6, 0, 6, 0, 0, 10, 0], &[])).0,
        STALL
    );
}

#[test]
fn the_camera_is_open_while_a_setting_is_selected() {
    let mut bar = bar();
    ask(
        &mut bar,
        control([0x01, 0x0b, 2, 0, own::VIDEO_STREAM, 0, 0, 0], &[]),
    );
    assert!(bar.report().camera_open);
    bar.handle_request(
        isochronous(5, own::VIDEO_ENDPOINT, 32, 3072),
        Duration::ZERO,
    );
    assert_eq!(bar.poll_timeout(), Some(Duration::from_millis(32)));
    assert_eq!(bar.poll_reply(), None);
    bar.handle_timeout(Duration::from_millis(32));
    let Some(Reply::Done {
        sequence: 5,
        actual,
        ..
    }) = bar.poll_reply()
    else {
        panic!("payload")
    };
    assert_eq!(actual, 32 * 3072);
    ask(
        &mut bar,
        control([0x01, 0x0b, 0, 0, own::VIDEO_STREAM, 0, 0, 0], &[]),
    );
    assert!(!bar.report().camera_open);
    assert_eq!(
        ask(&mut bar, control([0x01, 0x0b, 9, 0, 1, 0, 0, 0], &[])).0,
        STALL
    );
}

#[test]
fn a_camera_that_refuses_to_send_counts_it_and_stays_closed() {
    let mut bar = bar();
    let fault = |name: &str| Order::Fault(format!("camera={name}"));
    let select = |bar: &mut Bar, alternate| {
        let setup = [0x01, 0x0b, alternate, 0, own::VIDEO_STREAM, 0, 0, 0];
        let (status, _) = ask(bar, control(setup, &[]));
        (status, bar.report().camera_open, bar.report().refused)
    };
    bar.handle_order(&fault("refusing")).unwrap();
    assert_eq!(select(&mut bar, 2), (STALL, false, 1));
    assert_eq!(select(&mut bar, 0), (0, false, 1));
    bar.handle_order(&fault("none")).unwrap();
    assert_eq!(select(&mut bar, 2), (0, true, 1));
}

#[test]
fn a_key_waits_for_the_host_and_the_host_for_a_key() {
    let mut bar = bar();
    bar.handle_request(key(1), Duration::ZERO);
    assert_eq!(bar.poll_reply(), None);
    bar.handle_order(&Order::Press(Key::Mute, 1)).unwrap();
    let Some(Reply::Done {
        sequence: 1, data, ..
    }) = bar.poll_reply()
    else {
        panic!("a key")
    };
    assert_eq!(data, [1, 2]);
    assert_eq!(ask(&mut bar, key(2)).1, [1, 0]);
}

#[test]
fn a_transfer_is_taken_back_once() {
    let mut bar = bar();
    bar.handle_request(key(7), Duration::ZERO);
    for was_open in [true, false] {
        bar.handle_request(
            Request::Unlink {
                sequence: 8,
                victim: 7,
            },
            Duration::ZERO,
        );
        assert_eq!(
            bar.poll_reply(),
            Some(Reply::Unlinked {
                sequence: 8,
                was_open
            })
        );
    }
}

#[test]
fn the_lamp_is_seen() {
    let mut bar = bar();
    let request = control([0x21, 9, 1, 2, own::TELEPHONY, 0, 2, 0], &[1, 1]);
    assert_eq!(ask(&mut bar, request), (0, vec![]));
    assert!(bar.report().lamps.mute);
}

#[test]
fn a_control_fault_leaves_the_standard_requests() {
    let mut bar = bar();
    bar.handle_order(&Order::Fault("control=stall".into()))
        .unwrap();
    let class = control([0xa1, 0x81, 0, 2, 0, own::PROCESSING_UNIT, 2, 0], &[]);
    assert_eq!(ask(&mut bar, class).0, STALL);
    assert_eq!(
        ask(&mut bar, control([0x80, 6, 0, 1, 0, 0, 18, 0], &[])).0,
        0
    );
}

proptest! {
    /// Whatever a host sends: no panic, and nothing that is answered twice.
    #[test]
    fn every_transfer_is_answered_at_most_once(
        transfers in prop::collection::vec(
            (any::<u8>(), any::<bool>(), any::<[u8; 8]>(), prop::collection::vec(any::<u8>(), 0..40), 0_usize..4),
            1..60,
        )
    ) {
        let mut bar = bar();
        for (at, (endpoint, inwards, setup, data, packets)) in transfers.iter().enumerate() {
            let submit = Submit {
                sequence: at as u32,
                endpoint: endpoint % 6,
                inwards: *inwards,
                length: data.len(),
                setup: *setup,
                data: data.clone(),
                packets: (0..*packets).map(|at| (at * 10, 1 << (at * 20))).collect(),
            };
            bar.handle_request(Request::Submit(submit), Duration::from_millis(at as u64));
        }
        bar.handle_timeout(Duration::from_secs(10));
        let mut seen = std::collections::BTreeSet::new();
        while let Some(Reply::Done { sequence, actual, data, .. }) = bar.poll_reply() {
            prop_assert!(seen.insert(sequence));
            prop_assert!(data.len() <= actual);
        }
    }
}
