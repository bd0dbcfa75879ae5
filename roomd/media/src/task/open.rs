// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Frame decryption between connection and decoder: without a key nothing is decoded.

use std::collections::BTreeMap;

use roomd_conference::{FrameEncryption, MediaEvent};
use roomd_crypt::{FrameKey, Opener, Origin, Remedy};
use roomd_model::{StreamId, StreamTrouble};
use roomd_peer::{Codec, Frame};

use super::Task;
use super::seal::settings;

/// Streams whose keys are held.
const MAX_STREAMS: usize = 1024;
/// Keys of a stream.
const MAX_KEYS: usize = 256;

/// The keys and openers of the received streams. Keys may come before their stream.
#[derive(Debug, Default)]
pub(super) struct Openers {
    streams: BTreeMap<StreamId, Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    keys: BTreeMap<u32, FrameKey>,
    opener: Option<(Codec, Opener)>,
    /// A mark on the stream says that it cannot be decrypted.
    marked: bool,
    /// A frame of the sender's was opened.
    opened: bool,
}

/// What a frame changed about its stream.
#[derive(Debug, Default)]
struct Change {
    mark: Option<bool>,
    /// It is the first of the sender's that was opened.
    opened: bool,
}

/// What became of a frame.
enum Opening {
    Opened(Frame),
    Dropped,
}

impl Openers {
    /// Takes a key. True when the stream had a mark: that was about other keys, and comes back with the
    /// next frame that this one does not open either.
    pub(super) fn set_key(&mut self, stream: StreamId, index: u32, key: FrameKey) -> bool {
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&stream) {
            tracing::warn!("too many streams with keys; one more is refused");
            return false;
        }
        let stream = self.streams.entry(stream).or_default();
        if stream.keys.len() >= MAX_KEYS && !stream.keys.contains_key(&index) {
            stream.keys.pop_first();
        }
        if let Some((_, opener)) = &mut stream.opener {
            opener.set_key(index, key.clone());
        }
        stream.keys.insert(index, key);
        std::mem::take(&mut stream.marked)
    }

    pub(super) fn forget_key(&mut self, stream: StreamId, index: u32) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.keys.remove(&index);
            if let Some((_, opener)) = &mut stream.opener {
                opener.forget_key(index);
            }
        }
    }

    /// Forgets a stream; true when it had a mark.
    pub(super) fn remove(&mut self, stream: StreamId) -> bool {
        let removed = self.streams.remove(&stream);
        removed.is_some_and(|stream| stream.marked)
    }

    pub(super) fn clear(&mut self) {
        self.streams.clear();
    }

    /// Opens a frame, or drops it; tells what that changes.
    fn open(
        &mut self,
        id: StreamId,
        encryption: &FrameEncryption,
        frame: Frame,
    ) -> (Opening, Change) {
        if self.streams.len() >= MAX_STREAMS && !self.streams.contains_key(&id) {
            return (Opening::Dropped, Change::default());
        }
        let stream = self.streams.entry(id).or_default();
        let (marked, opened) = (stream.marked, stream.opened);
        let opening = stream.open(encryption, frame);
        let change = Change {
            mark: (stream.marked != marked).then_some(stream.marked),
            opened: stream.opened && !opened,
        };
        (opening, change)
    }
}

impl Stream {
    fn open(&mut self, encryption: &FrameEncryption, frame: Frame) -> Opening {
        let Some(opener) = self.opener(encryption, frame.codec) else {
            self.marked = true;
            return Opening::Dropped;
        };
        match opener.open(&frame.payload) {
            Ok(opened) => {
                if opened.origin == Origin::Sender {
                    self.marked = false;
                    self.opened = true;
                }
                if opened.frame.is_empty() {
                    return Opening::Dropped;
                }
                Opening::Opened(Frame {
                    payload: opened.frame.into(),
                    // Frames before it are missing: the gate asks for a keyframe.
                    contiguous: frame.contiguous && !opened.needs_keyframe,
                    ..frame
                })
            }
            Err(unopened) => {
                self.marked |= unopened.remedy == Remedy::DropAndMark;
                Opening::Dropped
            }
        }
    }

    /// The opener for this codec; a sender may change it.
    fn opener(&mut self, encryption: &FrameEncryption, codec: Codec) -> Option<&mut Opener> {
        if self
            .opener
            .as_ref()
            .is_none_or(|(known, _)| *known != codec)
        {
            let mut opener = Opener::new(settings(encryption, codec)?);
            for (index, key) in &self.keys {
                opener.set_key(*index, key.clone());
            }
            self.opener = Some((codec, opener));
        }
        self.opener.as_mut().map(|(_, opener)| opener)
    }
}

impl Task {
    /// The frame for the decoder, of a connection that encrypts frames or does not.
    pub(super) fn decrypted(
        &mut self,
        stream: StreamId,
        encryption: Option<FrameEncryption>,
        frame: Frame,
    ) -> Option<Frame> {
        let Some(encryption) = encryption else {
            return Some(frame);
        };
        let (opening, change) = self.openers.open(stream, &encryption, frame);
        if let Some(active) = change.mark {
            self.trouble(stream, StreamTrouble::Undecryptable, active);
        }
        if change.opened {
            self.tell_session(MediaEvent::Opened { stream });
        }
        match opening {
            Opening::Opened(frame) => Some(frame),
            Opening::Dropped => None,
        }
    }
}
