// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The engine as the other end of a page that sends many pictures, as a server's connection does.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use roomd_conference::{MediaCommand, MediaEvent, PeerId, SdpKind, SenderId, StreamBinding};
use roomd_media::{Engine, EngineEvent};
use roomd_model::{Pii, StreamId, StreamKind};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use crate::room::{session, start};
use crate::{end_with_input, grid, web};

const PEER: PeerId = PeerId(1);
const PAGE: &str = include_str!("stage.html");

#[derive(Clone)]
struct Stage {
    engine: Engine,
    // One offer at a time waits for its answer.
    answers: Arc<Mutex<mpsc::Receiver<String>>>,
}

/// What the page offers.
#[derive(Deserialize)]
struct Offered {
    sdp: String,
    /// The number of the tile that shows what an m-line carries.
    streams: BTreeMap<String, u32>,
}

pub async fn run() -> Result<()> {
    let (engine, mut events) = start(None)?;
    let peer = PEER;
    let ice_servers = Vec::new();
    session(&engine, MediaCommand::OpenPeer { peer, ice_servers }).await;
    let (sender, answers) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let answer = match event {
                EngineEvent::Session(MediaEvent::LocalDescription { sdp, .. }) => sdp.into_inner(),
                EngineEvent::Session(MediaEvent::DescriptionRefused { .. }) => String::new(),
                _ => continue,
            };
            // The page may have gone.
            let _ = sender.send(answer).await;
        }
    });
    end_with_input();
    let stage = Stage {
        engine,
        answers: Arc::new(Mutex::new(answers)),
    };
    let routes = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/show/{count}", get(show))
        .route("/offer", post(offer))
        .route("/codes/{count}", get(codes))
        .with_state(stage);
    web::serve(routes).await
}

async fn show(State(stage): State<Stage>, Path(count): Path<u32>) {
    grid::show(&stage.engine, count).await;
}

async fn offer(
    State(stage): State<Stage>,
    Json(offered): Json<Offered>,
) -> Result<String, StatusCode> {
    let peer = PEER;
    let mut answers = stage.answers.lock().await;
    let bindings = offered
        .streams
        .into_iter()
        .map(|(mid, stream)| StreamBinding {
            stream: StreamId(stream),
            mid,
            kind: StreamKind::Camera,
            sender: SenderId(0),
        });
    let streams = bindings.collect();
    session(&stage.engine, MediaCommand::Bind { peer, streams }).await;
    let offer = MediaCommand::RemoteDescription {
        peer,
        kind: SdpKind::Offer,
        sdp: Pii::new(offered.sdp),
    };
    session(&stage.engine, offer).await;
    let answer = answers.recv().await.context("the engine ended").ok();
    let answer = answer.filter(|answer| !answer.is_empty());
    answer.ok_or(StatusCode::BAD_REQUEST)
}

/// Source and time of the code in each tile; null where there is none.
async fn codes(
    State(stage): State<Stage>,
    Path(count): Path<u32>,
) -> Result<Json<Value>, StatusCode> {
    let codes = grid::codes(&stage.engine, count).await;
    let codes = codes.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let tell = |code: roomd_media_core::timecode::TimeCode| json!([code.source, code.millis]);
    let tiles: Vec<Value> = codes
        .into_iter()
        .map(|code| code.map_or(Value::Null, tell))
        .collect();
    Ok(Json(json!(tiles)))
}
