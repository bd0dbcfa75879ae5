// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How far picture and sound are apart when they leave the room's display and loudspeaker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bench::{LIMIT, PICTURE, Room, SOUND, Wire};
use roomd_conference::PeerId;
use roomd_media::EngineCommand;
use roomd_media_core::scene::TileSource;
use roomd_peer::{PeerCommand, PeerEvent};

/// Carries frames over, pictures so much later than sound.
async fn carry(mut from: Wire, to: Wire, delay: Duration) {
    let mut late: VecDeque<(Instant, PeerCommand)> = VecDeque::new();
    loop {
        let due = late.front().map(|(due, _)| *due);
        let far = Instant::now() + Duration::from_secs(3600);
        tokio::select! {
            () = tokio::time::sleep_until(due.unwrap_or(far).into()) => {
                if let Some((_, command)) = late.pop_front() {
                    let _ = to.commands.send(command).await;
                }
            }
            event = from.events.recv() => {
                let Some((_, event)) = event else { return };
                let PeerEvent::Frame { mid, frame } = event else { continue };
                let line = from.mids.iter().position(|known| *known == mid).unwrap();
                let mid = to.mids[line].clone();
                let due = Instant::now() + if line == 1 { delay } else { Duration::ZERO };
                let command = PeerCommand::Write { mid, frame };
                let at = late.partition_point(|(other, _)| *other <= due);
                late.insert(at, (due, command));
            }
        }
    }
}

/// What the room tells about a picture that is late by so much, once it has settled.
async fn settled(delay: Duration, good: impl Fn(f64) -> bool) -> Vec<f64> {
    let sender = &mut Room::start(1, 1000.0);
    let hearer = &mut Room::start(2, 1400.0);
    let begun = EngineCommand::CallStarted { at: Instant::now() };
    hearer.engine.command(begun).await;
    hearer.show(TileSource::Stream(PICTURE)).await;
    sender.sending(true, true).await;
    let from = Wire::connect(sender, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    let to = Wire::connect(hearer, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    let relay = tokio::spawn(carry(from, to, delay));
    let mut statistics = hearer.engine.statistics();
    let (end, mut told) = (Instant::now() + LIMIT, Vec::new());
    while !told.last().copied().is_some_and(&good) {
        assert!(Instant::now() < end, "told {told:?}");
        statistics.changed().await.unwrap();
        let figures = statistics.borrow_and_update();
        for stream in &figures.streams {
            assert_eq!(stream.av_offset_ms, figures.av_offset_ms, "{stream:?}");
        }
        told.extend(figures.av_offset_ms);
    }
    relay.abort();
    sender.engine.shutdown().await;
    hearer.engine.shutdown().await;
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_picture_is_measured_and_mended() {
    let told = settled(Duration::from_millis(200), |offset| offset.abs() < 25.0).await;
    let late = |offset: &f64| (100.0..300.0).contains(offset);
    assert!(told.iter().any(late), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_mended_is_told() {
    // The sound waits for 400 ms at most.
    let near = |offset: f64| (230.0..370.0).contains(&offset);
    let told = settled(Duration::from_millis(700), near).await;
    assert!(told.iter().all(|offset| *offset != 0.0), "{told:?}");
}
