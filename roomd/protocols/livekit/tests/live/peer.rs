// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The engine's part of a WebRTC connection, with frames that nobody decodes.

use std::collections::BTreeMap;
use std::time::Instant;

use roomd_conference::{LocalSource, PeerState};
use roomd_model::{PictureSizes, StreamId};
use roomd_peer::{Frame, LineState, PeerCommand};
use tokio::sync::mpsc;

pub struct Peer {
    commands: mpsc::Sender<PeerCommand>,
    pub state: PeerState,
    pub bound: BTreeMap<String, StreamId>,
    pub published: BTreeMap<String, LocalSource>,
    pub held: BTreeMap<String, bool>,
    pub wanted: BTreeMap<String, PictureSizes>,
    pub lines: BTreeMap<String, LineState>,
}

impl Peer {
    pub const fn new(commands: mpsc::Sender<PeerCommand>) -> Self {
        Self {
            commands,
            state: PeerState::Connecting,
            bound: BTreeMap::new(),
            published: BTreeMap::new(),
            held: BTreeMap::new(),
            wanted: BTreeMap::new(),
            lines: BTreeMap::new(),
        }
    }

    pub fn tell(&self, command: PeerCommand) {
        self.commands.try_send(command).unwrap();
    }

    pub fn close(&self) {
        let _ = self.commands.try_send(PeerCommand::Close);
    }

    pub fn write(&self, tick: u64, sends: &[LocalSource]) {
        for (mid, source) in &self.published {
            if !sends.contains(source) || self.held.get(mid) == Some(&true) {
                continue;
            }
            let write = |frame| {
                let mid = mid.clone();
                let _ = self.commands.try_send(PeerCommand::Write { mid, frame });
            };
            if *source == LocalSource::Microphone {
                let silence = vec![0xf8, 0xff, 0xfe].into();
                write(Frame::sound(silence, tick * 960, Instant::now()));
            } else if tick.is_multiple_of(2) {
                self.pictures(mid, tick, write);
            }
        }
    }

    fn pictures(&self, mid: &str, tick: u64, write: impl Fn(Frame)) {
        let wanted = self
            .wanted
            .get(mid)
            .copied()
            .unwrap_or(PictureSizes::LAYERS);
        let layers = self.lines.get(mid).map(|line| line.layers.clone());
        let layers = layers.unwrap_or_default();
        let sizes = PictureSizes::LAYERS.iter().zip(&layers);
        for (size, rid) in sizes.filter(|(size, _)| wanted.contains(*size)) {
            write(Frame {
                rid: Some(rid.clone()),
                ..picture(size.pixels(), tick)
            });
        }
        if layers.is_empty() && !wanted.is_empty() {
            write(picture((1920, 1080), tick));
        }
    }
}

/// What looks like a VP8 keyframe to whoever does not decode it (RFC 6386, section 9.1).
fn picture((width, height): (u32, u32), tick: u64) -> Frame {
    let mut payload = vec![0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a];
    payload.extend((width as u16).to_le_bytes());
    payload.extend((height as u16).to_le_bytes());
    payload.extend([0; 200]);
    Frame::picture(payload.into(), tick * 1800, Instant::now(), true)
}

/// The size in the header of a VP8 keyframe.
pub fn size_of(frame: &Frame) -> Option<(u16, u16)> {
    let header = frame.payload.get(6..10)?;
    let word = |at| u16::from_le_bytes([header[at], header[at + 1]]);
    (frame.payload[0] & 1 == 0).then(|| (word(0), word(2)))
}
