// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What takes its time at a device, on a thread: the kernel waits a second and more for one that does not
//! answer, and nothing else of the room waits with it.

use tokio::task::JoinHandle;

/// One piece of work at a time. Whoever drops it waits for nothing: what was begun ends by itself, in the
/// time that the kernel allows a device.
#[derive(Debug)]
pub struct Work<T>(Option<JoinHandle<T>>);

impl<T> Default for Work<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Work<T> {
    /// Whether something is being done.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.0.is_some()
    }

    /// Begins; nobody hears any more of what was being done before.
    pub fn start(&mut self, work: impl FnOnce() -> T + Send + 'static) {
        self.0 = Some(tokio::task::spawn_blocking(work));
    }

    /// Waits until it is done, for ever while there is nothing to do; nothing is lost by waiting no longer.
    /// None when the daemon ends before.
    pub async fn done(&mut self) -> Option<T> {
        let Some(running) = &mut self.0 else {
            return std::future::pending().await;
        };
        let done = running.await;
        self.0 = None;
        done.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_holds_nobody_up_and_is_not_lost() {
        let moment = Duration::from_millis(10);
        let (answer, answers) = mpsc::channel();
        let mut work = Work::default();
        assert!(timeout(moment, work.done()).await.is_err());
        work.start(move || answers.recv().unwrap_or(0));
        assert!(timeout(moment, work.done()).await.is_err());
        assert!(work.is_running());
        answer.send(7).unwrap();
        assert_eq!(work.done().await, Some(7));
        assert!(!work.is_running());
    }
}
