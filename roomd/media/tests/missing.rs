// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Devices that are not there: a fault each, and the call goes on with what is left.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::collections::BTreeSet;
use std::time::Duration;

use bench::{PICTURE, Room, SOUND, Wire};
use roomd_conference::PeerId;
use roomd_media::{CameraSource, EngineCommand, EngineEvent, Loudspeaker};
use roomd_media::{MicrophoneSource, Settings};
use roomd_model::FaultCode;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_without_devices_still_sends_a_still_picture() {
    let mut room = Room::with(Settings {
        camera: CameraSource::Device("/dev/video-none".into()),
        microphone: MicrophoneSource::Device("hw:nothing".to_owned()),
        loudspeaker: Loudspeaker::Device("hw:nothing".to_owned()),
        ..Room::settings(1, 1000.0)
    });
    room.sending(true, true).await;
    let mut missing = BTreeSet::from([
        FaultCode::CameraMissing,
        FaultCode::MicrophoneMissing,
        FaultCode::LoudspeakerMissing,
    ]);
    room.wait("three faults", |event| {
        if let EngineEvent::Fault { code, active: true } = event {
            missing.remove(&code);
        }
        missing.is_empty().then_some(())
    })
    .await;
    let mut wire = Wire::connect(&mut room, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    let stills = wire.frames(1, Duration::from_secs(3)).await;
    assert!((5..=30).contains(&stills), "{stills} still pictures");
    // Silence, so that nobody takes the connection for broken.
    wire.flows(0, 3).await;
    // Nobody looks any more: nothing is missing.
    room.engine.command(EngineCommand::CallEnded).await;
    room.wait("an end of the fault", |event| match event {
        EngineEvent::Fault { code, active } => {
            (code == FaultCode::CameraMissing && !active).then_some(())
        }
        _ => None,
    })
    .await;
    room.engine.shutdown().await;
}
