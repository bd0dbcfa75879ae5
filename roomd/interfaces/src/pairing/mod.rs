// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Pairing a tablet with the room: the display shows six digits, the tablet gives them back.
//!
//! [`Pairing`] decides, without a clock or a file; [`Desk`] keeps it, publishes the code for the
//! display and remembers the lock-out on disk.
//!
//! Invariants: a code pairs at most once, and only before it expires; wrong tries add up across
//! codes, and every fifth in a row voids the code and locks pairing for longer than the last time;
//! while it is locked nothing pairs and no code is shown.

mod desk;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::Rng;
use roomd_model::Now;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

pub use desk::Desk;

/// How long a code is valid.
pub const VALID: Duration = Duration::from_secs(120);
/// Wrong tries until pairing is locked.
pub const TRIES: u32 = 5;
/// The first lock-out; each further one doubles.
const FIRST_LOCK: Duration = Duration::from_secs(30);
/// No lock-out is longer.
const LONGEST_LOCK: Duration = Duration::from_secs(15 * 60);

/// Six digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; 6]);

impl Code {
    /// A fresh code.
    #[must_use]
    pub fn random() -> Self {
        // The thread's generator is cryptographic and seeded by the kernel.
        let mut generator = rand::rng();
        Self(std::array::from_fn(|_| generator.random_range(b'0'..=b'9')))
    }

    /// Reads what a person typed; spaces do not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 32 {
            return None;
        }
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let digits: [u8; 6] = digits.try_into().ok()?;
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then_some(Self(digits))
    }

    /// For the display.
    #[must_use]
    pub fn digits(&self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What survives a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Memory {
    /// Wrong tries since the last lock-out or success.
    wrong: u32,
    /// Lock-outs since the last success.
    lock_outs: u32,
    /// When the last one ends.
    locked_until: Option<DateTime<Utc>>,
}

/// What became of showing a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A new code is shown.
    Fresh,
    /// The code that is shown already stays.
    Already,
    /// Pairing is locked.
    Locked {
        /// For so long.
        retry_after: Duration,
    },
}

/// What became of a code that somebody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It is the right one, and used up now.
    Paired,
    /// It is wrong.
    Wrong {
        /// So many tries are left.
        tries_left: u32,
    },
    /// No code is shown (any more).
    Gone,
    /// Pairing is locked.
    Locked {
        /// For so long.
        retry_after: Duration,
    },
}

#[derive(Clone, Debug)]
struct Active {
    code: Code,
    expires: Now,
}

/// Decides who pairs.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    active: Option<Active>,
    locked_until: Option<Now>,
    memory: Memory,
}

impl Pairing {
    /// Goes on where an earlier run stopped. A wall clock that jumped can shorten a lock-out, and
    /// never makes it longer than it was.
    #[must_use]
    pub fn restore(memory: Memory, now: Now) -> Self {
        let remaining = memory
            .locked_until
            .and_then(|until| (until - now.utc).to_std().ok())
            .map(|remaining| remaining.min(lock_out(memory.lock_outs)));
        Self {
            active: None,
            locked_until: remaining.map(|remaining| now.after(remaining)),
            memory,
        }
    }

    /// What must survive a restart.
    #[must_use]
    pub const fn memory(&self) -> Memory {
        self.memory
    }

    /// Shows a code: `fresh`, unless one is shown already.
    pub fn show(&mut self, fresh: Code, now: Now) -> Shown {
        self.expire(now);
        if let Some(retry_after) = self.locked_for(now) {
            return Shown::Locked { retry_after };
        }
        if self.active.is_some() {
            return Shown::Already;
        }
        self.active = Some(Active {
            code: fresh,
            expires: now.after(VALID),
        });
        Shown::Fresh
    }

    /// Takes the code that somebody gave; none if it is not even a code.
    pub fn redeem(&mut self, given: Option<&Code>, now: Now) -> Redeemed {
        self.expire(now);
        if let Some(retry_after) = self.locked_for(now) {
            return Redeemed::Locked { retry_after };
        }
        let Some(active) = &self.active else {
            return Redeemed::Gone;
        };
        if given.is_some_and(|given| bool::from(given.0.ct_eq(&active.code.0))) {
            self.active = None;
            self.memory = Memory::default();
            return Redeemed::Paired;
        }
        self.memory.wrong += 1;
        if self.memory.wrong < TRIES {
            return Redeemed::Wrong {
                tries_left: TRIES - self.memory.wrong,
            };
        }
        self.lock(now)
    }

    /// Takes the code off the display.
    pub fn hide(&mut self) {
        self.active = None;
    }

    /// Lets an old code and an old lock-out go.
    pub fn expire(&mut self, now: Now) {
        self.active
            .take_if(|active| active.expires.mono <= now.mono);
        self.locked_until.take_if(|until| until.mono <= now.mono);
    }

    /// The code that the display shows, and until when.
    #[must_use]
    pub fn shown(&self) -> Option<(&Code, Now)> {
        self.active
            .as_ref()
            .map(|active| (&active.code, active.expires))
    }

    fn lock(&mut self, now: Now) -> Redeemed {
        self.active = None;
        let lock_outs = self.memory.lock_outs.saturating_add(1);
        let retry_after = lock_out(lock_outs);
        let until = now.after(retry_after);
        self.locked_until = Some(until);
        self.memory = Memory {
            wrong: 0,
            lock_outs,
            locked_until: Some(until.utc),
        };
        Redeemed::Locked { retry_after }
    }

    fn locked_for(&self, now: Now) -> Option<Duration> {
        let remaining = self.locked_until?.mono.saturating_duration_since(now.mono);
        (!remaining.is_zero()).then_some(remaining)
    }
}

/// How long the n-th lock-out in a row lasts.
fn lock_out(number: u32) -> Duration {
    let doublings = number.saturating_sub(1).min(16);
    (FIRST_LOCK * (1 << doublings)).min(LONGEST_LOCK)
}

#[cfg(test)]
mod tests;
