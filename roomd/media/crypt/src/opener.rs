// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The receiving side: between depacketiser and decoder.

use thiserror::Error;

use crate::MAX_FRAME;
use crate::frame::Sealed;
use crate::injected;
use crate::key::{FrameKey, Scheme};
use crate::ring::{Closed, KeyRing, TOLERANCE};
use crate::settings::Settings;

/// Where a frame comes from that may be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Sealed with the sender's key.
    Sender,
    /// A blank frame of the server for a muted or ended track; one of a known few.
    Server,
    /// An empty frame: nothing to decode.
    Nothing,
}

/// A frame for the decoder.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The encoded frame.
    pub frame: Vec<u8>,
    /// Who made it.
    pub origin: Origin,
    /// Frames before this one were dropped and it refers to them: ask for a keyframe, and show
    /// nothing until it comes.
    pub needs_keyframe: bool,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("bytes", &self.frame.len())
            .field("origin", &self.origin)
            .field("needs_keyframe", &self.needs_keyframe)
            .finish()
    }
}

/// Why a frame did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Cause {
    /// It does not have the form of a sealed frame.
    #[error("the frame is not encrypted")]
    NotSealed,
    /// The key it names has not come yet.
    #[error("no key")]
    NoKey,
    /// Neither the key it names nor one that follows opens it.
    #[error("the key does not open the frame")]
    WrongKey,
    /// It carries the server's mark and is none of the server's blank frames.
    #[error("the server put in what it may not")]
    Injected,
    /// It is larger than [`MAX_FRAME`].
    #[error("the frame is too large")]
    TooLarge,
}

/// What the engine does about a frame that did not open; it drops the frame in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing more.
    Drop,
    /// Ask for a keyframe once a frame opens; [`Opened::needs_keyframe`] says when.
    DropThenKeyframe,
    /// The same, and show a mark on the stream until a frame opens: this lasts.
    DropAndMark,
}

/// A frame that did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the frame stays closed")]
pub struct Unopened {
    /// Why.
    #[source]
    pub cause: Cause,
    /// What to do.
    pub remedy: Remedy,
}

/// Opens the frames of one stream.
#[derive(Debug)]
pub struct Opener {
    settings: Settings,
    ring: KeyRing,
    dropped_in_a_row: u32,
}

impl Opener {
    /// An opener without keys.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            ring: KeyRing::new(settings.window),
            settings,
            dropped_in_a_row: 0,
        }
    }

    /// Adds the sender's key. The newest at an index wins; the one it replaces still opens late
    /// frames for a while.
    pub fn set_key(&mut self, index: u32, key: FrameKey) {
        self.ring.set(self.settings.place(index), key);
    }

    /// Forgets the keys at an index, for when late frames are no longer expected.
    pub fn forget_key(&mut self, index: u32) {
        self.ring.forget(self.settings.place(index));
    }

    /// Opens one received frame.
    ///
    /// # Errors
    /// The frame must be dropped; [`Unopened`] says why and what else to do.
    pub fn open(&mut self, frame: &[u8]) -> Result<Opened, Unopened> {
        if frame.len() > MAX_FRAME {
            return Err(self.drop(Cause::TooLarge));
        }
        match self.settings.scheme {
            Scheme::LiveKit => self.open_livekit(frame),
            Scheme::Jitsi | Scheme::Talk => self.open_sealed(frame),
        }
    }

    fn open_livekit(&mut self, frame: &[u8]) -> Result<Opened, Unopened> {
        let codec = self.settings.codec;
        let frame = if codec.is_video() {
            injected::without_metadata(frame)
        } else {
            frame
        };
        if frame.is_empty() {
            return Ok(readable(frame, Origin::Nothing));
        }
        match self.without_server_mark(frame) {
            Some(blank) if injected::is_blank(codec, blank) => Ok(readable(blank, Origin::Server)),
            Some(_) => Err(Unopened {
                cause: Cause::Injected,
                remedy: Remedy::Drop,
            }),
            None => self.open_sealed(frame),
        }
    }

    fn without_server_mark<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        let mark = self.settings.server_mark.as_slice();
        if mark.is_empty() {
            return None;
        }
        frame.strip_suffix(mark)
    }

    fn open_sealed(&mut self, frame: &[u8]) -> Result<Opened, Unopened> {
        let codec = self.settings.codec;
        let Some(sealed) = Sealed::parse(codec, frame) else {
            return Err(self.drop(Cause::NotSealed));
        };
        match self.ring.open(sealed.index, |key| sealed.open(key)) {
            Ok(frame) => {
                let after_drops = std::mem::take(&mut self.dropped_in_a_row) > 0;
                Ok(Opened {
                    needs_keyframe: after_drops && !codec.is_keyframe(&frame),
                    frame,
                    origin: Origin::Sender,
                })
            }
            Err(Closed::NoKey) => Err(self.drop(Cause::NoKey)),
            Err(Closed::WrongKey) => Err(self.drop(Cause::WrongKey)),
        }
    }

    fn drop(&mut self, cause: Cause) -> Unopened {
        self.dropped_in_a_row = self.dropped_in_a_row.saturating_add(1);
        let remedy = if self.dropped_in_a_row > TOLERANCE {
            Remedy::DropAndMark
        } else if self.settings.codec.is_video() {
            Remedy::DropThenKeyframe
        } else {
            Remedy::Drop
        };
        Unopened { cause, remedy }
    }
}

fn readable(frame: &[u8], origin: Origin) -> Opened {
    Opened {
        frame: frame.to_vec(),
        origin,
        needs_keyframe: false,
    }
}
