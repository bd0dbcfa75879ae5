// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A room whose addresses change in the call, in network namespaces of its own.
//!
//! The world holds the TURN server and a guest, and routes to every subnet that the room comes to.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use roomd_conference::{PeerState, SdpKind};
use roomd_peer::{Offer, PeerCommand, PeerConfig, PeerEvent, RelayReport};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::timeout;

use crate::coturn::Coturn;
use crate::end::{End, config, mids, relayed_only, server};
use crate::spaces::{ROLE, SOCKET, again, begin, block_on, hear, hear_next, ip, say};

const NAME: &str = "moving::a_call_goes_on_while_the_addresses_of_the_room_change";
const AUTHORITY: &str = "NETWORK_AUTHORITY";
const WORLD: &str = "10.78.0.1";
const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;
/// Subnets that the room comes to.
const SUBNETS: u32 = 20;
/// How long neither sound nor picture may come when an address is taken away; 0.5 to 1 s on a machine
/// that has nothing else to do.
const FREEZE: Duration = Duration::from_secs(3);
/// The same while the old address still works.
const SEAMLESS: Duration = Duration::from_millis(700);
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_call_goes_on_while_the_addresses_of_the_room_change() {
    match std::env::var(ROLE).as_deref() {
        Ok("world") => block_on(world()),
        Ok(_) => block_on(room()),
        Err(_) => begin(NAME, "world"),
    }
}

/// One end, and how it stands with the other one.
struct Side {
    end: End,
    out: OwnedWriteHalf,
    messages: Receiver<String>,
    /// This side makes the offers.
    offers: bool,
    /// Nothing but relayed addresses are told.
    relayed: bool,
    mark: u8,
    lines: Vec<String>,
    fingerprint: Option<String>,
    states: Vec<PeerState>,
    moves: usize,
    answers: usize,
    /// When the last frame of each line came, and how many.
    last: [Instant; 2],
    frames: [usize; 2],
    gap: Duration,
    /// The longest gap at the other end.
    other_gap: Option<Duration>,
    relays: RelayReport,
    over: bool,
}

