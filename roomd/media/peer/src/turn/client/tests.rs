// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! An allocation in virtual time, with a server that keeps its books as RFC 8656 says.

use proptest::prelude::*;
use stun_types::attribute::{ErrorCode, Nonce, Realm, Username};
use stun_types::message::{
    LongTermKeyCredentials, MessageClass, MessageWrite, MessageWriteExt, MessageWriteVec,
};
use stun_types::prelude::AttributeStaticType;
use turn_client_proto::types::attribute::{
    ChannelNumber, Data, Lifetime, XorPeerAddress, XorRelayedAddress,
};
use turn_client_proto::types::message::{CHANNEL_BIND, CREATE_PERMISSION, REFRESH};

use super::*;

const PERMISSION: Duration = Duration::from_secs(300);
const CHANNEL: Duration = Duration::from_secs(600);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn account(password: &str) -> Account {
    let (username, credential) = (Pii::new("elbe".to_owned()), Secret::new(password));
    Account::new(Some(&username), Some(&credential)).unwrap()
}

fn client(now: Instant, carrier: Carrier, password: &str) -> Client {
    let way = Way {
        carrier,
        local: address("192.0.2.7:40000"),
        server: address("192.0.2.1:3478"),
    };
    Client::new(now, way, &account(password), AddressFamily::IPV4)
}

/// The books of a server.
struct Server {
    nonce: String,
    relayed: Vec<SocketAddr>,
    lifetime: Duration,
    /// Answers a channel request with an error, as a server without channels does.
    channelless: bool,
    until: Option<Instant>,
    permits: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<u16, (SocketAddr, Instant)>,
    requests: usize,
}

enum Reaction {
    ToClient(Vec<u8>),
    ToPeer(SocketAddr, Vec<u8>),
    Nothing,
}

impl Server {
    fn new() -> Self {
        Self {
            nonce: "first".into(),
            relayed: vec![
                address("198.51.100.1:50000"),
                address("[2001:db8::1]:50001"),
            ],
            lifetime: Duration::from_secs(600),
            channelless: false,
            until: None,
            permits: BTreeMap::new(),
            channels: BTreeMap::new(),
            requests: 0,
        }
    }

    fn take(&mut self, now: Instant, frame: &[u8]) -> Reaction {
        if frame[0] >= 0x40 {
            let channel = ChannelData::parse(frame).unwrap();
            let (peer, until) = self.channels[&channel.id()];
            assert!(until > now, "the channel has expired");
            return self.pass_on(now, peer, channel.data());
        }
        let message = Message::from_bytes(frame).unwrap();
        if message.has_class(MessageClass::Indication) {
            let peer = peer(&message);
            let data = message.attribute::<Data>().unwrap();
            return self.pass_on(now, peer, data.data());
        }
        self.requests += 1;
        Reaction::ToClient(self.answer(now, &message))
    }

    fn pass_on(&self, now: Instant, peer: SocketAddr, data: &[u8]) -> Reaction {
        let permitted = self
            .permits
            .get(&peer.ip())
            .is_some_and(|until| *until > now);
        let allocated = self.until.is_some_and(|until| until > now);
        if permitted && allocated {
            Reaction::ToPeer(peer, data.to_vec())
        } else {
            Reaction::Nothing
        }
    }

