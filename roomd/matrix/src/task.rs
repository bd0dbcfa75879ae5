// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The one task that owns the account: its client, its line to the homeserver, its session.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use matrix_sdk::Error;
use matrix_sdk::ruma::OwnedRoomId;
use matrix_sdk::sync::SyncResponse;
use roomd_matrix_port::{
    Ask, BadText, DeviceId, Done, Failure, Me, News, Request, StickyEvent, UserId, Why,
};
use roomd_model::Pii;
use tokio::sync::{mpsc, oneshot, watch};

use crate::account::State;
use crate::ask::{Context, Then, carry_out};
use crate::login::{Connection, Earlier, Stop, connect};
use crate::session::Session;
use crate::settings::Settings;
use crate::{news, room, sync};

/// Requests that run at the same time; more wait in the session's queue.
const AT_ONCE: usize = 32;
/// How long requests under way may take when the account is stopped.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What the daemon wants.
pub(crate) enum Order {
    Attach(mpsc::Receiver<Pii<String>>, mpsc::Sender<Pii<String>>),
    Stop(oneshot::Sender<()>),
}

/// What the line to the homeserver was doing has come to an end.
enum Line {
    Connected(Box<Result<Connection, Stop>>),
    Polled(Box<Result<SyncResponse, Error>>),
}

/// Work that was started has come to an end.
enum Work {
    Answer {
        session: u64,
        id: u64,
        result: Box<Result<(Done, Then), Failure>>,
    },
    Backlog {
        session: u64,
        room: OwnedRoomId,
        events: Vec<StickyEvent>,
    },
}

pub(crate) struct Task {
    settings: Arc<Settings>,
    orders: mpsc::Receiver<Order>,
    state: watch::Sender<State>,
    polls: watch::Sender<u64>,
    connection: Option<Connection>,
    line: BoxFuture<'static, Line>,
    /// Attempts since the homeserver last answered.
    attempt: u32,
    work: FuturesUnordered<BoxFuture<'static, Work>>,
    session: Option<Session>,
    sessions: u64,
}

impl Task {
    pub fn new(
        settings: Settings,
        orders: mpsc::Receiver<Order>,
        state: watch::Sender<State>,
    ) -> Self {
        let settings = Arc::new(settings);
        Self {
            line: connecting(Arc::clone(&settings), Earlier::Kept, Duration::ZERO),
            settings,
            orders,
            state,
            polls: watch::channel(0).0,
            connection: None,
            attempt: 0,
            work: FuturesUnordered::new(),
            session: None,
            sessions: 0,
        }
    }

