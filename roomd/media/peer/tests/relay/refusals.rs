// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Servers that are of no use: what the operator reads, and that the description does not wait.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use roomd_conference::{IceServer, SdpKind};
use roomd_model::Secret;
use roomd_peer::{RelayFailure, RelayReport};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use crate::coturn::{self, Coturn};
use crate::end::{End, candidates, config, server};

/// What servers may cost before the description.
const BUDGET: Duration = Duration::from_secs(2);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Collects what this thread logs; the runtime of a test has no other one.
    fn collect(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

struct Outcome {
    offer: String,
    log: String,
    took: Duration,
}

impl Outcome {
    fn relays(&self) -> usize {
        let lines = candidates(&self.offer).into_iter();
        lines.filter(|line| line.contains("typ relay")).count()
    }
}

async fn describe(ice_servers: Vec<IceServer>, ca_file: Option<PathBuf>) -> Outcome {
    let log = Log::default();
    let guard = log.collect();
    let begun = Instant::now();
    let mut end = End::new(1, config("127.0.0.1", ice_servers, ca_file));
    let offer = end.offer().await;
    let took = begun.elapsed();
    end.close().await;
    drop(guard);
    let log = log.text();
    assert!(
        candidates(&offer)
            .iter()
            .any(|line| line.contains("typ host"))
    );
    assert!(
        !log.contains("127.0.0.1") && !log.contains(coturn::USER),
        "{log}"
    );
    Outcome { offer, log, took }
}

async fn refused(ice_servers: Vec<IceServer>, ca_file: Option<PathBuf>, code: &str) {
    let outcome = describe(ice_servers, ca_file).await;
    assert_eq!(outcome.relays(), 0, "{code}: {}", outcome.offer);
    assert!(outcome.log.contains(code), "{code}: {}", outcome.log);
    assert!(outcome.took < BUDGET, "{code}: {:?}", outcome.took);
}

#[tokio::test]
async fn a_report_says_what_relays_and_what_failed() {
    let coturn = Coturn::on_loopback();
    let url = format!("turn:127.0.0.1:{}", coturn.port);
    let mut wrong = server(&format!("{url}?transport=tcp"));
    wrong.credential = Some(Secret::new("wrong"));
    let mut a = End::new(1, config("127.0.0.1", vec![server(&url), wrong], None));
    let mut b = End::new(2, config("127.0.0.1", vec![], None));
    let offer = a.offer().await;
    let answer = b.answer(&offer).await;
    a.take(SdpKind::Answer, &answer).await;
    a.verified().await;
    let expected = RelayReport {
        // One of each family.
        standing: 2,
        failed: 1,
        failure: Some(RelayFailure::Refused),
    };
    assert_eq!(a.relays().await, expected);
    assert_eq!(b.relays().await, RelayReport::default());
    a.close().await;
    b.close().await;
}

#[tokio::test]
async fn a_useless_server_is_named_by_a_code_at_once() {
    let coturn = Coturn::on_loopback();
    let plain = format!("turn:127.0.0.1:{}", coturn.port);
    let tls = format!("turns:127.0.0.1:{}", coturn.tls_port);
    let known = Some(coturn.authority());
    let directory = tempfile::tempdir().unwrap();
    let stranger = Some(coturn::stranger(&directory));

    for url in [plain.clone(), format!("{plain}?transport=tcp"), tls.clone()] {
        let mut wrong = server(&url);
        wrong.credential = Some(Secret::new("wrong"));
        refused(vec![wrong], known.clone(), "turn_credentials_refused").await;
    }
    let trusted = describe(vec![server(&tls)], known.clone()).await;
    assert!(trusted.relays() > 0, "{}", trusted.offer);
    assert_eq!(trusted.log, "");
    let untrusted = "turn_certificate_not_trusted";
    refused(vec![server(&tls)], None, untrusted).await;
    refused(vec![server(&tls)], stranger, untrusted).await;
    // The certificate is for the address, not for this name of it.
    let other = format!("turns:localhost:{}", coturn.tls_port);
    refused(vec![server(&other)], known.clone(), untrusted).await;
    let missing = Some(directory.path().join("missing.pem"));
    refused(vec![server(&tls)], missing, "turn_authority_unreadable").await;
    let mut none = server(&plain);
    none.credential = None;
    refused(vec![none], None, "turn_credentials_missing").await;
    refused(vec![server("turns:127.0.0.1:1")], None, "turn_unreachable").await;
    refused(vec![server("turn:127.0.0.1:1")], None, "turn_unreachable").await;
    refused(vec![server("turn:[::1]:1")], None, "turn_no_local_address").await;
    refused(
        vec![server("turns:a?transport=udp")],
        None,
        "turn_url_malformed",
    )
    .await;
}

#[tokio::test]
async fn a_server_of_another_protocol_is_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}?transport=tcp", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await;
            open.push(stream);
        }
    });
    refused(vec![server(&url)], None, "turn_answer_malformed").await;
}

#[tokio::test]
async fn a_silent_server_costs_two_seconds_and_less_beside_a_good_one() {
    let coturn = Coturn::on_loopback();
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent = server(&format!("turn:{}", silent.local_addr().unwrap()));
    let good = server(&format!("turn:127.0.0.1:{}", coturn.port));

    let alone = describe(vec![silent.clone()], None).await;
    assert_eq!(alone.relays(), 0);
    assert!(alone.took >= BUDGET, "{:?}", alone.took);
    assert!(alone.took < 2 * BUDGET, "{:?}", alone.took);

    let beside = describe(vec![silent, good], None).await;
    assert!(beside.relays() > 0, "{}", beside.offer);
    assert!(beside.took < BUDGET, "{:?}", beside.took);
}

#[tokio::test]
async fn a_slow_server_joins_later() {
    let coturn = Coturn::on_loopback();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("turn:{}?transport=tcp", listener.local_addr().unwrap());
    let behind = ("127.0.0.1", coturn.port);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                tokio::time::sleep(BUDGET + BUDGET / 2).await;
                let mut server = TcpStream::connect(behind).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let mut end = End::new(1, config("127.0.0.1", vec![server(&url)], None));
    let relays = |offer: &str| offer.contains("typ relay");
    assert!(!relays(&end.offer().await));
    let joined = async {
        while !relays(&end.offer().await) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), joined)
        .await
        .expect("the relay is in a later description");
    end.close().await;
}
