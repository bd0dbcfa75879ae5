// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The session that is attached: its line, and what it was promised.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use matrix_sdk::ruma::OwnedRoomId;
use roomd_matrix_port::{BadText, Done, Failure, News, Reply, Request, RoomId};
use roomd_model::Pii;
use tokio::sync::mpsc;

use crate::room::Watched;

/// What may wait for a session that reads more slowly than its account tells: everybody's keys in one
/// answer of the homeserver, for example.
const MAX_WAITING: usize = 4096;

/// One session on the line.
#[derive(Debug)]
pub(crate) struct Session {
    /// Answers to an earlier session's requests find nobody.
    pub number: u64,
    pub rooms: BTreeMap<OwnedRoomId, Watched>,
    pub knocks: BTreeSet<OwnedRoomId>,
    from: mpsc::Receiver<Pii<String>>,
    to: Option<mpsc::Sender<Pii<String>>>,
    waiting: VecDeque<Pii<String>>,
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
            from,
            to: Some(to),
            waiting: VecDeque::new(),
        }
    }

    /// The next request, if one is to be read; none when the session is gone. Meanwhile hands over
    /// what waits for it.
    pub async fn next(&mut self, reads: bool) -> Option<Result<Request, BadText>> {
        loop {
            tokio::select! {
                text = self.from.recv(), if reads => {
                    return Some(Request::from_text(text?.expose()));
                }
                () = catch_up(self.to.as_ref(), &mut self.waiting) => {}
            }
        }
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
        let text = if self.waiting.is_empty() {
            match to.try_send(text) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => return,
                Err(mpsc::error::TrySendError::Full(text)) => text,
            }
        } else {
            text
        };
        if self.waiting.len() < MAX_WAITING {
            return self.waiting.push_back(text);
        }
        tracing::warn!("the session does not read what its Matrix account says, and loses it");
        self.to = None;
        self.waiting.clear();
        self.from.close();
    }
}

/// Hands over the first that waits, when there is room for it; never, where nothing waits.
async fn catch_up(to: Option<&mpsc::Sender<Pii<String>>>, waiting: &mut VecDeque<Pii<String>>) {
    let (Some(to), false) = (to, waiting.is_empty()) else {
        return std::future::pending().await;
    };
    match to.reserve().await {
        Ok(place) => {
            if let Some(text) = waiting.pop_front() {
                place.send(text);
            }
        }
        // The session is gone; its own line says so.
        Err(_) => waiting.clear(),
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
        session.tell_all(vec![News::Offline; 4 + MAX_WAITING + 1]);
        for _ in 0..4 {
            assert!(from.recv().await.is_some());
        }
        assert!(from.recv().await.is_none());
        assert!(to.send(Pii::from("x")).await.is_err());
        assert!(session.next(true).await.is_none());
    }

    #[tokio::test]
    async fn a_session_that_reads_slowly_gets_everything_in_order() {
        let (mut session, _to, mut from) = lines();
        for id in 0..100 {
            session.answer(id, Ok(Done::Done));
        }
        for id in 0..100 {
            let text = tokio::select! {
                biased;
                text = from.recv() => text.unwrap(),
                _ = session.next(false) => unreachable!(),
            };
            let reply = Reply::from_text(text.expose()).unwrap();
            assert_eq!(
                reply,
                Reply::Answer {
                    id,
                    result: Ok(Done::Done)
                }
            );
        }
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
