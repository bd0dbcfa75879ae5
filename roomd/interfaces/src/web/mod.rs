// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HTTPS for the panel and for guests of direct meetings.
//!
//! Invariants: there is no plain HTTP; every page and socket of the panel but the pairing itself
//! needs a session; a WebSocket opens only for a page of the room's own origin.

mod auth;
mod content;
mod files;
mod guest;
mod headers;
mod metrics;
mod panel;
mod presence;
mod sessions;
mod socket;
mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path as UrlPath, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper_util::rt::TokioTimer;
use rand::Rng;
use roomd_model::Secret;
use tokio::sync::{Semaphore, watch};

use crate::pairing::Desk;
use crate::{GuestPort, Room, storage};

pub use presence::Panels;
pub use tls::{Certificate, Identity, TlsError};

/// How long open requests may take when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where and as whom the room serves.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Address and port; `[::]:443` for everyone.
    pub listen: SocketAddr,
    /// The built pages of panel and guests.
    pub kiosk_dir: PathBuf,
    /// Where `tls/`, `panels.json`, `wired.json` and `pairing.json` live.
    pub state_dir: PathBuf,
    /// Where the wired panel's token is put at each start, readable by its group.
    pub panel_token_file: Option<PathBuf>,
    /// The certificate.
    pub certificate: Certificate,
    /// Whoever bears it may read the room's figures; none: nobody may.
    pub metrics_token: Option<Secret>,
}

/// Why the room does not serve.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address cannot be used.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("no certificate to serve with")]
    Tls(#[from] TlsError),
    /// The token of the wired panel cannot be written.
    #[error("cannot write {path}")]
    Token {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The paired panels cannot be read.
    #[error("cannot read the list of paired panels")]
    Panels(#[source] io::Error),
    /// The server failed.
    #[error("the server stopped")]
    Serve(#[source] io::Error),
}

/// A server that has its port and its certificate, and serves when it is told to.
#[derive(Debug)]
pub struct WebServer {
    listener: TcpListener,
    address: SocketAddr,
    reloader: Reloader,
    app: Arc<App>,
    closing: watch::Sender<bool>,
}

/// Reads the certificate again, for renewals by the administration.
#[derive(Clone)]
pub struct Reloader {
    certificate: Certificate,
    state_dir: PathBuf,
    rustls: RustlsConfig,
    identity: watch::Sender<Identity>,
}

impl std::fmt::Debug for Reloader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reloader")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Reloader {
    /// Reads the certificate again; connections that are open keep the old one.
    ///
    /// # Errors
    /// When the new one cannot be used; the old one stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        let identity = Identity::load(&self.certificate, &self.state_dir)?;
        self.rustls.reload_from_config(identity.config());
        self.identity.send_replace(identity);
        Ok(())
    }

    /// The certificate in use.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity.borrow().clone()
    }
}

/// What every handler knows.
#[derive(Debug)]
pub(crate) struct App {
    room: Room,
    desk: Desk,
    sessions: sessions::Sessions,
    local_token: String,
    metrics_token: Option<Secret>,
    // A lock and no task: counting a try is short and waits for nothing, and every try needs the
    // answer at once.
    limits: Mutex<auth::Limits>,
    guests: guest::Guests,
    panels: Arc<Semaphore>,
    connected: watch::Sender<Panels>,
    identity: watch::Receiver<Identity>,
    kiosk_dir: PathBuf,
    closing: watch::Receiver<bool>,
}

