// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The homeserver's certificate.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use roomd_matrix::State;
use roomd_matrix_port::{Ask, Failure};
use roomd_model::Pii;
use rustls::ServerConfig;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::line::{Line, Room};
use super::synapse::shared;

/// Puts TLS before a server; returns its port and the authority that signed its certificate.
async fn tls_before(server: &str) -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, key).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            key.serialize_der().try_into().unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = server.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let mut outside = acceptor.accept(outside).await?;
                let mut inside = TcpStream::connect(server).await?;
                copy_bidirectional(&mut outside, &mut inside).await
            });
        }
    });
    (port, authority.pem())
}

#[tokio::test]
async fn a_certificate_has_to_verify() {
    let server = shared().await;
    let (port, authority) = tls_before(&server.url).await;
    let mut room = Room::new(server).await;
    room.settings.homeserver = Pii::new(format!("https://127.0.0.1:{port}").parse().unwrap());
    let account = room.start();
    let mut line = Line::new(&account).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(*account.state().borrow(), State::Offline);
    assert_eq!(line.ask(Ask::Transports).await, Err(Failure::Unreachable));
    drop(account);
    let file = room.path().join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    room.settings.ca_file = Some(file);
    let (_account, mut line, _) = room.online().await;
    assert!(line.ask(Ask::OpenIdToken).await.is_ok());
}