    fn answer(&mut self, now: Instant, message: &Message<'_>) -> Vec<u8> {
        let known = message.has_attribute(Username::TYPE);
        let nonce = message.attribute::<Nonce>();
        if !known {
            return self.error(message, ErrorCode::UNAUTHORIZED);
        }
        if nonce.unwrap().nonce() != self.nonce {
            return self.error(message, ErrorCode::STALE_NONCE);
        }
        let key = self.key();
        if message.validate_integrity_with_key(&key).is_err() {
            return self.error(message, ErrorCode::UNAUTHORIZED);
        }
        let mut answer = Message::builder_success(message, MessageWriteVec::new());
        match message.method() {
            ALLOCATE => {
                for relayed in &self.relayed {
                    let relayed = XorRelayedAddress::new(*relayed, message.transaction_id());
                    answer.add_attribute(&relayed).unwrap();
                }
                self.until = Some(now + self.lifetime);
                let seconds = u32::try_from(self.lifetime.as_secs()).unwrap();
                answer.add_attribute(&Lifetime::new(seconds)).unwrap();
            }
            REFRESH => {
                let released = message.attribute::<Lifetime>().unwrap().seconds() == 0;
                let lifetime = if released {
                    Duration::ZERO
                } else {
                    self.lifetime
                };
                self.until = (!released).then_some(now + lifetime);
                let seconds = u32::try_from(lifetime.as_secs()).unwrap();
                answer.add_attribute(&Lifetime::new(seconds)).unwrap();
            }
            CREATE_PERMISSION if self.until.is_none() => {
                return self.refusal(message, ALLOCATION_MISMATCH);
            }
            CREATE_PERMISSION => {
                self.permits.insert(peer(message).ip(), now + PERMISSION);
            }
            CHANNEL_BIND if self.channelless => {
                return self.refusal(message, ErrorCode::FORBIDDEN);
            }
            CHANNEL_BIND => {
                let channel = message.attribute::<ChannelNumber>().unwrap().channel();
                let peer = peer(message);
                self.channels.insert(channel, (peer, now + CHANNEL));
                self.permits.insert(peer.ip(), now + PERMISSION);
            }
            other => panic!("{other}"),
        }
        let algorithm = IntegrityAlgorithm::Sha1;
        answer
            .add_message_integrity_with_key(&key, algorithm)
            .unwrap();
        answer.finish()
    }

    fn refusal(&self, message: &Message<'_>, code: u16) -> Vec<u8> {
        let mut answer = Message::builder_error(message, MessageWriteVec::new());
        let error = ErrorCode::builder(code).build().unwrap();
        answer.add_attribute(&error).unwrap();
        let (key, algorithm) = (self.key(), IntegrityAlgorithm::Sha1);
        answer
            .add_message_integrity_with_key(&key, algorithm)
            .unwrap();
        answer.finish()
    }

    fn key(&self) -> stun_types::message::IntegrityKey {
        LongTermKeyCredentials::new("elbe".into(), "right".into(), "example.org".into())
            .make_key(IntegrityAlgorithm::Sha1)
    }

    fn error(&self, message: &Message<'_>, code: u16) -> Vec<u8> {
        let mut answer = Message::builder_error(message, MessageWriteVec::new());
        let error = ErrorCode::builder(code).build().unwrap();
        answer.add_attribute(&error).unwrap();
        let realm = Realm::new("example.org").unwrap();
        answer.add_attribute(&realm).unwrap();
        answer
            .add_attribute(&Nonce::new(&self.nonce).unwrap())
            .unwrap();
        answer.finish()
    }
}

fn peer(message: &Message<'_>) -> SocketAddr {
    let peer = message.attribute::<XorPeerAddress>().unwrap();
    peer.addr(message.transaction_id())
}

/// Runs both until a moment; gives what came out at peers.
fn run(
    client: &mut Client,
    server: &mut Server,
    now: &mut Instant,
    until: Instant,
) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut arrived = Vec::new();
    for _ in 0..1000 {
        while let Some(outgoing) = client.poll_outgoing() {
            match server.take(*now, &outgoing.bytes) {
                Reaction::ToClient(answer) => client.handle_frame(*now, &answer),
                Reaction::ToPeer(peer, data) => arrived.push((peer, data)),
                Reaction::Nothing => {}
            }
        }
        if client.is_over() || client.poll_timeout() > until {
            *now = until;
            return arrived;
        }
        *now = client.poll_timeout().max(*now);
        client.handle_timeout(*now);
    }
    panic!("the client is never at rest");
}

