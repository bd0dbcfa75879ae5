// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! TURN against a real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed test panics"
)]

mod coturn;
mod end;
mod moving;
mod refusals;
mod returning;
mod spaces;
mod walled;

use std::path::PathBuf;
use std::time::Duration;

use roomd_conference::SdpKind;

use coturn::Coturn;
use end::{End, config, mids, relayed_only, server};

/// Two ends in a call with no other path than through the server, and its m-lines.
async fn connected(url: &str, address: &str, ca_file: PathBuf) -> (End, End, Vec<String>) {
    let config = || config(address, vec![server(url)], Some(ca_file.clone()));
    let mut a = End::new(1, config());
    let mut b = End::new(2, config());
    let offer = a.offer().await;
    let answer = b.answer(&relayed_only(&offer, address)).await;
    a.take(SdpKind::Answer, &relayed_only(&answer, address))
        .await;
    a.verified().await;
    b.verified().await;
    let mids = mids(&offer);
    a.write(&mids, 0xa1);
    b.write(&mids, 0xb2);
    a.frames(&mids, 0xb2, 20).await;
    b.frames(&mids, 0xa1, 20).await;
    (a, b, mids)
}

async fn call(url: String, address: &str, ca_file: PathBuf) {
    let (a, b, _) = connected(&url, address, ca_file).await;
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_go_through_udp_tcp_and_tls_on_both_families() {
    let server = Coturn::on_loopback();
    let (port, tls_port) = (server.port, server.tls_port);
    let mut calls = tokio::task::JoinSet::new();
    for (address, host) in [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")] {
        for url in [
            format!("turn:{host}:{port}"),
            format!("turn:{host}:{port}?transport=tcp"),
            format!("turns:{host}:{tls_port}"),
        ] {
            calls.spawn(call(url, address, server.authority()));
        }
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    // Both ends of six calls gave their allocations of both families back.
    let released = || server.log().matches("lifetime=0").count();
    let all_released = async {
        while released() < 24 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(5), all_released).await;
    assert!(in_time.is_ok(), "{} of 24: {}", released(), server.log());
}