    pub async fn run(mut self) {
        loop {
            let busy = self.work.len() >= AT_ONCE;
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Attach(from, to)) => self.attach(from, to),
                    Some(Order::Stop(done)) => {
                        self.stop().await;
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                line = &mut self.line => self.on_line(line).await,
                Some(work) = self.work.next() => self.on_work(work).await,
                request = next(self.session.as_mut(), !busy) => self.on_request(request),
            }
        }
    }

    fn attach(&mut self, from: mpsc::Receiver<Pii<String>>, to: mpsc::Sender<Pii<String>>) {
        self.detach();
        self.sessions += 1;
        let mut session = Session::new(self.sessions, from, to);
        match *self.state.borrow() {
            State::Online { .. } => {
                session.tell_all(self.me().map(News::Online).into_iter().collect())
            }
            State::Starting | State::Offline => session.tell(News::Offline),
            State::Ended(why) => {
                session.tell(News::Ended(why));
                return;
            }
        }
        self.session = Some(session);
    }

    /// Lets a session go; what it asked before is still carried out.
    fn detach(&mut self) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        for request in session.rest() {
            self.start(session.number, request);
        }
    }

    fn on_request(&mut self, request: Option<Result<Request, BadText>>) {
        let Some(session) = &self.session else { return };
        match request {
            Some(Ok(request)) => self.start(session.number, request),
            Some(Err(BadText)) => {
                tracing::warn!("a session says what its Matrix account cannot read")
            }
            None => self.detach(),
        }
    }

    fn start(&mut self, session: u64, request: Request) {
        let Request { id, ask } = request;
        if let (Ask::Leave { room }, Some(session)) = (&ask, &mut self.session) {
            session.unwatch(room);
        }
        let context = match (*self.state.borrow(), self.me(), &self.connection) {
            (State::Online { .. }, Some(me), Some(connection)) => Ok(Context {
                client: connection.client.clone(),
                files: connection.files.clone(),
                me,
                polls: self.polls.subscribe(),
            }),
            (State::Ended(why), ..) => Err(Failure::Account(why)),
            _ => Err(Failure::Unreachable),
        };
        let work = async move {
            let result = match context {
                Ok(context) => carry_out(context, ask).await,
                Err(failure) => Err(failure),
            };
            Work::Answer {
                session,
                id,
                result: Box::new(result),
            }
        };
        self.work.push(work.boxed());
    }

    async fn on_work(&mut self, work: Work) {
        match work {
            Work::Answer {
                session,
                id,
                result,
            } => {
                let Some(on_line) = self.session.as_mut().filter(|on| on.number == session) else {
                    return;
                };
                let (done, then) = match *result {
                    Ok((done, then)) => (Ok(done), then),
                    Err(failure) => (Err(failure), Then::Nothing),
                };
                on_line.answer(id, done);
                self.follow_up(then).await;
            }
            Work::Backlog {
                session,
                room,
                events,
            } => {
                let on_line = self.session.as_mut().filter(|on| on.number == session);
                let watched = on_line.and_then(|on| on.rooms.get_mut(&room));
                if let Some(watched) = watched {
                    watched.remember(events);
                    self.tell_changes(&room).await;
                }
            }
        }
    }

    async fn follow_up(&mut self, then: Then) {
        let Some(session) = &mut self.session else {
            return;
        };
        match then {
            Then::Nothing => {}
            Then::Knocked(room) => {
                session.knocks.insert(room);
            }
            Then::Watch(room, watched) => {
                session.knocks.remove(&room);
                session.rooms.insert(room.clone(), *watched);
                self.tell_changes(&room).await;
                self.look_back(room);
            }
        }
    }

    /// Reads what stuck to a room before, or while polls left something out.
    fn look_back(&mut self, id: OwnedRoomId) {
        let (Some(session), Some(connection)) = (&self.session, &self.connection) else {
            return;
        };
        let Some(room) = connection.client.get_room(&id) else {
            return;
        };
        let session = session.number;
        let work = async move {
            Work::Backlog {
                session,
                events: room::backlog(&room, now()).await,
                room: id,
            }
        };
        self.work.push(work.boxed());
    }

    async fn tell_changes(&mut self, id: &OwnedRoomId) {
        let (Some(session), Some(connection)) = (&mut self.session, &self.connection) else {
            return;
        };
        let room = connection.client.get_room(id);
        if let (Some(room), Some(watched)) = (room, session.rooms.get_mut(id)) {
            let changes = watched.changes(&room, now()).await;
            session.tell_all(changes);
        }
    }

    async fn on_line(&mut self, line: Line) {
        match line {
            Line::Connected(result) => match *result {
                Ok(connection) => {
                    self.connection = Some(connection);
                    self.poll(Duration::ZERO);
                }
                Err(Stop::Later) => {
                    self.offline();
                    self.reconnect(Earlier::Kept);
                }
                Err(Stop::Never(why)) => self.end(why),
            },
            Line::Polled(result) => match *result {
                Ok(response) => self.on_news(response).await,
                Err(error) => self.on_silence(&error),
            },
        }
    }

    async fn on_news(&mut self, response: SyncResponse) {
        self.attempt = 0;
        self.polls.send_modify(|polls| *polls += 1);
        self.online();
        self.poll(Duration::ZERO);
        let (Some(session), Some(connection)) = (&mut self.session, &self.connection) else {
            return;
        };
        let client = &connection.client;
        let gaps = news::pass_on(session, client, response, now()).await;
        for room in gaps {
            self.look_back(room);
        }
    }

    fn on_silence(&mut self, error: &Error) {
        if !matches!(error, Error::Http(_)) {
            tracing::warn!("the Matrix account's store cannot take what the homeserver says");
        }
        tracing::debug!(%error, "the homeserver gives no news");
        self.offline();
        let ended = self
            .connection
            .as_ref()
            .and_then(|connection| sync::login_ended(&connection.client, error));
        match ended {
            Some(earlier) => {
                tracing::warn!("the Matrix account's login was revoked");
                self.connection = None;
                self.reconnect(earlier);
            }
            None => {
                let pause = sync::pause(self.attempt);
                self.attempt = self.attempt.saturating_add(1);
                self.poll(pause);
            }
        }
    }

    fn reconnect(&mut self, earlier: Earlier) {
        let pause = sync::pause(self.attempt);
        self.attempt = self.attempt.saturating_add(1);
        self.line = connecting(Arc::clone(&self.settings), earlier, pause);
    }

    fn poll(&mut self, pause: Duration) {
        let Some(connection) = &self.connection else {
            return;
        };
        let client = connection.client.clone();
        let online = matches!(*self.state.borrow(), State::Online { .. });
        self.line = async move {
            tokio::time::sleep(pause).await;
            Line::Polled(Box::new(sync::poll(&client, online).await))
        }
        .boxed();
    }

    fn online(&mut self) {
        let cross_signed = self.connection.as_ref().is_some_and(|on| on.cross_signed);
        if self.change(State::Online { cross_signed })
            && let Some(me) = self.me()
        {
            self.tell(News::Online(me));
        }
    }

    fn offline(&mut self) {
        if self.change(State::Offline) {
            self.tell(News::Offline);
        }
    }

    fn tell(&mut self, news: News) {
        if let Some(session) = &mut self.session {
            session.tell(news);
        }
    }

    fn end(&mut self, why: Why) {
        if why != Why::Stopped {
            tracing::warn!(%why, "the Matrix account cannot be used");
        }
        self.change(State::Ended(why));
        self.connection = None;
        self.line = std::future::pending().boxed();
        if let Some(mut session) = self.session.take() {
            session.tell(News::Ended(why));
        }
    }

    fn change(&self, state: State) -> bool {
        self.state.send_if_modified(|known| {
            let differs = *known != state;
            if differs {
                tracing::info!(?state, "the Matrix account");
            }
            *known = state;
            differs
        })
    }

    fn me(&self) -> Option<Me> {
        let connection = self.connection.as_ref()?;
        Some(Me {
            user: UserId::new(connection.client.user_id()?.as_str()),
            device: DeviceId::new(connection.client.device_id()?.as_str()),
            cross_signed: connection.cross_signed,
        })
    }

    /// What a session asked last is often that it leaves; others should not have to wait for that.
    async fn stop(&mut self) {
        let number = self.sessions;
        let rest = self.session.as_mut().map(Session::rest);
        for request in rest.into_iter().flatten() {
            self.start(number, request);
        }
        let rest = async {
            while let Some(work) = self.work.next().await {
                self.on_work(work).await;
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        self.end(Why::Stopped);
    }
}

fn connecting(
    settings: Arc<Settings>,
    earlier: Earlier,
    pause: Duration,
) -> BoxFuture<'static, Line> {
    async move {
        tokio::time::sleep(pause).await;
        Line::Connected(Box::new(connect(&settings, &earlier).await))
    }
    .boxed()
}

/// The session's next request, if one is to be read; never, without a session.
async fn next(session: Option<&mut Session>, reads: bool) -> Option<Result<Request, BadText>> {
    match session {
        Some(session) => session.next(reads).await,
        None => std::future::pending().await,
    }
}

/// In ms since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