#[test]
fn a_relayed_path_is_kept_for_three_hours() {
    let mut now = Instant::now();
    let mut server = Server::new();
    let mut client = client(now, Carrier::Udp, "right");
    let soon = now + Duration::from_secs(1);
    run(&mut client, &mut server, &mut now, soon);
    let relayed: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
    assert_eq!(relayed, [Event::Relayed(server.relayed[0])]);

    let peers = ["203.0.113.5:1000", "203.0.113.6:1001"].map(address);
    for round in 0..3 * 180_u32 {
        if round % 60 == 59 {
            server.nonce = format!("nonce {round}");
        }
        for peer in peers {
            client.send(now, peer, vec![0x80, 1, 2]);
        }
        let later = now + Duration::from_secs(20);
        let arrived = run(&mut client, &mut server, &mut now, later);
        assert_eq!(arrived.len(), peers.len(), "round {round}");
        assert!(arrived.iter().all(|(_, data)| *data == [0x80, 1, 2]));
    }
    assert_eq!(server.channels.len(), 2);
    assert!(server.requests < 400, "{}", server.requests);

    client.close(now);
    let later = now + Duration::from_secs(2);
    run(&mut client, &mut server, &mut now, later);
    assert_eq!(server.until, None, "given back");
    assert!(client.is_over() && client.failure().is_none());
}

#[test]
fn a_server_without_channels_relays_all_the_same() {
    let mut now = Instant::now();
    let mut server = Server::new();
    server.channelless = true;
    let mut client = client(now, Carrier::Udp, "right");
    let soon = now + Duration::from_secs(1);
    run(&mut client, &mut server, &mut now, soon);
    let peer = address("203.0.113.5:1000");
    // The first datagram waits for the permission; the latest of several is kept.
    client.send(now, peer, vec![0, 1]);
    client.send(now, peer, vec![0, 2]);
    let soon = now + Duration::from_secs(1);
    let arrived = run(&mut client, &mut server, &mut now, soon);
    assert_eq!(arrived, [(peer, vec![0, 2])]);
    for round in 0..100 {
        client.send(now, peer, vec![0x80, round]);
        let later = now + Duration::from_secs(20);
        let arrived = run(&mut client, &mut server, &mut now, later);
        assert_eq!(arrived, [(peer, vec![0x80, round])]);
    }
    client.send(now, address("[2001:db8::9]:9"), vec![0x80]);
    let soon = now + Duration::from_secs(1);
    assert!(run(&mut client, &mut server, &mut now, soon).is_empty());
}

#[test]
fn a_server_that_forgot_the_allocation_says_so_when_it_is_asked() {
    let mut now = Instant::now();
    let mut server = Server::new();
    let mut client = client(now, Carrier::Udp, "right");
    let mut pass = |client: &mut Client, server: &mut Server| {
        let soon = now + Duration::from_secs(1);
        run(client, server, &mut now, soon);
        now
    };
    let at = pass(&mut client, &mut server);
    client.probe(at);
    let at = pass(&mut client, &mut server);
    assert!(client.is_standing());
    assert_eq!(server.permits.len(), 1);
    // As after a restart.
    (server.until, server.nonce) = (None, "second".into());
    client.probe(at);
    let at = pass(&mut client, &mut server);
    assert_eq!(client.failure(), Some(Failure::Lost));
    client.probe(at);
    assert!(client.poll_outgoing().is_none());
}

#[test]
fn an_answer_that_nobody_asked_for_ends_nothing() {
    let mut now = Instant::now();
    let mut server = Server::new();
    let mut client = client(now, Carrier::Udp, "right");
    let soon = now + Duration::from_secs(1);
    run(&mut client, &mut server, &mut now, soon);
    let request = Message::builder_request(CREATE_PERMISSION, MessageWriteVec::new()).finish();
    let request = Message::from_bytes(&request).unwrap();
    client.handle_frame(now, &server.refusal(&request, ALLOCATION_MISMATCH));
    assert!(client.is_standing());
}

#[test]
fn what_the_server_says_against_it_is_the_failure() {
    let check = |password: &str, prepare: fn(&mut Server), expected: Failure| {
        let mut now = Instant::now();
        let mut server = Server::new();
        prepare(&mut server);
        let mut client = client(now, Carrier::Tcp, password);
        let later = now + Duration::from_secs(60);
        run(&mut client, &mut server, &mut now, later);
        assert_eq!(client.failure(), Some(expected));
        assert!(server.requests < 10, "{}", server.requests);
    };
    check("wrong", |_| {}, Failure::Refused);
    check(
        "right",
        |server| server.nonce = "obMatJos2aaaé".into(),
        Failure::NotAllocated,
    );
    check(
        "right",
        |server| server.relayed.clear(),
        Failure::NotAllocated,
    );
    check(
        "right",
        |server| server.lifetime = Duration::ZERO,
        Failure::Lost,
    );
    assert_eq!(Failure::of_code(486), Failure::Full);
    assert_eq!(Failure::of_code(441), Failure::Refused);
    assert_eq!(Failure::of_code(300), Failure::NotAllocated);
}

