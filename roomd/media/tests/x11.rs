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

use bench::{LIMIT, PICTURE, Room, SOUND, Wire};
use roomd_conference::PeerId;
use roomd_media::{
    CameraSource, ContentDisplay, DisplayOutput, EngineCommand, EngineEvent, Settings,
};
use roomd_media_core::scene::TileSource;
use roomd_media_core::timecode;
use screen::{Server, screen_shows, shows};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_displays_show_what_each_is_for() {
    let server = Server::start(None);
    let mut room = Room::with(Settings {
        display: DisplayOutput::X11,
        display_server: Some(server.screen(0)),
        content_display: Some(ContentDisplay::X11(server.screen(1))),
        content: CameraSource::None,
        ..Room::settings(1, 1000.0)
    });
    let both = |event| match event {
        EngineEvent::Devices(found) => {
            (found.display.is_some() && found.content_display.is_some()).then_some(())
        }
        _ => None,
    };
    room.wait("two displays", both).await;
    let (people, content) = ([200, 40, 40], [30, 60, 190]);
    room.paint(people).await;
    let scene = Room::painted(content);
    room.engine
        .command(EngineCommand::ContentScene(scene))
        .await;
    screen_shows(&server, 0, people).await;
    screen_shows(&server, 1, content).await;

    // A stream can be on the second display alone.
    let mut wire = Wire::connect(&mut room, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    let mut guest = Room::start(22, 1400.0);
    guest.sending(false, true).await;
    let from = Wire::connect(&mut guest, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    let relay = tokio::spawn(from.carry_to(wire));
    let command = EngineCommand::ContentScene(Room::whole(TileSource::Stream(PICTURE)));
    room.engine.command(command).await;
    let end = std::time::Instant::now() + LIMIT;
    loop {
        let picture = room.engine.content_picture().await.unwrap().unwrap();
        if timecode::read(picture.plane(0)).is_some_and(|code| code.source == 22) {
            break;
        }
        assert!(std::time::Instant::now() < end, "the stream is never shown");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    screen_shows(&server, 0, people).await;
    relay.abort();
    room.engine.shutdown().await;
    guest.engine.shutdown().await;
}