impl Side {
    fn new(end: End, stream: UnixStream, offers: bool, relayed: bool, mark: u8) -> Self {
        let (mut input, out) = stream.into_split();
        let (sender, messages) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Some(message) = hear_next(&mut input).await {
                if sender.send(message).await.is_err() {
                    return;
                }
            }
        });
        Self {
            end,
            out,
            messages,
            offers,
            relayed,
            mark,
            lines: vec![],
            fingerprint: None,
            states: vec![],
            moves: 0,
            answers: 0,
            last: [Instant::now(); 2],
            frames: [0; 2],
            gap: Duration::ZERO,
            other_gap: None,
            relays: RelayReport::default(),
            over: false,
        }
    }

    /// Goes on until something holds.
    async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let going = async {
            while !holds(self) {
                tokio::select! {
                    Some(event) = self.end.event() => self.event(event).await,
                    Some(message) = self.messages.recv() => self.message(&message).await,
                }
            }
        };
        let in_time = timeout(PATIENCE, going).await.is_ok();
        let (states, frames, moves) = (&self.states, self.frames, self.moves);
        assert!(in_time, "{:x} {states:?} {frames:?} {moves}", self.mark);
    }

    async fn event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::LocalDescription { kind, sdp } => self.describe(kind, sdp.expose()).await,
            PeerEvent::AddressesChanged => {
                self.moves += 1;
                if self.offers {
                    self.end.send(PeerCommand::Offer(Offer::restart())).await;
                } else {
                    say(&mut self.out, "restart").await;
                }
            }
            PeerEvent::Frame { mid, frame } => {
                assert_eq!(frame.payload.last(), Some(&(self.mark ^ 0xff)));
                let line = self.lines.iter().position(|known| *known == mid).unwrap();
                if self.frames[line] > 0 {
                    self.gap = self.gap.max(frame.at - self.last[line]);
                }
                self.last[line] = frame.at;
                self.frames[line] += 1;
            }
            PeerEvent::State(state) => self.states.push(state),
            PeerEvent::Report(report) => self.relays = report.relays,
            PeerEvent::DescriptionRefused(code) => panic!("{code}"),
            _ => {}
        }
    }

    async fn describe(&mut self, kind: SdpKind, sdp: &str) {
        let print = sdp
            .lines()
            .find_map(|line| line.strip_prefix("a=fingerprint:"))
            .unwrap();
        let known = self.fingerprint.get_or_insert(print.to_owned());
        assert_eq!(known, print, "the certificate stays the same");
        if self.lines.is_empty() {
            self.lines = mids(sdp);
        }
        let told = if self.relayed {
            relayed_only(sdp, WORLD)
        } else {
            sdp.to_owned()
        };
        let kind = match kind {
            SdpKind::Offer => "offer",
            SdpKind::Answer => "answer",
        };
        self.answers += usize::from(kind == "answer");
        say(&mut self.out, &format!("{kind} {told}")).await;
    }

    async fn message(&mut self, message: &str) {
        let (kind, rest) = message.split_once(' ').unwrap_or((message, ""));
        match kind {
            "offer" => self.end.take(SdpKind::Offer, rest).await,
            "answer" => {
                self.answers += 1;
                self.end.take(SdpKind::Answer, rest).await;
            }
            "restart" => self.end.send(PeerCommand::Offer(Offer::restart())).await,
            "gap?" => {
                let gap = std::mem::take(&mut self.gap).as_micros();
                say(&mut self.out, &format!("gap {gap}")).await;
            }
            "gap" => self.other_gap = Some(Duration::from_micros(rest.parse().unwrap())),
            "over" => self.over = true,
            _ => panic!("{kind}"),
        }
    }

    /// Until it is verified; then both sides send.
    async fn begin(&mut self) {
        if self.offers {
            let sdp = self.end.offer().await;
            self.describe(SdpKind::Offer, &sdp).await;
        }
        self.until(|side| !side.states.is_empty()).await;
        let lines = self.lines.clone();
        self.end.write(&lines, self.mark);
        self.until(|side| side.frames.iter().all(|count| *count >= 20))
            .await;
    }

    /// Lets the change be followed, and gives the longest gap at either end.
    async fn after(&mut self, change: impl FnOnce()) -> Duration {
        let (moves, answers) = (self.moves, self.answers);
        self.gap = Duration::ZERO;
        change();
        self.until(|side| side.moves > moves && side.answers > answers)
            .await;
        let frames = self.frames;
        let came = |side: &Self| (0..2).all(|line| side.frames[line] >= frames[line] + 25);
        self.until(came).await;
        self.other_gap = None;
        say(&mut self.out, "gap?").await;
        self.until(|side| side.other_gap.is_some()).await;
        self.gap.max(self.other_gap.unwrap())
    }
}

async fn world() {
    ip("link set lo up");
    ip("link add world type veth peer name room");
    for subnet in 0..SUBNETS {
        ip(&format!("addr add 10.78.{subnet}.1/24 dev world"));
    }
    ip("link set world up");
    let coturn = Coturn::start(&[WORLD.parse().unwrap()], PORT, TLS_PORT);
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut room = again(NAME, "room", "-n")
        .env(SOCKET, &socket)
        .env(AUTHORITY, coturn.authority())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    for (offers, relayed) in [(true, false), (false, false), (true, true)] {
        let accepted = timeout(PATIENCE, listener.accept()).await;
        let (mut stream, _) = accepted.expect("the room comes").unwrap();
        if offers && !relayed {
            ip(&format!("link set room netns {}", room.id()));
            say(&mut stream, "the interface is there").await;
        }
        let servers = if relayed { servers() } else { vec![] };
        let end = End::new(1, config(WORLD, servers, Some(coturn.authority())));
        let mut guest = Side::new(end, stream, offers, relayed, 0x0f);
        guest.begin().await;
        // The room lets it go on for as long as it needs.
        while !guest.over {
            let states = guest.states.len();
            let frames = guest.frames[0];
            guest
                .until(|side| side.over || side.frames[0] > frames + 100)
                .await;
            assert_eq!(guest.states.len(), states);
        }
        assert_eq!(guest.states, [PeerState::Verified]);
        say(&mut guest.out, "over").await;
        guest.end.close().await;
    }
    assert!(room.wait().unwrap().success());
}

