// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's engine in a call with the far end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use roomd_conference::{
    Direction, Layers, LocalSource, MediaCommand, MediaEvent, MediaKind, NewLine, Offer, PeerId,
    SdpKind, SenderId, StreamBinding,
};
use roomd_media::{
    CameraSource, DisplayOutput, Engine, EngineCommand, EngineEvent, Loudspeaker, MicrophoneSource,
    Settings,
};
use roomd_model::{Pii, StreamId, StreamKind};
use serde_json::json;
use tokio::sync::{mpsc, watch};

use crate::far::{loopback, mids};
use crate::{grid, tell, web};

const PEER: PeerId = PeerId(1);
/// Pictures that do not come in so long never do.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(far: &str, streams: u32, display: Option<&str>) -> Result<()> {
    let (engine, mut events) = start(display)?;
    grid::show(&engine, streams).await;
    // What opens with the engine is no part of joining.
    grid::codes(&engine, streams).await?;
    let what = if display.is_some() { "live" } else { "clips" };
    let joined = join(&engine, &mut events, far, what, streams).await?;
    tell(&json!({ "join_ms": joined.as_secs_f64() * 1000.0 }));
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    prove(&engine, streams).await?;
    tell(&json!({ "proved": streams }));
    let mut words = words();
    let shown = count(&engine);
    while let Some(word) = words.recv().await {
        if word == "shown" {
            let mut shown = shown.clone();
            // The counts are renewed once a second.
            shown.mark_unchanged();
            shown.changed().await?;
            let least = shown.borrow().values().copied().fold(f64::MAX, f64::min);
            tell(&json!({ "shown": least }));
        } else {
            let sending = EngineCommand::Sending {
                microphone: false,
                camera: true,
            };
            engine.command(sending).await;
        }
    }
    engine.shutdown().await;
    Ok(())
}

/// What is said on the standard input.
fn words() -> mpsc::Receiver<String> {
    let (sender, words) = mpsc::channel(4);
    std::thread::spawn(move || {
        for word in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(word).is_err() {
                return;
            }
        }
    });
    words
}

/// Counts the pictures of each stream.
fn count(engine: &Engine) -> watch::Receiver<BTreeMap<StreamId, f64>> {
    let (sender, receiver) = watch::channel(BTreeMap::new());
    let mut statistics = engine.statistics();
    tokio::spawn(async move {
        let mut last = Instant::now();
        while statistics.changed().await.is_ok() {
            let seconds = last.elapsed().as_secs_f64();
            last = Instant::now();
            let streams = statistics.borrow_and_update().streams.clone();
            sender.send_modify(|counts| {
                for stream in streams {
                    *counts.entry(stream.stream).or_insert(0.0) +=
                        stream.frames_per_second * seconds;
                }
            });
        }
    });
    receiver
}

/// An engine without devices.
pub fn start(display: Option<&str>) -> Result<(Engine, mpsc::Receiver<EngineEvent>)> {
    let settings = Settings {
        camera: CameraSource::TestPicture,
        microphone: MicrophoneSource::TestSound,
        loudspeaker: Loudspeaker::None,
        display: match display {
            Some(_) => DisplayOutput::X11,
            None => DisplayOutput::Offscreen,
        },
        display_server: display.map(str::to_owned),
        peer: loopback(),
        ..Settings::default()
    };
    Ok(roomd_media::start(settings)?)
}

/// Connects, and waits until every tile shows a picture.
async fn join(
    engine: &Engine,
    events: &mut mpsc::Receiver<EngineEvent>,
    far: &str,
    what: &str,
    streams: u32,
) -> Result<Duration> {
    let begun = Instant::now();
    engine
        .command(EngineCommand::CallStarted { at: begun })
        .await;
    let line = |direction, layers| NewLine {
        kind: MediaKind::Video,
        direction,
        layers,
    };
    let own = Layers::Rids(["l", "m", "h"].map(str::to_owned).to_vec());
    let mut add = vec![line(Direction::SendOnly, own)];
    add.extend((0..streams).map(|_| line(Direction::RecvOnly, Layers::Single)));
    let offer = Offer {
        add,
        ..Offer::default()
    };
    let ice_servers = Vec::new();
    let peer = PEER;
    session(engine, MediaCommand::OpenPeer { peer, ice_servers }).await;
    session(engine, MediaCommand::Offer { peer, offer }).await;
    let sdp = description(events).await?;
    bind(engine, &mids(&sdp)).await;
    let (far, path) = (far.to_owned(), format!("/offer/{what}"));
    let post = move || web::request(&far, &path, Some(&sdp));
    let answer = String::from_utf8(tokio::task::spawn_blocking(post).await??)?;
    let remote = MediaCommand::RemoteDescription {
        peer,
        kind: SdpKind::Answer,
        sdp: Pii::new(answer),
    };
    session(engine, remote).await;
    while grid::codes(engine, streams).await?.contains(&None) {
        ensure!(begun.elapsed() < PATIENCE, "not every picture comes");
        while events.try_recv().is_ok() {}
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(begun.elapsed())
}

pub async fn session(engine: &Engine, command: MediaCommand) {
    engine.command(EngineCommand::Session(command)).await;
}

/// The next description that the engine makes.
pub async fn description(events: &mut mpsc::Receiver<EngineEvent>) -> Result<String> {
    loop {
        let event = events.recv().await.context("the engine ended")?;
        if let EngineEvent::Session(MediaEvent::LocalDescription { sdp, .. }) = event {
            return Ok(sdp.into_inner());
        }
    }
}

async fn bind(engine: &Engine, mids: &[String]) {
    let peer = PEER;
    let (own, received) = mids.split_at(1);
    let bindings = received.iter().zip(1..).map(|(mid, index)| StreamBinding {
        stream: StreamId(index),
        mid: mid.clone(),
        kind: StreamKind::Camera,
        sender: SenderId(0),
    });
    let streams = bindings.collect();
    session(engine, MediaCommand::Bind { peer, streams }).await;
    for mid in own.iter().cloned() {
        let source = LocalSource::Camera;
        session(engine, MediaCommand::Publish { peer, mid, source }).await;
    }
}

/// Every tile shows its own picture, and the pictures move.
async fn prove(engine: &Engine, streams: u32) -> Result<()> {
    let begun = Instant::now();
    let first = grid::codes(engine, streams).await?;
    loop {
        let now = grid::codes(engine, streams).await?;
        let proved = first
            .iter()
            .zip(&now)
            .zip(1..)
            .all(|((first, now), source)| {
                let (Some(first), Some(now)) = (first, now) else {
                    return false;
                };
                first.source == source && now.source == source && first.millis != now.millis
            });
        if proved {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "not every picture moves: {now:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
