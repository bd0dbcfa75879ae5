// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Other devices in a call: what was missing comes, what was there goes, and the call stands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use bench::{PICTURE, Room, SOUND, link};
use roomd_conference::PeerId;
use roomd_media::{CameraSource, EngineCommand, EngineEvent, MicrophoneSource, Settings};
use roomd_media_core::scene::TileSource;
use roomd_model::FaultCode;

async fn fault(room: &mut Room, wanted: FaultCode, on: bool) {
    room.wait("a fault", |event| match event {
        EngineEvent::Fault { code, active } => (code == wanted && active == on).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_is_chosen_in_a_call_is_seen_and_its_end_is_told() {
    let mut room = Room::with(Settings {
        camera: CameraSource::None,
        microphone: MicrophoneSource::Device("hw:nothing".to_owned()),
        ..Room::settings(7, 1000.0)
    });
    let mut viewer = Room::start(2, 1400.0);
    link(&mut room, &mut viewer, PeerId(1), [SOUND, PICTURE]).await;
    room.sending(true, true).await;
    fault(&mut room, FaultCode::CameraMissing, true).await;
    assert_eq!(room.engine.camera_thumbnail().await.unwrap(), None);
    viewer.show(TileSource::Stream(PICTURE)).await;

    let camera = EngineCommand::Camera(CameraSource::TestPicture);
    room.engine.command(camera).await;
    fault(&mut room, FaultCode::CameraMissing, false).await;
    let first = viewer.sees(7).await;
    let thumbnail = room.engine.camera_thumbnail().await.unwrap().unwrap();
    let decoder = png::Decoder::new(std::io::Cursor::new(thumbnail));
    let size = decoder.read_info().unwrap().info().size();
    assert_eq!(size, (160, 90));
    let microphone = EngineCommand::Microphone(MicrophoneSource::TestSound);
    room.engine.command(microphone).await;
    viewer.hears(1000.0).await;
    // The same again changes nothing.
    let again = EngineCommand::Camera(CameraSource::TestPicture);
    room.engine.command(again).await;
    viewer.sees_later(7, first).await;

    let none = EngineCommand::Camera(CameraSource::None);
    room.engine.command(none).await;
    fault(&mut room, FaultCode::CameraMissing, true).await;
    room.engine.shutdown().await;
    viewer.engine.shutdown().await;
}
