// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The account, as the daemon sees it.

use roomd_matrix_port::Why;
use roomd_model::Pii;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::settings::Settings;
use crate::task::{Order, Task};

/// Messages that may wait in either direction.
const MESSAGES: usize = 64;

/// What the account is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not reached its homeserver yet.
    Starting,
    /// It is in touch with its homeserver.
    Online {
        /// Its identity vouches for this device: others see it as verified.
        cross_signed: bool,
    },
    /// The homeserver does not answer; the account keeps trying.
    Offline,
    /// It cannot be used, until somebody has changed something and the daemon is started again.
    Ended(Why),
}

/// A running account. Dropping it ends it.
#[derive(Debug)]
pub struct Account {
    orders: mpsc::Sender<Order>,
    state: watch::Receiver<State>,
    task: JoinHandle<()>,
}

/// A session's line to the account: texts as `roomd-matrix-port` writes them.
#[derive(Debug)]
pub struct Attachment {
    /// What the session asks. Dropping it ends the line; what was asked before is still carried out.
    pub to: mpsc::Sender<Pii<String>>,
    /// What the account answers and tells. It ends when a later session takes the account over, when
    /// the session does not read, and with the account.
    pub from: mpsc::Receiver<Pii<String>>,
}

impl Account {
    /// Starts the account on the runtime of the caller, and returns at once.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        let (orders, to_task) = mpsc::channel(1);
        let (state, seen) = watch::channel(State::Starting);
        let task = Task::new(settings, to_task, state);
        Self {
            orders,
            state: seen,
            task: tokio::spawn(task.run()),
        }
    }

    /// Opens a line for a session; an earlier one closes.
    pub async fn attach(&self) -> Attachment {
        let (to, from_session) = mpsc::channel(MESSAGES);
        let (to_session, from) = mpsc::channel(MESSAGES);
        // Without a task there is nobody on the line, and the session sees that it is closed.
        let _ = self
            .orders
            .send(Order::Attach(from_session, to_session))
            .await;
        Attachment { to, from }
    }

    /// What the account is doing.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Lets it finish what it was asked, for a few seconds, and ends it.
    pub async fn stop(mut self) {
        let (done, stopped) = oneshot::channel();
        if self.orders.send(Order::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
        let _ = (&mut self.task).await;
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.task.abort();
    }
}
