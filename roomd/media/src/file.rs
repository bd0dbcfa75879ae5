// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Plays a recorded file again and again, without a gap where it begins anew.
//!
//! The file is decoded a little ahead of its time. At its end it is opened again while the rest of
//! what was decoded still plays, which works with every format, whether it can be sought or not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use gstreamer as gst;
use roomd_media_core::plan::Plan;

use crate::branch::{Branch, BranchError, Notice};
use crate::device::Stop;

/// How far ahead of its time a file is decoded.
const AHEAD: Duration = Duration::from_millis(200);
/// A player that is later than this goes on from now instead of catching up.
const LATE: Duration = Duration::from_millis(200);
/// How long the player may take to see that it is stopped.
const CHECK: Duration = Duration::from_millis(100);

type Split<T> = Box<dyn FnMut(&gst::Sample) -> Vec<T> + Send>;

/// What is done with a file.
pub(crate) struct Player<T> {
    /// How it is decoded.
    pub plan: Plan,
    /// How long one piece lasts.
    pub period: Duration,
    /// Cuts what the decoder gives into pieces.
    pub split: Split<T>,
    /// Takes a piece when it is due.
    pub play: Box<dyn FnMut(T) + Send>,
    /// Told once, when the file cannot be played.
    pub failed: Box<dyn FnOnce() + Send>,
}

enum Item {
    Sample(gst::Sample),
    End,
}

/// A file that is open and being decoded.
struct Decoding {
    items: Receiver<Item>,
    failed: Arc<AtomicBool>,
    _branch: Branch,
    /// Something came out of it.
    fruitful: bool,
}

impl Decoding {
    fn open(plan: &Plan) -> Result<Self, BranchError> {
        // Full, it holds the decoder back.
        let (sender, items) = sync_channel(1);
        let failed = Arc::new(AtomicBool::new(false));
        let (ends, failure) = (sender.clone(), failed.clone());
        let sample = move |sample: &gst::Sample| {
            // An error means that the player has stopped.
            let _ = sender.send(Item::Sample(sample.clone()));
        };
        let notice = move |notice| match notice {
            Notice::End => {
                // An error means that the player has stopped.
                let _ = ends.send(Item::End);
            }
            Notice::Error(_) => failure.store(true, Ordering::Relaxed),
            Notice::Warning => {}
        };
        Ok(Self {
            _branch: Branch::open(plan, sample, notice)?,
            items,
            failed,
            fruitful: false,
        })
    }
}

impl<T: Send + 'static> Player<T> {
    /// Plays until the handle is dropped or the file fails.
    pub(crate) fn start(self) -> std::io::Result<Stop> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        std::thread::Builder::new()
            .name("file".to_owned())
            .spawn(move || self.run(&stopped))?;
        Ok(Stop(stop))
    }

    fn run(mut self, stopped: &AtomicBool) {
        if let Err(error) = self.play_on(stopped) {
            tracing::info!(%error, "the file does not open");
        }
        if !stopped.load(Ordering::Relaxed) {
            (self.failed)();
        }
    }

    /// Returns when stopped, or when nothing can be got from the file.
    fn play_on(&mut self, stopped: &AtomicBool) -> Result<(), BranchError> {
        let most = (AHEAD.as_micros() / self.period.as_micros().max(1)) as usize;
        let mut decoding = Decoding::open(&self.plan)?;
        let mut ahead = VecDeque::new();
        let mut due = Instant::now();
        while !stopped.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now >= due
                && let Some(piece) = ahead.pop_front()
            {
                (self.play)(piece);
                due = if now > due + LATE { now } else { due } + self.period;
                continue;
            }
            let wait = due.saturating_duration_since(now);
            if ahead.len() >= most {
                std::thread::sleep(wait.min(CHECK));
                continue;
            }
            let wait = if ahead.is_empty() { CHECK } else { wait };
            match decoding.items.recv_timeout(wait) {
                Ok(Item::Sample(sample)) => {
                    decoding.fruitful = true;
                    ahead.extend((self.split)(&sample));
                }
                Ok(Item::End) if decoding.fruitful => decoding = Decoding::open(&self.plan)?,
                Err(RecvTimeoutError::Timeout) if !decoding.failed.load(Ordering::Relaxed) => {}
                Ok(Item::End) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }
}
