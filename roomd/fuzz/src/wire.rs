// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a connection hears: datagrams of anybody who knows the peer's address, and RTP, RTCP and
//! data channels of a peer that has the keys.

use std::time::Duration;

use roomd_conference::PeerState;
use str0m::media::Mid;
use str0m::rtp::{ExtensionValues, Ssrc};

use crate::call::{Call, Packet};
use crate::hostile::{self, Chunks};
use crate::input::Input;

const TICK: Duration = Duration::from_millis(20);
/// Most datagrams of an input.
const MOST: usize = 64;
/// Longest payload that is sent.
const LONGEST: usize = 1150;
/// In inputs, the SSRC of the connection whose number is the last byte.
const SSRC: [u8; 3] = [0xf0, 0xf0, 0xf0];

/// STUN, DTLS, SRTP and anything else, without the keys: nothing changes.
pub(crate) fn datagram(mut input: Input<'_>) {
    let mut call = Call::verified();
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let contents = named(&call, input.bytes());
        call.inject(&contents);
        if input.byte() & 1 == 1 {
            call.run(TICK);
        }
    }
    call.run(TICK);
    assert_eq!(call.core.state(), PeerState::Verified);
    assert!(call.sound_arrives());
}

/// A peer whose datagrams are damaged while the connection is made, or that says something else.
pub(crate) fn handshake(mut input: Input<'_>) {
    let mut call = Call::described();
    let mut edits: Vec<(u8, u16, u8, Vec<u8>)> = Vec::new();
    while !input.is_empty() && edits.len() < MOST {
        let (number, place, kind) = (input.byte(), input.word(), input.byte());
        edits.push((number, place, kind, input.bytes().to_vec()));
    }
    let mut number = 0_u8;
    call.damage(move |datagram| {
        for (_, place, kind, bytes) in edits.iter().filter(|edit| edit.0 == number) {
            edit(datagram, usize::from(*place), *kind, bytes);
        }
        number = number.wrapping_add(1);
    });
    call.run(Duration::from_secs(5));
    assert!(call.frames.is_empty() && call.messages == 0);
    call.mend();
    call.run(Duration::from_secs(1));
    // One that is still made carries sound; another one has nothing to do with it.
    if call.core.state() == PeerState::Verified {
        assert!(call.sound_arrives());
    }
}

fn edit(datagram: &mut Vec<u8>, place: usize, kind: u8, bytes: &[u8]) {
    let place = place % datagram.len().max(1);
    match kind % 4 {
        0 => {
            for (byte, new) in datagram.iter_mut().skip(place).zip(bytes) {
                *byte = *new;
            }
        }
        1 => datagram.truncate(place),
        2 => drop(datagram.splice(
            place.min(datagram.len())..place.min(datagram.len()),
            bytes.iter().copied(),
        )),
        _ => bytes.clone_into(datagram),
    }
}

/// RTP packets on the line of the picture; the line of the sound goes on.
pub(crate) fn rtp(mut input: Input<'_>) {
    let mut call = Call::verified();
    let mid = call.mids[1].clone();
    let (mut sequence, mut time) = (1_u64, 0_u32);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let pt = input.one_of(&[96, 97, 98, 99, 108, 109, 111, 0, 127]);
        let flags = input.byte();
        // Next, again, after a gap, or anywhere.
        sequence = match flags & 3 {
            0 => sequence.saturating_add(1),
            1 => sequence,
            2 => sequence.saturating_add(u64::from(input.byte())),
            _ => u64::from(input.word()),
        };
        time = match flags >> 2 & 3 {
            0 => time,
            1 | 2 => time.wrapping_add(3000),
            _ => input.long(),
        };
        let packet = Packet {
            pt,
            sequence,
            time,
            marker: flags & 0x10 != 0,
            extensions: extensions(flags, &mut input),
            payload: trimmed(input.bytes()).to_vec(),
        };
        call.send(&mid, packet);
        call.run(if flags & 0x40 == 0 {
            Duration::ZERO
        } else {
            TICK
        });
    }
    call.run(Duration::from_millis(300));
    for (_, frame) in &call.frames {
        assert!(frame.payload.len() <= MOST * LONGEST);
    }
    assert_eq!(call.core.state(), PeerState::Verified);
    assert!(call.sound_arrives());
}

