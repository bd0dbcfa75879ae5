// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A server that dies in the call and comes back.

use std::net::IpAddr;

use roomd_conference::SdpKind;

use crate::connected;
use crate::coturn::Coturn;
use crate::end::relayed_only;

const ADDRESS: &str = "127.0.0.1";

/// A call through a server that is killed and started again; how it is reached follows the port.
async fn comes_back(carrier: &str) {
    let server = Coturn::on_loopback();
    let (port, tls_port) = (server.port, server.tls_port);
    let url = format!("turn:{ADDRESS}:{port}{carrier}");
    let (mut a, mut b, mids) = connected(&url, ADDRESS, server.authority()).await;
    drop(server);
    let addresses: [IpAddr; 2] = [ADDRESS.parse().unwrap(), "::1".parse().unwrap()];
    let server = Coturn::start(&addresses, port, tls_port);
    // Whoever has sent through the server notices at once, and has another address now; the other one
    // notices when the connection stands still.
    let (mut mover, mut other, marks) = tokio::select! {
        () = a.moved() => (a, b, (0xb2, 0xa1)),
        () = b.moved() => (b, a, (0xa1, 0xb2)),
    };
    let offer = mover.restart().await;
    assert!(offer.contains("typ relay"), "{offer}");
    let answer = other.answer(&relayed_only(&offer, ADDRESS)).await;
    mover
        .take(SdpKind::Answer, &relayed_only(&answer, ADDRESS))
        .await;
    mover.frames(&mids, marks.0, 20).await;
    other.frames(&mids, marks.1, 20).await;
    let relays = mover.relays().await;
    assert!(relays.standing > 0 && relays.failed > 0, "{relays:?}");
    mover.close().await;
    other.close().await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_when_its_server_comes_back_over_tcp() {
    comes_back("?transport=tcp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_when_its_server_comes_back_over_udp() {
    comes_back("").await;
}
