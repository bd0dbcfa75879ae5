// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The layout of a sealed frame:
//! `clear bytes | ciphertext | tag (16) | number used once (12) | 12 | key index`.

use std::borrow::Cow;

use crate::codec::Codec;
use crate::key::{FrameKey, IV_LEN, TAG_LEN};
use crate::nal;

/// The length of the number used once, as it stands in the frame.
const IV_LEN_BYTE: u8 = 12;

/// Seals the readable `rest` behind the readable and authenticated `clear`.
pub(crate) fn seal(
    codec: Codec,
    (clear, rest): (&[u8], &[u8]),
    iv: [u8; IV_LEN],
    (index, key): (u8, &FrameKey),
) -> Option<Vec<u8>> {
    let mut frame = Vec::with_capacity(clear.len() + rest.len() + TAG_LEN + IV_LEN + 2);
    frame.extend_from_slice(clear);
    frame.extend_from_slice(rest);
    let tag = key.encrypt(iv, clear, frame.get_mut(clear.len()..)?)?;
    frame.extend_from_slice(&tag);
    frame.extend_from_slice(&iv);
    frame.extend_from_slice(&[IV_LEN_BYTE, index]);
    if codec == Codec::H264 {
        let escaped = nal::escape(frame.get(clear.len()..)?);
        frame.truncate(clear.len());
        frame.extend_from_slice(&escaped);
    }
    Some(frame)
}

/// A frame that has the form of a sealed one.
pub(crate) struct Sealed<'a> {
    clear: &'a [u8],
    body: Cow<'a, [u8]>,
    /// The ring's place of the key that sealed it.
    pub(crate) index: u8,
}

struct Fields<'a> {
    text: &'a [u8],
    tag: [u8; TAG_LEN],
    iv: [u8; IV_LEN],
    index: u8,
}

fn fields(body: &[u8]) -> Option<Fields<'_>> {
    let (body, [length, index]) = body.split_last_chunk()?;
    let (body, iv) = body.split_last_chunk()?;
    let (text, tag) = body.split_last_chunk()?;
    (*length == IV_LEN_BYTE).then_some(Fields {
        text,
        tag: *tag,
        iv: *iv,
        index: *index,
    })
}

impl<'a> Sealed<'a> {
    /// Reads the layout; none if the frame does not have it.
    pub(crate) fn parse(codec: Codec, frame: &'a [u8]) -> Option<Self> {
        let (clear, body) = frame.split_at_checked(codec.clear_len(frame)?)?;
        let body = match codec {
            Codec::H264 => Cow::Owned(nal::unescape(body)),
            Codec::Opus | Codec::Vp8 | Codec::Vp9 => Cow::Borrowed(body),
        };
        let index = fields(&body)?.index;
        Some(Self { clear, body, index })
    }

    /// The readable frame, if this key sealed it.
    pub(crate) fn open(&self, key: &FrameKey) -> Option<Vec<u8>> {
        let Fields { text, tag, iv, .. } = fields(&self.body)?;
        let mut frame = vec![0; self.clear.len() + text.len()];
        let (clear, rest) = frame.split_at_mut_checked(self.clear.len())?;
        clear.copy_from_slice(self.clear);
        key.decrypt(iv, self.clear, text, tag, rest)
            .then_some(frame)
    }
}
