// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A session that does as it is told, and tells what it hears.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use roomd_conference::{
    ChannelCommand, ChannelEvent, ChannelId, Command, Endpoint, Event, HttpRequest, Input, Method,
    Output, Refusal, Session,
};
use roomd_driver::channels::{Channels, Settings};
use roomd_driver::session::{self, SessionHandle};
use roomd_model::{Now, Pii, Secret};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const ONE: ChannelId = ChannelId(ChannelId::FIRST_OWN);
pub const TWO: ChannelId = ChannelId(ChannelId::FIRST_OWN + 1);

type Script = Arc<Mutex<VecDeque<Output>>>;
type Heard = (ChannelId, ChannelEvent);

#[derive(Debug)]
struct Puppet {
    script: Script,
    heard: mpsc::UnboundedSender<Heard>,
    /// Called before each event is heard: what makes a session slow.
    pace: fn(),
}

impl Session for Puppet {
    fn handle(&mut self, input: Input, _now: Now) {
        if let Input::Channel(id, event) = input {
            (self.pace)();
            let _ = self.heard.send((id, event));
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.script.lock().unwrap().pop_front()
    }

    fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        None
    }
}

/// A session with its channels, wired as in the daemon.
pub struct Room {
    script: Script,
    handle: SessionHandle,
    heard: mpsc::UnboundedReceiver<Heard>,
    pub channels: JoinHandle<()>,
}

impl Room {
    pub fn start(settings: Settings) -> Self {
        Self::start_at_pace(settings, || {})
    }

    pub fn start_at_pace(settings: Settings, pace: fn()) -> Self {
        let script = Script::default();
        let (to_test, heard) = mpsc::unbounded_channel();
        let puppet = Puppet {
            script: Arc::clone(&script),
            heard: to_test,
            pace,
        };
        let (handle, mut outputs, _) = session::spawn(Box::new(puppet), session::system_clock);
        let mut channels = Channels::new(settings, handle.clone());
        let channels = tokio::spawn(async move {
            while let Some(output) = outputs.recv().await {
                if let Output::Channel(id, command) = output {
                    channels.command(id, command);
                }
            }
            channels.close().await;
        });
        Self {
            script,
            handle,
            heard,
            channels,
        }
    }

    /// Makes the session say something.
    pub fn says(&self, id: ChannelId, commands: impl IntoIterator<Item = ChannelCommand>) {
        let outputs = commands.into_iter().map(|said| Output::Channel(id, said));
        self.script.lock().unwrap().extend(outputs);
        self.handle.command(Command::Hand(true)).unwrap();
    }

    /// The session says that it is over.
    pub fn ends(&self) {
        let ended = Output::Event(Event::Ended(roomd_conference::Ended::Left));
        self.script.lock().unwrap().push_back(ended);
        self.handle.command(Command::Hand(true)).unwrap();
    }

    /// What the session hears next.
    pub async fn hears(&mut self) -> Heard {
        let heard = timeout(PATIENCE, self.heard.recv()).await;
        heard.expect("the session hears nothing").unwrap()
    }

    pub async fn hears_of(&mut self, id: ChannelId) -> ChannelEvent {
        let (from, event) = self.hears().await;
        assert_eq!(from, id, "{event:?}");
        event
    }

    pub async fn hears_opened(&mut self, id: ChannelId) {
        let event = self.hears_of(id).await;
        assert!(matches!(event, ChannelEvent::Opened), "{event:?}");
    }

    pub async fn hears_text(&mut self, id: ChannelId) -> String {
        match self.hears_of(id).await {
            ChannelEvent::Text(text) => text.into_inner(),
            other => panic!("no text: {other:?}"),
        }
    }

    pub async fn hears_closed(&mut self, id: ChannelId) {
        let event = self.hears_of(id).await;
        assert!(matches!(event, ChannelEvent::Closed), "{event:?}");
    }

    pub async fn hears_refused(&mut self, id: ChannelId) -> Refusal {
        match self.hears_of(id).await {
            ChannelEvent::Refused(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub async fn hears_answer(&mut self, id: ChannelId) -> (u16, String) {
        match self.hears_of(id).await {
            ChannelEvent::Response { status, body } => (status, body.into_inner()),
            other => panic!("no answer: {other:?}"),
        }
    }

    /// Nothing more for a moment.
    pub async fn hears_nothing(&mut self) {
        let heard = timeout(Duration::from_millis(300), self.heard.recv()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}

pub fn socket(url: &str) -> ChannelCommand {
    socket_with(url, None)
}

pub fn socket_with(url: &str, bearer: Option<&str>) -> ChannelCommand {
    ChannelCommand::Open(Endpoint::WebSocket {
        url: address(url),
        bearer: bearer.map(Secret::new),
    })
}

pub fn get(url: &str) -> ChannelCommand {
    request(Method::Get, url, None)
}

pub fn request(method: Method, url: &str, json: Option<&str>) -> ChannelCommand {
    ChannelCommand::Open(Endpoint::Http(HttpRequest {
        method,
        url: address(url),
        bearer: json.map(|_| Secret::new("token")),
        json: json.map(Pii::from),
    }))
}

pub fn text(text: &str) -> ChannelCommand {
    ChannelCommand::Text(Pii::from(text))
}

fn address(url: &str) -> Pii<Url> {
    Pii::new(Url::parse(url).unwrap())
}
