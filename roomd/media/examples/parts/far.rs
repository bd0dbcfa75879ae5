// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The other end of a call with many: it sends everybody the same encoded pictures, as a server
//! does, and takes what they send.
//!
//! A receiver offers one m-line on which it sends its own picture, and then one for each picture it
//! wants to see.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use roomd_conference::{PeerId, PeerState, SdpKind};
use roomd_media_core::scene::Rect;
use roomd_model::Pii;
use roomd_peer::{Frame, PeerCommand, PeerConfig, PeerEvent};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::clip::{self, Encoded, Encoder, Painter, RATE};
use crate::{end_with_input, grid, tell, web};

/// Clips that are made.
const CLIPS: u8 = 16;
/// The source in the time code of the live picture.
const LIVE: u8 = 1;
/// Requests for keyframes are bundled for this long.
const KEYFRAME_EVERY: Duration = Duration::from_millis(300);
const PAGE: &str = include_str!("page.html");

/// Frames that came, by the layer's name.
type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

#[derive(Clone)]
struct Far {
    clips: Arc<Vec<Vec<Encoded>>>,
    // Written by a connection and read by HTTP, each for a moment.
    counts: Counts,
}

pub async fn run() -> Result<()> {
    gstreamer::init()?;
    let clips: Vec<_> = tokio::task::spawn_blocking(|| {
        let makers: Vec<_> = (1..=CLIPS)
            .map(|source| std::thread::spawn(move || clip::make(source)))
            .collect();
        let made = makers.into_iter().map(|maker| {
            let made = maker.join().ok().context("a clip was not made")?;
            made.context("a clip was not made")
        });
        made.collect::<Result<Vec<_>>>()
    })
    .await??;
    end_with_input();
    let bytes = clips.iter().flatten().map(|frame| frame.payload.len());
    let seconds = clips[0].len() as f64 / RATE as f64 * f64::from(CLIPS);
    tell(&json!({ "bits_per_second": bytes.sum::<usize>() as f64 * 8.0 / seconds }));
    let far = Far {
        clips: Arc::new(clips),
        counts: Counts::default(),
    };
    let routes = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/offer/{what}", post(offer))
        .route("/clip/{index}", get(clip_bytes))
        .route("/places/{count}", get(places))
        .route("/counts", get(counts))
        .with_state(far);
    web::serve(routes).await
}

