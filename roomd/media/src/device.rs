// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A pipeline that opens on a thread of its own: a device may take seconds, the engine never waits.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Weak};

use gstreamer as gst;
use roomd_media_core::plan::Plan;

use crate::branch::{Branch, Cause, Notice};
use crate::pool;

/// Tells a thread to stop when dropped.
#[derive(Debug)]
pub(crate) struct Stop(pub Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether another program has a device, as far as the room's attempts to open it tell.
#[derive(Debug, Default)]
pub(crate) struct Claim {
    /// The room's own pipelines; one that was let go takes its time to close.
    holds: Vec<Weak<()>>,
    /// An earlier one was not closed when the last one opened, and may be who has the device.
    early: bool,
    in_use: bool,
}

impl Claim {
    /// The device is opened; its pipeline keeps what it gets until it has stopped.
    pub(crate) fn begin(&mut self) -> Arc<()> {
        self.holds.retain(|hold| hold.strong_count() > 0);
        self.early = !self.holds.is_empty();
        let hold = Arc::new(());
        self.holds.push(Arc::downgrade(&hold));
        hold
    }

    /// It did not open, or works no longer.
    pub(crate) fn failed(&mut self, cause: Cause) {
        self.in_use = cause == Cause::InUse && (self.in_use || !self.early);
    }

    /// Whether an earlier one of the room's own, which was not closed when the last one opened, may have been
    /// in its way.
    pub(crate) const fn was_early(&self) -> bool {
        self.early
    }

    /// It works, is not there, or is not wanted.
    pub(crate) const fn settle(&mut self) {
        self.in_use = false;
    }

    pub(crate) const fn is_in_use(&self) -> bool {
        self.in_use
    }
}

/// A device that runs or is being opened; released when dropped.
#[derive(Debug)]
pub(crate) struct Device {
    _stop: Stop,
    _keep: Sender<()>,
    opened: Arc<AtomicBool>,
}

impl Device {
    /// Begins to open it. Once dropped, neither function is called again; a device that does not
    /// open is a [`Notice::Error`]. The place where it gives what it takes can be watched. What it holds
    /// it lets go once it is closed.
    pub(crate) fn open(
        plan: Plan,
        hold: Arc<()>,
        watch: impl FnOnce(&gst::Pad) + Send + 'static,
        mut sample: impl FnMut(&gst::Sample) + Send + 'static,
        notice: impl Fn(Notice) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (keep, kept) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let opened = Arc::new(AtomicBool::new(false));
        let stopped = [stop.clone(), stop.clone()];
        let running = Arc::clone(&opened);
        let run = move || {
            let [no_samples, no_notices] = stopped;
            let notice = Arc::new(move |word| {
                if !no_notices.load(Ordering::Relaxed) {
                    notice(word);
                }
            });
            let failed = notice.clone();
            let taken = move |taken: &gst::Sample| {
                if !no_samples.load(Ordering::Relaxed) {
                    sample(taken);
                }
            };
            pool::mend();
            match Branch::open_watched(&plan, watch, taken, move |word| notice(word)) {
                Ok(mut branch) => {
                    branch.hold(hold);
                    running.store(true, Ordering::Relaxed);
                    // Nothing is ever sent: this ends when the handle is dropped.
                    let _: Result<(), _> = kept.recv();
                    drop(branch);
                }
                Err(error) => {
                    tracing::info!(%error, "a device does not open");
                    failed(Notice::Error(error.cause()));
                }
            }
        };
        std::thread::Builder::new()
            .name("device".to_owned())
            .spawn(run)?;
        Ok(Self {
            _stop: Stop(stop),
            _keep: keep,
            opened,
        })
    }

    /// Whether it still opens.
    pub(crate) fn is_opening(&self) -> bool {
        !self.opened.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_busy_is_another_programs() {
        let mut claim = Claim::default();
        for _ in 0..3 {
            drop(claim.begin());
            claim.failed(Cause::InUse);
            assert!(claim.is_in_use());
        }
        // Unplugged meanwhile.
        drop(claim.begin());
        claim.failed(Cause::Other);
        assert!(!claim.is_in_use());
        drop(claim.begin());
        claim.failed(Cause::InUse);
        claim.settle();
        assert!(!claim.is_in_use());
    }

    #[test]
    fn the_room_itself_is_no_other_program() {
        let mut claim = Claim::default();
        let stalled = claim.begin();
        assert!(!claim.was_early());
        claim.failed(Cause::Other);
        for _ in 0..3 {
            drop(claim.begin());
            claim.failed(Cause::InUse);
            assert!(!claim.is_in_use(), "the stalled one still closes");
            assert!(claim.was_early());
        }
        drop(stalled);
        let closing = claim.begin();
        claim.failed(Cause::InUse);
        assert!(claim.is_in_use());
        // What is known stays so while the last attempt is on its way out.
        drop(claim.begin());
        claim.failed(Cause::InUse);
        assert!(claim.is_in_use());
        drop(closing);
    }
}
