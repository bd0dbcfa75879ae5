// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Stands between the room and the server: notes what is asked, and changes entries at the worst
//! moment.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use roomd_driver::calendar::{Settings, Source};
use roomd_model::Pii;
use url::Url;

use crate::support::{Radicale, calendar};

const PASSED_ON: [&str; 5] = [
    "authorization",
    "content-type",
    "depth",
    "if-match",
    "if-none-match",
];

/// One request and its answer.
struct Exchange {
    method: String,
    body: String,
    status: StatusCode,
}

/// Writes an entry each time before the room does.
struct Interference {
    name: String,
    body: String,
    times: usize,
}

struct Inner {
    server: Url,
    client: Client,
    // The tests look at what the server's tasks write.
    exchanges: Mutex<Vec<Exchange>>,
    interference: Mutex<Option<Interference>>,
}

pub struct Middleman {
    port: u16,
    inner: Arc<Inner>,
}

impl Middleman {
    pub async fn start(server: &Radicale) -> Self {
        let inner = Arc::new(Inner {
            server: server.address("/"),
            // The server may close a connection that waits for its next use.
            client: Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            exchanges: Mutex::default(),
            interference: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let app = axum::Router::new().fallback(pass).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, inner }
    }

    /// A room that talks to the server through here.
    pub fn settings(&self, server: &Radicale) -> Settings {
        let mut settings = server.settings("/elbe/room/", None);
        if let Source::CalDav { url, .. } = &mut settings.source {
            let here = format!("http://127.0.0.1:{}/elbe/room/", self.port);
            *url = Pii::new(Url::parse(&here).unwrap());
        }
        settings
    }

    /// From now on somebody writes these events right before each of the room's next writes.
    pub fn interfere(&self, name: &str, events: &str, times: usize) {
        self.inner.exchanges.lock().unwrap().clear();
        *self.inner.interference.lock().unwrap() = Some(Interference {
            name: name.to_owned(),
            body: calendar(events),
            times,
        });
    }

    /// How many requests named this element.
    pub fn asked(&self, element: &str) -> usize {
        let exchanges = self.inner.exchanges.lock().unwrap();
        let named = exchanges.iter().filter(|one| one.names(element));
        named.count()
    }

    /// Whether a request of this kind held the text.
    pub fn holds(&self, text: &str, element: &str) -> bool {
        let exchanges = self.inner.exchanges.lock().unwrap();
        exchanges
            .iter()
            .any(|one| one.names(element) && one.body.contains(text))
    }

    /// How requests with this method were answered.
    pub fn statuses(&self, method: &str) -> Vec<u16> {
        let exchanges = self.inner.exchanges.lock().unwrap();
        let those = exchanges.iter().filter(|one| one.method == method);
        those.map(|one| one.status.as_u16()).collect()
    }
}

impl Exchange {
    fn names(&self, element: &str) -> bool {
        // The prefix is the client's choice.
        self.body.contains(&format!(":{element}")) || self.body.contains(&format!("<{element}"))
    }
}

impl Inner {
    async fn write_first(&self) {
        let (url, body) = {
            let mut interference = self.interference.lock().unwrap();
            let Some(one) = interference.as_mut().filter(|one| one.times > 0) else {
                return;
            };
            one.times -= 1;
            let url = self.server.join(&format!("elbe/{}", one.name)).unwrap();
            // A comment of its own gives every write another version.
            let comment = format!("SUMMARY:Beta\r\nCOMMENT:{}", one.times);
            (url, one.body.replace("SUMMARY:Beta", &comment))
        };
        let request = self
            .client
            .put(url)
            .basic_auth("elbe", Some("geheim"))
            .body(body);
        let status = request.send().await.unwrap().status();
        assert!(status.is_success(), "{status}");
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    if head.method == "PUT" {
        inner.write_first().await;
    }
    let url = inner.server.join(head.uri.path()).unwrap();
    let mut headers = HeaderMap::new();
    for name in PASSED_ON {
        if let Some(value) = head.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    let onward = inner.client.request(head.method.clone(), url);
    let answer = onward.headers(headers).body(body.clone());
    let answer = answer.send().await.unwrap();
    inner.exchanges.lock().unwrap().push(Exchange {
        method: head.method.to_string(),
        body: String::from_utf8_lossy(&body).into_owned(),
        status: answer.status(),
    });
    let mut back = HeaderMap::new();
    for name in [header::ETAG, header::CONTENT_TYPE] {
        if let Some(value) = answer.headers().get(&name) {
            back.insert(name, value.clone());
        }
    }
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    (status, back, Body::from(bytes)).into_response()
}
