// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Guests come and go, and leave nothing: in a process of its own, so that nothing else counts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::time::{Duration, Instant};

use bench::{LIMIT, Room, link};
use roomd_conference::{MediaCommand, PeerId};
use roomd_model::StreamId;

const ROUNDS: usize = 200;
/// Pools fill up in the first rounds.
const WARM_UP: usize = 40;

/// What this process holds.
#[derive(Clone, Copy, Debug)]
struct Use {
    threads: usize,
    descriptors: usize,
    resident_kb: usize,
}

fn usage() -> Use {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.and_then(|rest| rest.split_whitespace().next());
    Use {
        threads: count("/proc/self/task"),
        descriptors: count("/proc/self/fd"),
        resident_kb: resident.unwrap().parse().unwrap(),
    }
}

/// The least of some rounds: pipelines close a moment after their connection.
fn least(uses: &[Use]) -> Use {
    let by = |of: fn(&Use) -> usize| uses.iter().map(of).min().unwrap();
    Use {
        threads: by(|one| one.threads),
        descriptors: by(|one| one.descriptors),
        resident_kb: by(|one| one.resident_kb),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_guests_come_and_go_and_leave_nothing() {
    let mut room = Room::start(1, 1000.0);
    let mut guest = Room::start(2, 1400.0);
    for room in [&room, &guest] {
        room.sending(true, true).await;
    }
    let begin = Instant::now();
    let mut uses = Vec::new();
    for n in 0..u32::try_from(ROUNDS).unwrap() {
        let peer = PeerId(n);
        let streams = [StreamId(2 * n), StreamId(2 * n + 1)];
        link(&mut room, &mut guest, peer, streams).await;
        room.live(streams[1], true).await;
        guest.live(streams[1], true).await;
        for room in [&room, &guest] {
            room.session(MediaCommand::ClosePeer { peer }).await;
        }
        room.live(streams[1], false).await;
        uses.push(usage());
        assert!(begin.elapsed() < LIMIT * 5, "only {n} rounds in time");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    uses.push(usage());
    let early = least(&uses[WARM_UP..WARM_UP + 20]);
    let late = least(&uses[uses.len() - 20..]);
    println!(
        "{ROUNDS} rounds in {:?}: {early:?}, then {late:?}",
        begin.elapsed()
    );
    assert!(late.threads <= early.threads + 2, "{early:?} {late:?}");
    assert!(
        late.descriptors <= early.descriptors + 4,
        "{early:?} {late:?}"
    );
    assert!(
        late.resident_kb <= early.resident_kb + 8_000,
        "{early:?} {late:?}"
    );
    room.engine.shutdown().await;
    guest.engine.shutdown().await;
}
