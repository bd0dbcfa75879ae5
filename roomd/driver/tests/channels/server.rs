// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Real servers on this machine.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use roomd_driver::channels::Settings;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

/// An HTTPS server whose authority no system knows.
pub struct Server {
    pub port: u16,
    folder: TempDir,
}

impl Server {
    pub async fn start(app: Router) -> Self {
        Self::start_for("localhost", app).await
    }

    /// With a certificate for that name, whatever the server is called.
    pub async fn start_for(name: &str, app: Router) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("authority.pem"), root.pem()).unwrap();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let config = RustlsConfig::from_pem(leaf.pem().into(), key.serialize_pem().into())
            .await
            .unwrap();
        let (listener, port) = listen();
        let server = axum_server::from_tcp_rustls(listener, config).unwrap();
        tokio::spawn(server.serve(app.into_make_service()));
        Self { port, folder }
    }

    pub fn at(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://localhost:{}{path}", self.port)
    }

    /// Settings of a room that trusts this server's authority.
    pub fn trusted(&self) -> Settings {
        Settings {
            ca_file: Some(self.authority()),
            ..Settings::default()
        }
    }

    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

/// A server without TLS; gives its port.
pub async fn plain(app: Router) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

/// What a server that never answers sees: a connection and what came on it, then its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Request(String),
    End,
}

/// A server that takes requests and never answers.
pub async fn silent() -> (u16, mpsc::Receiver<Seen>) {
    answering("").await
}

/// A server that answers every request with these bytes, and hangs up if there are any.
pub async fn answering(answer: &'static str) -> (u16, mpsc::Receiver<Seen>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (to_test, seen) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 4096];
            let size = connection.read(&mut buffer).await.unwrap_or_default();
            let request = String::from_utf8_lossy(&buffer[..size]).into_owned();
            let _ = to_test.send(Seen::Request(request)).await;
            if !answer.is_empty() {
                let _ =
                    tokio::io::AsyncWriteExt::write_all(&mut connection, answer.as_bytes()).await;
                continue;
            }
            let _ = connection.read(&mut buffer).await;
            let _ = to_test.send(Seen::End).await;
        }
    });
    (port, seen)
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}