fn extensions(flags: u8, input: &mut Input<'_>) -> ExtensionValues {
    let mut values = ExtensionValues::default();
    if flags & 0x20 != 0 {
        values.audio_level = Some(-i8::try_from(input.byte() & 0x7f).unwrap_or_default());
        values.transport_cc = Some(input.word());
        let text = input.text();
        values.mid = Some(Mid::from(text.as_str()));
        values.rid = Some(text.as_str().into());
    }
    values
}

/// RTCP behind a message of the application.
pub(crate) fn rtcp(mut input: Input<'_>) {
    let mut call = Call::verified();
    // Something to report about.
    assert!(call.sound_arrives());
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let body = named(&call, trimmed(input.bytes()));
        send_rtcp(&mut call, body);
        call.run(if input.byte() & 1 == 0 {
            Duration::ZERO
        } else {
            TICK
        });
        hostile::forget();
    }
    call.run(TICK);
    // Farewell (RFC 3550, section 6.6) may end what it names.
    assert_eq!(call.core.state(), PeerState::Verified);
    assert!(call.sound_arrives());
}

/// Two messages of the application go out together: the first eight bytes of a datagram stay as they
/// are, and where the second one stood is the body.
fn send_rtcp(call: &mut Call, mut body: Vec<u8>) {
    const MESSAGE: usize = 12;
    body.resize(body.len().max(MESSAGE).next_multiple_of(4), 0);
    let (room, ssrc) = (vec![0_u8; body.len() - MESSAGE], Ssrc::from(1));
    body.splice(0..0, [0; 4]);
    hostile::next_rtcp(body);
    let mut api = call.peer.direct_api();
    api.send_app_specific_feedback(ssrc, ssrc, Vec::new());
    api.send_app_specific_feedback(ssrc, ssrc, room);
}

/// SCTP below DTLS, and what data channels say below SCTP; the sound goes on.
pub(crate) fn sctp(mut input: Input<'_>) {
    let mut call = Call::verified();
    let mut channels = Vec::new();
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        let (kind, place) = (input.byte(), usize::from(input.byte()));
        let bytes = trimmed(input.bytes()).to_vec();
        hostile::next_sctp(if kind & 1 == 0 {
            Chunks::Instead(bytes)
        } else {
            Chunks::Over(place, bytes)
        });
        if kind & 2 == 0 || channels.is_empty() {
            let config = str0m::channel::ChannelConfig {
                label: "hostile".into(),
                ..Default::default()
            };
            channels.push(call.peer.direct_api().create_data_channel(config));
        } else if let Some(mut channel) = channels.last().and_then(|id| call.peer.channel(*id)) {
            let _ = channel.write(kind & 4 == 0, b"what would have been said");
        }
        call.run(if kind & 8 == 0 {
            TICK
        } else {
            Duration::from_secs(1)
        });
        hostile::forget();
    }
    call.run(Duration::from_millis(100));
    if !call.sound_arrives() {
        // An association that is aborted takes its own connection with it, and no other.
        assert!(call.core.is_ended() || !call.peer.is_alive());
        assert!(Call::verified().sound_arrives());
    }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(LONGEST)]
}

/// Puts SSRCs of the connection in where the input asks for them.
fn named(call: &Call, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for word in bytes.chunks_exact_mut(4) {
        if word[..3] == SSRC && !call.ssrcs.is_empty() {
            let ssrc = call.ssrcs[usize::from(word[3]) % call.ssrcs.len()];
            word.copy_from_slice(&ssrc.to_be_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a keyframe (RFC 4585, section 6.3.1).
    const PICTURE_LOSS: [u8; 8] = [0x81, 206, 0, 2, 0, 0, 0, 1];
    const ABORT: [u8; 4] = [6, 0, 0, 4];

    #[test]
    fn what_the_hostile_peer_puts_in_arrives() {
        let mut call = Call::verified();
        for ssrc in call.ssrcs.clone() {
            send_rtcp(&mut call, [&PICTURE_LOSS[..], &ssrc.to_be_bytes()].concat());
            call.run(TICK);
        }
        assert!(call.keyframes_wanted > 0);
        hostile::next_sctp(Chunks::Instead(ABORT.to_vec()));
        let config = str0m::channel::ChannelConfig::default();
        call.peer.direct_api().create_data_channel(config);
        call.run(TICK);
        assert!(call.core.is_ended());
    }
}
