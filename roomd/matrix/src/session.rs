// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The session that is attached: its line, and what it was promised.

use std::collections::{BTreeMap, BTreeSet};

use matrix_sdk::ruma::{OwnedRoomId, OwnedUserId};
use roomd_matrix_port::{BadText, Done, Failure, News, Reply, Request, RoomId};
use roomd_model::Pii;
use tokio::sync::mpsc;

use crate::room::Watched;

/// Senders that the server is asked about for one session.
const MAX_KNOWN: usize = 1000;

/// One session on the line.
#[derive(Debug)]
pub(crate) struct Session {
    /// Answers to an earlier session's requests find nobody.
    pub number: u64,
    pub rooms: BTreeMap<OwnedRoomId, Watched>,
    pub knocks: BTreeSet<OwnedRoomId>,
    /// Senders whose identities the server was asked for.
    known: BTreeSet<OwnedUserId>,
    from: mpsc::Receiver<Pii<String>>,
    to: Option<mpsc::Sender<Pii<String>>>,
}

impl Session {
    pub fn new(
        number: u64,
        from: mpsc::Receiver<Pii<String>>,
        to: mpsc::Sender<Pii<String>>,
    ) -> Self {
        Self {
            number,
            rooms: BTreeMap::new(),
            knocks: BTreeSet::new(),
            known: BTreeSet::new(),
            from,
            to: Some(to),
        }
    }

    /// The next request; none when the session is gone.
    pub async fn next(&mut self) -> Option<Result<Request, BadText>> {
        let text = self.from.recv().await?;
        Some(Request::from_text(text.expose()))
    }

    /// What was asked and not read yet, of a session that is gone.
    pub fn rest(&mut self) -> Vec<Request> {
        self.from.close();
        let texts = std::iter::from_fn(|| self.from.try_recv().ok());
        texts
            .filter_map(|text| Request::from_text(text.expose()).ok())
            .collect()
    }

    /// Whoever leaves a room knows that he is gone.
    pub fn unwatch(&mut self, room: &RoomId) {
        self.rooms.retain(|id, _| id.as_str() != room.expose());
        self.knocks.retain(|id| id.as_str() != room.expose());
    }

    /// Whether the server may be asked about a sender: once for each, and not without end.
    pub fn may_ask_about(&mut self, user: &OwnedUserId) -> bool {
        self.known.len() < MAX_KNOWN && self.known.insert(user.clone())
    }

    pub fn answer(&mut self, id: u64, result: Result<Done, Failure>) {
        self.send(&Reply::Answer { id, result });
    }

    pub fn tell(&mut self, news: News) {
        self.send(&Reply::News(news));
    }

    pub fn tell_all(&mut self, news: Vec<News>) {
        for news in news {
            self.tell(news);
        }
    }

    /// Never waits: a session that does not read loses its line, not everybody else their account.
    fn send(&mut self, reply: &Reply) {
        let (Some(to), Ok(text)) = (&self.to, reply.to_text()) else {
            return;
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = to.try_send(text) {
            tracing::warn!("the session does not read what its Matrix account says, and loses it");
            self.to = None;
            self.from.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use roomd_matrix_port::Ask;

    use super::*;

    fn lines() -> (
        Session,
        mpsc::Sender<Pii<String>>,
        mpsc::Receiver<Pii<String>>,
    ) {
        let (to, from) = mpsc::channel(4);
        let (to_session, from_account) = mpsc::channel(4);
        (Session::new(1, from, to_session), to, from_account)
    }

    #[tokio::test]
    async fn a_session_that_does_not_read_loses_its_line() {
        let (mut session, to, mut from) = lines();
        session.tell_all(vec![News::Offline; 10]);
        for _ in 0..4 {
            assert!(from.recv().await.is_some());
        }
        assert!(from.recv().await.is_none());
        assert!(to.send(Pii::from("x")).await.is_err());
        assert!(session.next().await.is_none());
    }

    #[tokio::test]
    async fn what_was_asked_before_the_end_is_still_read() {
        let (mut session, to, _from) = lines();
        let request = |id| Request {
            id,
            ask: Ask::Transports,
        };
        for text in [
            request(1).to_text().unwrap(),
            Pii::from("nonsense"),
            request(2).to_text().unwrap(),
        ] {
            to.send(text).await.unwrap();
        }
        drop(to);
        assert_eq!(session.rest(), [request(1), request(2)]);
    }
}
