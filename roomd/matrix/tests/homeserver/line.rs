// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A session's side of the line, and accounts to attach it to.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use roomd_matrix::{Account, Attachment, Login, Settings, State};
use roomd_matrix_port::{
    Ask, Call, Done, Failure, JoinedRoom, Me, News, Reply, Request, RoomId, Why,
};
use roomd_model::Pii;
use tempfile::TempDir;
use tokio::time::timeout;

use super::person::{PASSWORD, Person};
use super::synapse::Homeserver;

/// Longer than anything takes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An account with a folder of its own.
pub struct Room {
    folder: Arc<TempDir>,
    pub settings: Settings,
}

impl Room {
    /// A room's account that logs in with its password.
    pub async fn new(server: &Homeserver) -> Self {
        let person = Person::new(server, "room").await;
        Self::of(server, &person)
    }

    pub fn of(server: &Homeserver, person: &Person) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let settings = Settings {
            homeserver: Pii::new(server.url.parse().unwrap()),
            user: Pii::new(person.user.clone()),
            login: Login::Password(password),
            store: folder.path().join("matrix"),
            device_name: "Room 1".into(),
            ca_file: None,
            recovery_key_file: None,
        };
        let folder = Arc::new(folder);
        Self { folder, settings }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn start(&self) -> Account {
        Account::start(self.settings.clone())
    }

    /// Starts it and waits until it is online.
    pub async fn online(&self) -> (Account, Line, Me) {
        let account = self.start();
        let mut line = Line::new(&account).await;
        line.folder = Some(Arc::clone(&self.folder));
        let me = line.online().await;
        (account, line, me)
    }

    /// Starts it and waits until it cannot be used.
    pub async fn refused(&self) -> Why {
        let account = self.start();
        let mut line = Line::new(&account).await;
        let why = line.news(|news| match news {
            News::Ended(why) => Some(*why),
            _ => None,
        });
        let why = why.await;
        assert_eq!(*account.state().borrow(), State::Ended(why));
        assert!(
            line.attachment.from.recv().await.is_none(),
            "the line is still open"
        );
        why
    }
}

pub struct Line {
    pub attachment: Attachment,
    asked: u64,
    heard: VecDeque<News>,
    /// The account's folder lasts as long as somebody talks to it.
    folder: Option<Arc<TempDir>>,
}

impl Line {
    pub async fn new(account: &Account) -> Self {
        Self {
            attachment: account.attach().await,
            asked: 0,
            heard: VecDeque::new(),
            folder: None,
        }
    }

    async fn reply(&mut self) -> Reply {
        let text = timeout(PATIENCE, self.attachment.from.recv()).await;
        let text = text
            .expect("the account says nothing")
            .expect("the line is closed");
        Reply::from_text(text.expose()).unwrap()
    }

    pub async fn ask(&mut self, ask: Ask) -> Result<Done, Failure> {
        let asked = self.ask_only(ask).await;
        loop {
            match self.reply().await {
                Reply::Answer { id, result } => {
                    assert_eq!(id, asked);
                    return result;
                }
                Reply::News(news) => self.heard.push_back(news),
            }
        }
    }

    pub async fn ask_only(&mut self, ask: Ask) -> u64 {
        self.asked += 1;
        let request = Request {
            id: self.asked,
            ask,
        };
        let text = request.to_text().unwrap();
        self.attachment.to.send(text).await.unwrap();
        self.asked
    }

    /// Waits for news, in the order in which they came; what does not match is forgotten.
    pub async fn news<T>(&mut self, wanted: impl Fn(&News) -> Option<T>) -> T {
        while let Some(news) = self.heard.pop_front() {
            if let Some(found) = wanted(&news) {
                return found;
            }
        }
        loop {
            if let Reply::News(news) = self.reply().await
                && let Some(found) = wanted(&news)
            {
                return found;
            }
        }
    }

    /// News that came so far.
    pub fn so_far(&mut self) -> Vec<News> {
        while let Ok(text) = self.attachment.from.try_recv() {
            if let Ok(Reply::News(news)) = Reply::from_text(text.expose()) {
                self.heard.push_back(news);
            }
        }
        self.heard.drain(..).collect()
    }

    pub async fn online(&mut self) -> Me {
        self.news(|news| match news {
            News::Online(me) => Some(me.clone()),
            _ => None,
        })
        .await
    }

    pub async fn offline(&mut self) {
        self.news(|news| matches!(news, News::Offline).then_some(()))
            .await;
    }

    pub async fn call(&mut self, wanted: impl Fn(&Call) -> bool) -> Call {
        self.news(|news| match news {
            News::Call(call) if wanted(call) => Some(call.clone()),
            _ => None,
        })
        .await
    }

    pub async fn try_join(&mut self, room: &str) -> Result<Done, Failure> {
        self.ask(Ask::Join {
            room: Pii::from(room),
            via: vec![Pii::from("localhost"), Pii::from("not a name")],
            reason: Some(Pii::from("the meeting")),
        })
        .await
    }

    pub async fn join(&mut self, room: &str) -> JoinedRoom {
        let answer = self.try_join(room).await;
        let Ok(Done::Joined(joined)) = answer else {
            panic!("not joined: {answer:?}");
        };
        joined
    }
}

pub fn room_id(room: &str) -> RoomId {
    RoomId::new(room)
}