impl WebServer {
    /// Takes the port, reads or makes the certificate, and writes the wired panel's token.
    ///
    /// # Errors
    /// When one of them fails.
    pub fn bind(
        settings: WebSettings,
        room: Room,
        guests: GuestPort,
        desk: Desk,
    ) -> Result<Self, WebError> {
        let identity = Identity::load(&settings.certificate, &settings.state_dir)?;
        let listen = |source| WebError::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let local_token = random_token();
        if let Some(path) = &settings.panel_token_file {
            write_token(path, &local_token)?;
        }
        let sessions = sessions::Sessions::open(&settings.state_dir).map_err(WebError::Panels)?;
        let (identity_sender, identity_receiver) = watch::channel(identity.clone());
        let (closing, closing_receiver) = watch::channel(false);
        let app = Arc::new(App {
            room,
            desk,
            sessions,
            local_token,
            metrics_token: settings.metrics_token,
            limits: Mutex::new(auth::Limits::new()),
            guests: guest::Guests::new(guests),
            panels: panel::seats(),
            connected: watch::Sender::new(Panels::default()),
            identity: identity_receiver,
            kiosk_dir: settings.kiosk_dir,
            closing: closing_receiver,
        });
        let reloader = Reloader {
            certificate: settings.certificate,
            state_dir: settings.state_dir,
            rustls: RustlsConfig::from_config(identity.config()),
            identity: identity_sender,
        };
        Ok(Self {
            listener,
            address,
            reloader,
            app,
            closing,
        })
    }

    /// The address in use; tells the port when `0` was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate in use.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.reloader.identity()
    }

    /// Which panels are connected.
    #[must_use]
    pub fn panels(&self) -> watch::Receiver<Panels> {
        self.app.connected.subscribe()
    }

    /// For a reload while the server runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Serves until `shutdown` is ready, then closes every socket in an orderly way.
    ///
    /// # Errors
    /// When accepting connections fails for good.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), WebError> {
        let handle = Handle::new();
        let mut server = axum_server::from_tcp_rustls(self.listener, self.reloader.rustls.clone())
            .map_err(WebError::Serve)?
            .handle(handle.clone());
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(15));
        let service =
            router(Arc::clone(&self.app)).into_make_service_with_connect_info::<SocketAddr>();
        let mut serving = std::pin::pin!(server.serve(service));
        tokio::select! {
            result = &mut serving => return result.map_err(WebError::Serve),
            () = self.app.desk.expire_codes() => {}
            () = shutdown => {}
        }
        self.closing.send_replace(true);
        handle.graceful_shutdown(Some(FAREWELL));
        serving.await.map_err(WebError::Serve)
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/session", get(auth::session).post(auth::open_session))
        .route("/api/pair/show", post(auth::show_code))
        .route("/api/pair", post(auth::pair))
        .route("/api/panel", get(panel::upgrade))
        .route("/api/content", get(content::preview))
        .route("/api/{*rest}", axum::routing::any(not_found))
        .route("/meet/{id}", get(meet))
        .route("/meet/{id}/ws", get(guest::upgrade))
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics::page))
        .route("/ca.pem", get(authority))
        .route("/", get(panel_page))
        .route("/panel.html", get(panel_page))
        .merge(files::routes(&app.kiosk_dir))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            headers::add,
        ))
        .with_state(app)
}

async fn panel_page(State(app): State<Arc<App>>) -> Response {
    files::page(&app.kiosk_dir, "panel.html").await
}

async fn meet(State(app): State<Arc<App>>, UrlPath(id): UrlPath<String>) -> Response {
    if guest::is_meeting_id(&id) {
        files::page(&app.kiosk_dir, "guest.html").await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

async fn authority(State(app): State<Arc<App>>) -> Response {
    let identity = app.identity.borrow().clone();
    match identity.authority_pem() {
        Some(pem) => files::download(pem.to_owned()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// For probes on the device itself; others learn nothing.
async fn healthz(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> StatusCode {
    if !peer.ip().to_canonical().is_loopback() {
        StatusCode::NOT_FOUND
    } else if app.room.alive() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// 256 random bits that may stand in a cookie.
fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>())
}

fn write_token(path: &Path, token: &str) -> Result<(), WebError> {
    storage::replace(path, token.as_bytes(), 0o640).map_err(|source| WebError::Token {
        path: path.to_owned(),
        source,
    })
}
