// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Messages as bytes (protocol buffers), and what they may cost.

use livekit_protocol as proto;
use prost::Message as _;

pub(crate) use proto::signal_request::Message as Request;
pub(crate) use proto::signal_response::Message as Response;

/// Longest message that is read.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Fields of a message, nested ones included. Two bytes can stand for a structure of some hundred in
/// memory, so that a count bounds what a message costs; one of a large meeting has a tenth of this.
const MAX_FIELDS: usize = 100_000;
/// How deep fields are counted; the definitions nest less.
const MAX_DEPTH: u8 = 8;

/// Reads a message of the server; none for one that is no such message, is too large, or is of a kind
/// that these definitions do not know.
pub(crate) fn response(bytes: &[u8]) -> Option<Response> {
    if !is_affordable(bytes) {
        return None;
    }
    proto::SignalResponse::decode(bytes).ok()?.message
}

/// Writes a message for the server.
pub(crate) fn request(message: Request) -> Vec<u8> {
    let message = Some(message);
    proto::SignalRequest { message }.encode_to_vec()
}

/// Reads a message of a data channel.
pub(crate) fn packet(bytes: &[u8]) -> Option<proto::DataPacket> {
    if !is_affordable(bytes) {
        return None;
    }
    proto::DataPacket::decode(bytes).ok()
}

/// Whether a message costs no more than one of a large meeting.
fn is_affordable(bytes: &[u8]) -> bool {
    // A field takes two bytes at least.
    bytes.len() <= MAX_FIELDS * 2
        || (bytes.len() <= MAX_BYTES && {
            let mut left = MAX_FIELDS;
            count(bytes, MAX_DEPTH, &mut left).is_some() && left > 0
        })
}

/// Takes every field from `left`, those of what may be a nested message included; none for bytes that
/// are no message.
fn count(mut bytes: &[u8], depth: u8, left: &mut usize) -> Option<()> {
    while !bytes.is_empty() && *left > 0 {
        *left -= 1;
        let tag = varint(&mut bytes)?;
        let skipped = match tag & 7 {
            0 => {
                varint(&mut bytes)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (inner, rest) = bytes.split_at_checked(skipped)?;
        if tag & 7 == 2 && depth > 0 {
            // Text reads as a message at times; it counts with what it seems to be.
            let _ = count(inner, depth - 1, left);
        }
        bytes = rest;
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(participants: Vec<proto::ParticipantInfo>) -> Vec<u8> {
        let update = proto::ParticipantUpdate { participants };
        let message = Some(Response::Update(update));
        proto::SignalResponse { message }.encode_to_vec()
    }

    #[test]
    fn a_large_meeting_is_read_and_a_flood_of_nothing_is_not() {
        let track = proto::TrackInfo {
            sid: "TR_abcdefghijkl".into(),
            mime_type: "video/vp8".into(),
            codecs: vec![proto::SimulcastCodecInfo::default(); 2],
            ..proto::TrackInfo::default()
        };
        let participant = proto::ParticipantInfo {
            sid: "PA_abcdefghijkl".into(),
            identity: "i".repeat(64),
            metadata: "{\"a\":1}".repeat(50),
            tracks: vec![track; 4],
            ..proto::ParticipantInfo::default()
        };
        let bytes = update(vec![participant; 500]);
        assert!(bytes.len() > MAX_FIELDS * 2, "the count is looked at");
        let Some(Response::Update(read)) = response(&bytes) else {
            panic!("a large meeting is refused");
        };
        assert_eq!(read.participants.len(), 500);

        let nothing = update(vec![proto::ParticipantInfo::default(); 400_000]);
        assert!(nothing.len() < MAX_BYTES);
        assert!(response(&nothing).is_none());
    }

    #[test]
    fn what_is_no_message_is_none() {
        for bytes in [
            &b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            b"\x0a\x7f",
            b"{\"join\":{}}",
            b"",
            // A field that nobody knows.
            b"\xfa\x7f\x00",
        ] {
            assert!(response(bytes).is_none());
        }
        assert!(response(&vec![0; MAX_BYTES + 1]).is_none());
    }

    #[test]
    fn nested_lengths_do_not_multiply() {
        // A message whose every field claims to hold all the rest.
        let mut bytes = Vec::new();
        while bytes.len() < MAX_FIELDS * 4 {
            let mut next = vec![0x0a];
            prost::encoding::encode_varint(bytes.len() as u64, &mut next);
            next.extend(&bytes);
            next.extend([0x0a, 0x00].repeat(1000));
            bytes = next;
        }
        let _ = response(&bytes);
    }
}
