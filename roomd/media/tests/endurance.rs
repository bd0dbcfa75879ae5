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

const ROUNDS: u32 = 200;
/// Pools fill up in the first rounds.
const WARM_UP: u32 = 40;

/// What this process holds.
#[derive(Clone, Copy, Debug)]
struct Use {
    threads: usize,
    descriptors: usize,
    /// What was allocated and not freed.
    held_kb: usize,
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
        held_kb: held_kb(),
        resident_kb: resident.unwrap().parse().unwrap(),
    }
}

/// What it holds when nobody is there: pipelines close a moment after their connection. Pictures are
/// on their way all the time, so the least that is held counts.
async fn at_rest() -> Use {
    let mut last = usage();
    let mut same = 0;
    let mut held_kb = usize::MAX;
    let end = Instant::now() + LIMIT;
    while same < 20 {
        assert!(Instant::now() < end, "it never comes to rest: {last:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let next = usage();
        let rests = (next.threads, next.descriptors) == (last.threads, last.descriptors);
        (same, held_kb) = if rests {
            (same + 1, held_kb.min(next.held_kb))
        } else {
            (0, usize::MAX)
        };
        last = next;
    }
    Use { held_kb, ..last }
}

/// The engine has all threads allocate from one arena, which this sees.
fn held_kb() -> usize {
    #[expect(unsafe_code, reason = "glibc has no safe interface for it")]
    // SAFETY: mallinfo2 takes nothing and may be called at any time (mallinfo(3)).
    let figures = unsafe { libc::mallinfo2() };
    (figures.uordblks + figures.hblkhd) / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_guests_come_and_go_and_leave_nothing() {
    let mut room = Room::start(1, 1000.0);
    let mut guest = Room::start(2, 1400.0);
    for room in [&room, &guest] {
        room.sending(true, true).await;
    }
    let begin = Instant::now();
    let mut early = None;
    for n in 0..ROUNDS {
        let peer = PeerId(n);
        let streams = [StreamId(2 * n), StreamId(2 * n + 1)];
        link(&mut room, &mut guest, peer, streams).await;
        room.live(streams[1], true).await;
        guest.live(streams[1], true).await;
        for room in [&room, &guest] {
            room.session(MediaCommand::ClosePeer { peer }).await;
        }
        room.live(streams[1], false).await;
        if n == WARM_UP {
            early = Some(at_rest().await);
        }
        assert!(begin.elapsed() < LIMIT * 5, "only {n} rounds in time");
    }
    let (early, late) = (early.unwrap(), at_rest().await);
    println!(
        "{ROUNDS} rounds in {:?}: {early:?}, then {late:?}",
        begin.elapsed()
    );
    assert!(late.threads <= early.threads + 2, "{early:?} {late:?}");
    assert!(
        late.descriptors <= early.descriptors + 4,
        "{early:?} {late:?}"
    );
    // The least that was seen may have a picture or two more on its way.
    assert!(late.held_kb <= early.held_kb + 4_000, "{early:?} {late:?}");
    assert!(
        late.resident_kb <= early.resident_kb + 16_000,
        "{early:?} {late:?}"
    );
    room.engine.shutdown().await;
    guest.engine.shutdown().await;
}