fn servers() -> Vec<roomd_conference::IceServer> {
    vec![
        server(&format!("turn:{WORLD}:{PORT}")),
        server(&format!("turn:{WORLD}:{PORT}?transport=tcp")),
    ]
}

/// Comes to a subnet.
fn come(subnet: u32) {
    ip(&format!("addr add 10.78.{subnet}.2/24 dev room"));
    ip(&format!("route replace default via 10.78.{subnet}.1"));
}

fn leave(subnet: u32) {
    ip(&format!("addr del 10.78.{subnet}.2/24 dev room"));
}

async fn stream() -> UnixStream {
    let socket = std::env::var(SOCKET).unwrap();
    UnixStream::connect(&socket).await.unwrap()
}

fn end(ice_servers: Vec<roomd_conference::IceServer>) -> End {
    let authority = PathBuf::from(std::env::var(AUTHORITY).unwrap());
    End::new(
        2,
        PeerConfig {
            addresses: vec![],
            include_loopback: false,
            ports: None,
            ice_servers,
            ca_file: Some(authority),
        },
    )
}

async fn room() {
    let mut first = stream().await;
    hear(&mut first).await;
    ip("link set lo up");
    ip("link set room up");
    come(0);
    let mut subnet = 0;

    // The room answers, then it offers; both change over while the old address works, and after it.
    for (offers, stream_of) in [(false, Some(first)), (true, None)] {
        let stream = match stream_of {
            Some(stream) => stream,
            None => stream().await,
        };
        let mut room = Side::new(end(vec![]), stream, offers, false, 0xf0);
        room.begin().await;
        let gap = room.after(|| come(subnet + 1)).await;
        assert!(gap < SEAMLESS, "{gap:?}");
        let gap = room.after(|| leave(subnet)).await;
        assert!(gap < FREEZE, "{gap:?}");
        subnet += 1;
        let gap = room.after(|| change(&mut subnet)).await;
        assert!(gap < FREEZE, "{gap:?}");
        finish(room).await;
    }

    let mut room = Side::new(end(servers()), stream().await, false, true, 0xf0);
    room.begin().await;
    let mut before = None;
    for round in 0..10 {
        let gap = room.after(|| change(&mut subnet)).await;
        assert!(gap < FREEZE, "{round}: {gap:?}");
        if round == 1 {
            settle(&mut room).await;
            before = Some(held());
        }
    }
    settle(&mut room).await;
    let (before, after) = (before.unwrap(), held());
    assert_eq!(after, before, "threads and descriptors");
    room.until(|side| side.relays.standing == 2).await;
    assert_eq!(room.relays.failure, None);
    finish(room).await;
}

/// Leaves one subnet for the next.
fn change(subnet: &mut u32) {
    leave(*subnet);
    *subnet += 1;
    come(*subnet);
}

async fn finish(mut room: Side) {
    assert_eq!(room.states, [PeerState::Verified]);
    say(&mut room.out, "over").await;
    room.until(|side| side.over).await;
    room.end.close().await;
}

/// Allocations that are given back may take a second for it.
async fn settle(room: &mut Side) {
    let frames = room.frames[0];
    room.until(|side| side.frames[0] > frames + 75).await;
}

/// Threads and open descriptors of this process.
fn held() -> [usize; 2] {
    ["/proc/self/task", "/proc/self/fd"].map(|path| std::fs::read_dir(path).unwrap().count())
}