/// Draws and encodes pictures that say when, until nobody takes them.
fn film(pictures: &mpsc::Sender<Encoded>, keyframe: &AtomicBool) -> Result<()> {
    let period = Duration::from_nanos(1_000_000_000 / RATE);
    let mut painter = Painter::new(LIVE);
    let mut encoder = Encoder::open()?;
    let mut next = Instant::now();
    loop {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let millis = u64::try_from(now.as_millis())?;
        let picture = painter.draw(millis, millis);
        if keyframe.swap(false, Ordering::Relaxed) {
            encoder.force_keyframe();
        }
        pictures.blocking_send(encoder.encode(&picture)?)?;
        next += period;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

async fn counts(State(far): State<Far>) -> String {
    let counts = far.counts.lock().map(|counts| json!(*counts));
    counts.unwrap_or_default().to_string()
}

async fn places(Path(count): Path<u32>) -> String {
    let numbers = |rect: Rect| json!([rect.x, rect.y, rect.width, rect.height]);
    let places: Vec<Value> = grid::places(count).into_iter().map(numbers).collect();
    json!(places).to_string()
}

/// A clip for a decoder: of each picture its length in four bytes, then its bytes.
async fn clip_bytes(State(far): State<Far>, Path(index): Path<usize>) -> Vec<u8> {
    let clip = far.clips.get(index).into_iter().flatten();
    let bytes = clip.flat_map(|frame| {
        let length = u32::try_from(frame.payload.len()).unwrap_or_default();
        [&length.to_be_bytes()[..], &frame.payload[..]].concat()
    });
    bytes.collect()
}

/// Answers an offer; `what` is `clips`, or `live` for pictures that say when they were drawn.
async fn offer(
    State(far): State<Far>,
    Path(what): Path<String>,
    sdp: String,
) -> Result<String, StatusCode> {
    let (sender, mut events) = mpsc::channel(512);
    let commands = roomd_peer::spawn(PeerId(0), loopback(), sender);
    let mids = mids(&sdp);
    let offered = PeerCommand::RemoteDescription {
        kind: SdpKind::Offer,
        sdp: Pii::new(sdp),
    };
    let gone = |_| StatusCode::BAD_REQUEST;
    commands.send(offered).await.map_err(gone)?;
    while let Some((_, event)) = events.recv().await {
        match event {
            PeerEvent::LocalDescription { sdp, .. } => {
                if let Ok(mut counts) = far.counts.lock() {
                    counts.clear();
                }
                let connection = Connection {
                    commands,
                    mids,
                    next: vec![0; far.clips.len()],
                    restarted: vec![None; far.clips.len()],
                    begun: Instant::now(),
                    keyframe: Arc::default(),
                };
                tokio::spawn(connection.run(events, far, what == "live"));
                return Ok(sdp.into_inner());
            }
            PeerEvent::DescriptionRefused(_) => return Err(StatusCode::BAD_REQUEST),
            _ => {}
        }
    }
    Err(StatusCode::BAD_REQUEST)
}

/// The m-lines' tags, in order.
pub fn mids(sdp: &str) -> Vec<String> {
    let tags = sdp.lines().filter_map(|line| line.strip_prefix("a=mid:"));
    tags.map(|tag| tag.trim().to_owned()).collect()
}

/// Every address of the machine, as a browser may not offer the loopback ones.
pub fn loopback() -> PeerConfig {
    PeerConfig {
        addresses: Vec::new(),
        include_loopback: true,
        ports: None,
        ice_servers: Vec::new(),
        ca_file: None,
    }
}

/// A connection to a receiver.
struct Connection {
    commands: mpsc::Sender<PeerCommand>,
    mids: Vec<String>,
    /// The place in each clip.
    next: Vec<usize>,
    restarted: Vec<Option<Instant>>,
    begun: Instant,
    /// The live picture is to begin anew.
    keyframe: Arc<AtomicBool>,
}

impl Connection {
    async fn run(
        mut self,
        mut events: mpsc::Receiver<(PeerId, PeerEvent)>,
        far: Far,
        is_live: bool,
    ) {
        let streams = self.mids.len().saturating_sub(1).min(far.clips.len());
        let mut live = None;
        let mut verified = false;
        let mut line = 0;
        // Senders do not take their pictures at the same moment.
        let every = 1_000_000_000 / RATE / streams.max(1) as u64;
        let mut clock = tokio::time::interval(Duration::from_nanos(every));
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some((_, PeerEvent::State(state))) => {
                        verified = state == PeerState::Verified;
                        if verified && is_live {
                            live = Some(self.film());
                        }
                        if matches!(state, PeerState::Interrupted | PeerState::Failed) {
                            return;
                        }
                    }
                    Some((_, PeerEvent::Frame { frame, .. })) => {
                        if let Ok(mut counts) = far.counts.lock() {
                            *counts.entry(frame.rid.unwrap_or_default()).or_default() += 1;
                        }
                    }
                    Some((_, PeerEvent::KeyframeWanted { mid, .. })) => self.restart(&mid),
                    Some(_) => {}
                    None => return,
                },
                Some(picture) = newest(&mut live) => self.send(0, picture).await,
                _ = clock.tick(), if !is_live => {
                    line = (line + 1) % streams.max(1);
                    if verified && streams > 0 {
                        self.advance(line, &far.clips[line]).await;
                    }
                }
            }
        }
    }

    /// Begins to draw live pictures.
    fn film(&self) -> mpsc::Receiver<Encoded> {
        let (sender, pictures) = mpsc::channel(8);
        let keyframe = self.keyframe.clone();
        // It ends when nobody takes its pictures any more.
        std::thread::spawn(move || film(&sender, &keyframe));
        pictures
    }

    async fn advance(&mut self, line: usize, clip: &[Encoded]) {
        let at = self.next[line];
        self.next[line] = (at + 1) % clip.len();
        self.send(line, clip[at].clone()).await;
    }

    async fn send(&self, line: usize, picture: Encoded) {
        let now = Instant::now();
        let ticks = now.duration_since(self.begun).as_micros() * 9 / 100;
        let rtp_time = u64::try_from(ticks).unwrap_or_default();
        let Some(mid) = self.mids.get(line + 1).cloned() else {
            return;
        };
        let frame = Frame::picture(picture.payload, rtp_time, now, picture.keyframe);
        // The connection may have ended; its last event says so.
        let _ = self.commands.send(PeerCommand::Write { mid, frame }).await;
    }

    /// A clip has its keyframe at its beginning.
    fn restart(&mut self, mid: &str) {
        let line = self.mids.iter().skip(1).position(|known| known == mid);
        let Some(line) = line.filter(|line| *line < self.next.len()) else {
            return;
        };
        if self.restarted[line].is_none_or(|at| at.elapsed() > KEYFRAME_EVERY) {
            self.restarted[line] = Some(Instant::now());
            self.next[line] = 0;
            self.keyframe.store(true, Ordering::Relaxed);
        }
    }
}

/// The next live picture; never comes where there is none.
async fn newest(live: &mut Option<mpsc::Receiver<Encoded>>) -> Option<Encoded> {
    match live {
        Some(live) => live.recv().await,
        None => std::future::pending().await,
    }
}
