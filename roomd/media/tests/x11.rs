// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The composed picture on a real X server, which goes away in the middle of a call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;
mod screen;

use std::time::Duration;

use bench::{PICTURE, Room, SOUND, Wire};
use roomd_conference::PeerId;
use roomd_media::{DisplayOutput, Settings};
use screen::{Server, shows};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_is_on_the_screen_and_comes_back_with_it() {
    let mut server = Server::start(None);
    let mut room = Room::with(Settings {
        display: DisplayOutput::X11,
        display_server: Some(server.display.clone()),
        ..Room::settings(1, 1000.0)
    });
    room.display_missing(false).await;
    for colour in [[200, 40, 40], [30, 60, 190]] {
        room.paint(colour).await;
        shows(&server, colour).await;
    }
    let mut wire = Wire::connect(&mut room, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    room.sending(true, true).await;
    wire.flows(1, 10).await;

    server.stop();
    room.display_missing(true).await;
    wire.frames(1, Duration::from_millis(300)).await;
    wire.flows(1, 10).await;

    let server = Server::start(Some(&server.display));
    room.display_missing(false).await;
    shows(&server, [30, 60, 190]).await;
    room.paint([220, 220, 40]).await;
    shows(&server, [220, 220, 40]).await;
    room.engine.shutdown().await;
}
