// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages and channel data in a stream (RFC 8656, sections 3.7 and 12.5).

/// Longest message or channel data taken, header and padding included; longer ones are skipped.
const MAX_FRAME: usize = 4096;
/// Header of a STUN message (RFC 8489, section 5).
const MESSAGE_HEADER: usize = 20;
/// Header of channel data.
const CHANNEL_HEADER: usize = 4;

/// The stream is not TURN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Cuts a stream into frames; holds at most one unfinished frame and what was pushed last.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    skip: usize,
}

impl Frames {
    /// Takes bytes of the stream; all frames are to be taken before the next call.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.buffer.extend_from_slice(&bytes[skipped..]);
    }

    /// The next whole frame, without padding.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        loop {
            let &[first, _, high, low, ..] = self.buffer.as_slice() else {
                return Ok(None);
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            let total = match first {
                0..=3 if length % 4 == 0 => MESSAGE_HEADER + length,
                0x40..=0x4f => CHANNEL_HEADER + length,
                _ => return Err(Malformed),
            };
            let padded = total.next_multiple_of(4);
            if padded > MAX_FRAME {
                let present = padded.min(self.buffer.len());
                self.buffer.drain(..present);
                self.skip = padded - present;
            } else if let Some(frame) = self.buffer.get(..total)
                && self.buffer.len() >= padded
            {
                let frame = frame.to_vec();
                self.buffer.drain(..padded);
                return Ok(Some(frame));
            } else {
                return Ok(None);
            }
        }
    }
}

/// Fills a frame up for a stream.
pub(super) fn pad(frame: &mut Vec<u8>) {
    frame.resize(frame.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn channel(length: usize) -> Vec<u8> {
        let mut frame = vec![0x40, 0x01];
        frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        frame.extend(vec![0xaa; length]);
        frame
    }

    fn message(length: usize) -> Vec<u8> {
        let mut frame = vec![0x01, 0x01];
        frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        frame.extend(vec![0xbb; 16 + length]);
        frame
    }

    fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
        frames
            .iter()
            .flat_map(|frame| {
                let mut frame = frame.clone();
                pad(&mut frame);
                frame
            })
            .collect()
    }

    fn cut(stream: &[u8], pieces: usize) -> Vec<Vec<u8>> {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for piece in stream.chunks(pieces) {
            frames.push(piece);
            while let Some(frame) = frames.next().unwrap() {
                found.push(frame);
            }
            assert!(frames.buffer.len() < MAX_FRAME + pieces);
        }
        found
    }

    #[test]
    fn padding_is_taken_off_and_pieces_are_put_together() {
        let sent = [
            channel(1),
            message(8),
            channel(1201),
            channel(0),
            channel(4),
        ];
        for pieces in [1, 3, 7, 1000, 10_000] {
            assert_eq!(cut(&stream(&sent), pieces), sent, "{pieces}");
        }
    }

    #[test]
    fn what_is_too_long_is_skipped_and_never_held() {
        let sent = [channel(60_001), channel(2), message(65_532), channel(3)];
        for pieces in [5, 1000, 200_000] {
            let found = cut(&stream(&sent), pieces);
            assert_eq!(found, [channel(2), channel(3)], "{pieces}");
        }
    }

    #[test]
    fn another_protocol_is_noticed() {
        for bytes in [&b"SSH-2.0-x"[..], &[0x80; 8], &[0, 1, 0, 3, 0]] {
            let mut frames = Frames::default();
            frames.push(bytes);
            assert_eq!(frames.next(), Err(Malformed), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_or_refused(stream: Vec<u8>, pieces in 1_usize..50) {
            let mut frames = Frames::default();
            'all: for piece in stream.chunks(pieces) {
                frames.push(piece);
                loop {
                    match frames.next() {
                        Ok(Some(frame)) => prop_assert!(frame.len() <= MAX_FRAME),
                        Ok(None) => break,
                        Err(Malformed) => break 'all,
                    }
                }
            }
        }
    }
}