#[test]
fn a_silent_server_is_left_after_a_bounded_number_of_requests() {
    let mut now = Instant::now();
    let end = now + Duration::from_secs(120);
    let mut client = client(now, Carrier::Udp, "right");
    let mut sent = 0;
    while !client.is_over() && now < end {
        sent += std::iter::from_fn(|| client.poll_outgoing()).count();
        now = client.poll_timeout();
        client.handle_timeout(now);
    }
    assert_eq!(client.failure(), Some(Failure::Silent));
    assert!((3..10).contains(&sent), "{sent}");
}

#[test]
fn peers_are_bounded() {
    let mut now = Instant::now();
    let mut server = Server::new();
    let mut client = client(now, Carrier::Udp, "right");
    let soon = now + Duration::from_secs(1);
    run(&mut client, &mut server, &mut now, soon);
    for last in 0..=255 {
        client.send(now, SocketAddr::from(([203, 0, 113, last], 9)), vec![0x80]);
    }
    let later = now + Duration::from_secs(60);
    run(&mut client, &mut server, &mut now, later);
    assert_eq!(server.permits.len(), MAX_PERMISSIONS);
    assert_eq!(server.channels.len(), MAX_CHANNELS);
}

#[test]
fn accounts_are_bounded() {
    let name = |length: usize| Pii::new("a".repeat(length));
    let word = |length: usize| Secret::new("a".repeat(length));
    assert!(Account::new(Some(&name(508)), Some(&word(1024))).is_some());
    assert!(Account::new(Some(&name(509)), Some(&word(1))).is_none());
    assert!(Account::new(Some(&name(1)), Some(&word(1025))).is_none());
    assert!(Account::new(Some(&name(0)), Some(&word(1))).is_none());
    assert!(Account::new(None, Some(&word(1))).is_none());
    assert!(Account::new(Some(&name(1)), None).is_none());
}

proptest! {
    /// A server whose answers are damaged anywhere, and who says anything in between.
    #[test]
    fn a_malformed_server_never_hurts(
        damage in proptest::collection::vec((0_usize..200, any::<u8>(), 0_u8..4), 0..40),
        noise in proptest::collection::vec(any::<Vec<u8>>(), 0..20),
        stream: bool,
    ) {
        let carrier = if stream { Carrier::Tcp } else { Carrier::Udp };
        let mut now = Instant::now();
        let mut server = Server::new();
        let mut client = client(now, carrier, "right");
        let (mut damage, mut noise) = (damage.into_iter(), noise.into_iter());
        for _ in 0..100 {
            while let Some(outgoing) = client.poll_outgoing() {
                let Reaction::ToClient(mut answer) = server.take(now, &outgoing.bytes) else {
                    continue;
                };
                if let Some((place, value, kind)) = damage.next() {
                    let place = place % answer.len();
                    match kind {
                        0 => answer[place] = value,
                        1 => answer.truncate(place),
                        2 => answer.insert(place, value),
                        _ => {}
                    }
                }
                client.handle_frame(now, &answer);
            }
            if let Some(noise) = noise.next() {
                client.handle_frame(now, &noise);
                let mut channel = vec![0x40, 0, 0, u8::try_from(noise.len() % 256).unwrap()];
                channel.extend(noise);
                client.handle_frame(now, &channel);
            }
            client.send(now, address("203.0.113.5:1000"), vec![0x80, 1]);
            prop_assert!(client.outgoing.len() < 20 && client.events.len() < 200);
            if client.is_over() {
                break;
            }
            now = client.poll_timeout().max(now);
            client.handle_timeout(now);
        }
    }
}
