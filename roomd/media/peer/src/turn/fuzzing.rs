// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! TURN servers' answers, streams and URLs, as the fuzz targets reach them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use roomd_model::{Pii, Secret};
use stun_types::AddressFamily;
use stun_types::attribute::{AttributeType, ErrorCode, Nonce, RawAttribute, Realm};
use stun_types::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageType, MessageWrite,
    MessageWriteExt, MessageWriteVec, TransactionId,
};
use turn_client_proto::types::attribute::{Lifetime, XorRelayedAddress};
use turn_client_proto::types::message::DATA;

use super::client::{Account, Client, Way};
use super::frames::{Frames, Malformed};
use super::url::{self, Carrier};

const USER: &str = "elbe";
const PASSWORD: &str = "right";
const REALM: &str = "example.org";
/// Most that may wait after one frame of the server.
const MOST: usize = 300;
const LONGEST_FRAME: usize = 4096;

/// Cuts a stream into frames, in pieces of this length.
///
/// # Panics
/// If more comes out than went in.
pub fn turn_frames(stream: &[u8], piece: usize) {
    let mut frames = Frames::default();
    let mut given = 0;
    for piece in stream.chunks(piece.max(1)) {
        frames.push(piece);
        loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    given += frame.len();
                    assert!(frame.len() <= LONGEST_FRAME && given <= stream.len());
                }
                Ok(None) => break,
                Err(Malformed) => return,
            }
        }
    }
}

/// Reads a URL.
///
/// # Panics
/// If it names what cannot be reached.
pub fn turn_url(url: &str) {
    if let Some(place) = url::place(url) {
        assert!(url::is_turn(url) && place.port != 0 && !place.host.is_empty());
    }
}

/// Asks for an allocation, and sends through it, at a server that answers each frame with the next
/// of these: a kind and bytes.
///
/// # Panics
/// If what waits grows.
pub fn turn_server(stream: bool, answers: &[(u8, Vec<u8>)]) {
    let carrier = if stream { Carrier::Tcp } else { Carrier::Udp };
    let way = Way {
        carrier,
        local: address(7, 40_000),
        server: address(1, 3478),
    };
    let (user, password) = (Pii::new(USER.to_owned()), Secret::new(PASSWORD));
    let Some(account) = Account::new(Some(&user), Some(&password)) else {
        return;
    };
    let mut now = Instant::now();
    let mut client = Client::new(now, way, &account, AddressFamily::IPV4);
    let mut answers = answers.iter();
    for round in 0..200_u8 {
        let asked: Vec<_> = std::iter::from_fn(|| client.poll_outgoing()).collect();
        assert!(asked.len() <= MOST, "too many requests");
        let mut answered = false;
        for outgoing in asked {
            if let Some((kind, bytes)) = answers.next() {
                answered = true;
                let answer = answer(&outgoing.bytes, *kind, bytes).unwrap_or_default();
                client.handle_frame(now, &answer);
            }
        }
        let events = std::iter::from_fn(|| client.poll_event()).count();
        assert!(events <= MOST, "too many events");
        if client.is_over() || (answers.len() == 0 && !answered) {
            break;
        }
        client.send(now, address(100 + round % 100, 9), vec![round; 40]);
        if !answered {
            now = client.poll_timeout().max(now);
            client.handle_timeout(now);
        }
    }
    client.close(now);
}

fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(203, 0, 113, last), port))
}

/// An answer to a frame of the client: right, or with these bytes as its attributes, or these bytes.
fn answer(asked: &[u8], kind: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    let channel = || {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let head = [&[0x40, 0][..], &length.to_be_bytes()].concat();
        Some([&head, bytes].concat())
    };
    let asked = Message::from_bytes(asked).ok();
    let asked = asked.filter(|asked| asked.has_class(MessageClass::Request));
    match (kind % 8, asked) {
        (0, _) | (_, None) => Some(bytes.to_vec()),
        (1, _) => channel(),
        (2, Some(asked)) => challenge(&asked),
        (3, Some(asked)) => granted(&asked, bytes),
        (4, Some(asked)) => {
            let mut answer = Message::builder_success(&asked, MessageWriteVec::new());
            attributes(&mut answer, bytes);
            sealed(answer)
        }
        (5, Some(asked)) => {
            let mut answer = Message::builder_error(&asked, MessageWriteVec::new());
            attributes(&mut answer, bytes);
            Some(answer.finish())
        }
        (6, Some(_)) => {
            let kind = MessageType::from_class_method(MessageClass::Indication, DATA);
            let transaction = TransactionId::generate();
            let mut answer = Message::builder(kind, transaction, MessageWriteVec::new());
            attributes(&mut answer, bytes);
            Some(answer.finish())
        }
        // Its own request, changed at one place.
        (_, Some(asked)) => {
            let mut echo = asked.as_bytes().to_vec();
            let (place, value) = (bytes.first()?, bytes.get(1)?);
            *echo.get_mut(usize::from(*place))? = *value;
            Some(echo)
        }
    }
}

fn challenge(asked: &Message<'_>) -> Option<Vec<u8>> {
    let mut answer = Message::builder_error(asked, MessageWriteVec::new());
    let error = ErrorCode::builder(ErrorCode::UNAUTHORIZED).build().ok()?;
    answer.add_attribute(&error).ok()?;
    answer.add_attribute(&Realm::new(REALM).ok()?).ok()?;
    answer.add_attribute(&Nonce::new("first").ok()?).ok()?;
    Some(answer.finish())
}

/// What a good server says, and these attributes.
fn granted(asked: &Message<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut answer = Message::builder_success(asked, MessageWriteVec::new());
    let relayed = XorRelayedAddress::new(address(5, 50_000), asked.transaction_id());
    answer.add_attribute(&relayed).ok()?;
    answer.add_attribute(&Lifetime::new(600)).ok()?;
    attributes(&mut answer, bytes);
    sealed(answer)
}

fn sealed(mut answer: MessageWriteVec) -> Option<Vec<u8>> {
    let account = LongTermKeyCredentials::new(USER.into(), PASSWORD.into(), REALM.into());
    let algorithm = IntegrityAlgorithm::Sha1;
    let key = account.make_key(algorithm);
    answer
        .add_message_integrity_with_key(&key, algorithm)
        .ok()?;
    Some(answer.finish())
}

/// What the builder writes in its own way only: integrity and fingerprint.
const SEALS: [u16; 3] = [0x0008, 0x001c, 0x8028];

/// Adds attributes: type, length and value of each.
fn attributes(answer: &mut MessageWriteVec, mut bytes: &[u8]) {
    while let [high, low, _, length, rest @ ..] = bytes {
        let kind = u16::from_be_bytes([*high, *low]);
        let (value, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        if !SEALS.contains(&kind) {
            // The builder refuses what would make no message.
            let _ = answer.add_attribute(&RawAttribute::new(AttributeType::new(kind), value));
        }
    }
}
