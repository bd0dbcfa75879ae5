// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A pipeline that opens on a thread of its own: a device may take seconds, the engine never waits.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use gstreamer as gst;
use roomd_media_core::plan::Plan;

use crate::branch::{Branch, Notice};
use crate::pool;

/// Tells a thread to stop when dropped.
#[derive(Debug)]
pub(crate) struct Stop(pub Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
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
    /// open is a [`Notice::Error`]. The place where it gives what it takes can be watched.
    pub(crate) fn open(
        plan: Plan,
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
                Ok(branch) => {
                    running.store(true, Ordering::Relaxed);
                    // Nothing is ever sent: this ends when the handle is dropped.
                    let _: Result<(), _> = kept.recv();
                    drop(branch);
                }
                Err(error) => {
                    tracing::info!(%error, "a device does not open");
                    failed(Notice::Error);
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
