// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A room whose network lets nothing out but TCP to port 443, in network namespaces of its own.
//!
//! The test runs itself twice more: as the world, which holds the server and a guest, and as the
//! room behind its wall. World and room talk through a socket in the file system.

use std::net::{IpAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use roomd_conference::{IceServer, SdpKind};
use roomd_peer::PeerConfig;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;

use crate::coturn::Coturn;
use crate::end::{End, candidates, config, mids, server};
use crate::spaces::{ROLE, SOCKET, again, begin, block_on, hear, ip, run, say};

const NAME: &str = "walled::media_flows_both_ways_through_tcp_443_alone";
const AUTHORITY: &str = "WALLED_AUTHORITY";
const WORLD: [&str; 2] = ["10.77.0.1", "fd77::1"];
const ROOM: [&str; 2] = ["10.77.0.2", "fd77::2"];
const PORT: u16 = 3478;
const TLS_PORT: u16 = 443;
/// What UDP servers that nothing reaches may cost, with room for a slow machine.
const BUDGET: Duration = Duration::from_secs(4);
const WALL: &str = r#"
table inet wall {
  chain out {
    type filter hook output priority 0; policy drop;
    oif "lo" accept
    tcp dport 443 accept
    meta l4proto ipv6-icmp accept
  }
  chain in {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    tcp sport 443 accept
    meta l4proto ipv6-icmp accept
  }
}
"#;

#[test]
fn media_flows_both_ways_through_tcp_443_alone() {
    match std::env::var(ROLE).as_deref() {
        Ok("world") => block_on(world()),
        Ok(_) => block_on(room()),
        Err(_) => begin(NAME, "world"),
    }
}

/// Raises an interface with addresses that are usable at once.
fn raise(interface: &str, addresses: [&str; 2]) {
    ip("link set lo up");
    ip(&format!("addr add {}/24 dev {interface}", addresses[0]));
    ip(&format!(
        "addr add {}/64 dev {interface} nodad",
        addresses[1]
    ));
    ip(&format!("link set {interface} up"));
}

async fn world() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    ip("link add world type veth peer name room");
    raise("world", WORLD);
    let addresses: [IpAddr; 2] = WORLD.map(|address| address.parse().unwrap());
    let coturn = Coturn::start(&addresses, PORT, TLS_PORT);

    let mut room = again(NAME, "room", "-n")
        .env(SOCKET, &socket)
        .env(AUTHORITY, coturn.authority())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stream, _) = timeout(Duration::from_secs(20), listener.accept())
        .await
        .expect("the room comes")
        .unwrap();
    ip(&format!("link set room netns {}", room.id()));
    say(&mut stream, "the interface is there").await;

    for address in WORLD {
        let mut guest = End::new(1, config(address, vec![], None));
        let offer = guest.offer().await;
        say(&mut stream, &offer).await;
        let answer = hear(&mut stream).await;
        guest.take(SdpKind::Answer, &answer).await;
        guest.verified().await;
        let mids = mids(&offer);
        guest.write(&mids, 0xa1);
        guest.frames(&mids, 0xb2, 20).await;
        assert_eq!(hear(&mut stream).await, "media came");
        say(&mut stream, "here too").await;
        guest.close().await;
    }
    say(&mut stream, "enough").await;
    assert!(room.wait().unwrap().success());
}

async fn room() {
    let socket = std::env::var(SOCKET).unwrap();
    let mut stream = UnixStream::connect(&socket).await.unwrap();
    hear(&mut stream).await;
    raise("room", ROOM);
    wall(Path::new(&socket));
    for address in WORLD {
        try_the_wall(address).await;
        answer(&mut stream, address).await;
    }
    assert_eq!(hear(&mut stream).await, "enough");
}

fn wall(socket: &Path) {
    let rules = socket.with_file_name("wall.nft");
    std::fs::write(&rules, WALL).unwrap();
    run(Command::new("nft").arg("-f").arg(rules));
}

/// Nothing but the one way is open, or the test proves nothing.
async fn try_the_wall(address: &str) {
    let address: IpAddr = address.parse().unwrap();
    let any: IpAddr = if address.is_ipv4() { "0.0.0.0" } else { "::" }
        .parse()
        .unwrap();
    let udp = UdpSocket::bind((any, 0)).unwrap();
    let sent = udp.send_to(b"hello", (address, TLS_PORT));
    let refused = sent.map_err(|error| error.kind());
    assert_eq!(refused, Err(std::io::ErrorKind::PermissionDenied));
    let other = TcpStream::connect((address, PORT));
    assert!(timeout(Duration::from_millis(200), other).await.is_err());
    TcpStream::connect((address, TLS_PORT)).await.unwrap();
}

async fn answer(stream: &mut UnixStream, address: &str) {
    let host = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    let authority = PathBuf::from(std::env::var(AUTHORITY).unwrap());
    let begun = Instant::now();
    let mut room = End::new(
        2,
        PeerConfig {
            addresses: vec![],
            include_loopback: false,
            ports: None,
            ice_servers: vec![
                IceServer {
                    url: format!("stun:{host}:{PORT}"),
                    username: None,
                    credential: None,
                },
                server(&format!("turn:{host}:{PORT}")),
                server(&format!("turn:{host}:{PORT}?transport=tcp")),
                server(&format!("turns:{host}:{TLS_PORT}")),
            ],
            ca_file: Some(authority),
        },
    );
    let offer = hear(stream).await;
    let answer = room.answer(&offer).await;
    assert!(begun.elapsed() < BUDGET, "{:?}", begun.elapsed());
    let relayed = |line: &&str| line.contains("typ relay");
    assert!(
        candidates(&answer).iter().any(relayed),
        "no relay: {answer}"
    );
    say(stream, &answer).await;
    room.verified().await;
    let mids = mids(&offer);
    room.write(&mids, 0xb2);
    room.frames(&mids, 0xa1, 20).await;
    say(stream, "media came").await;
    assert_eq!(hear(stream).await, "here too");
    room.close().await;
}
