// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! When the display is on: while the room is in use, some time before a meeting, and for some time
//! after the last use.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use roomd_model::Now;

use super::power::Power;

/// What the room does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Something is to be seen: a call, a join under way, a pairing code, people in the room.
    pub busy: bool,
    /// When the next meeting begins, or the present one began.
    pub next: Option<DateTime<Utc>>,
}

/// Decides how the display should be.
#[derive(Debug)]
pub struct Schedule {
    wake: Duration,
    standby: Duration,
    room: Use,
    /// When the display was last needed.
    needed: Instant,
    wanted: Option<Power>,
}

impl Schedule {
    /// A display that is on `wake` before a meeting, and sleeps `standby` after the last use.
    #[must_use]
    pub const fn new(wake: Duration, standby: Duration, now: Now) -> Self {
        Self {
            wake,
            standby,
            room: Use {
                busy: false,
                next: None,
            },
            needed: now.mono,
            wanted: None,
        }
    }

    /// Takes what the room does; returns how the display should be from now on, when that is new.
    pub fn handle(&mut self, room: Use, now: Now) -> Option<Power> {
        self.note(now);
        self.room = room;
        self.decide(now)
    }

    /// Somebody touched the panel, pressed a button or came in.
    pub fn touched(&mut self, now: Now) -> Option<Power> {
        self.needed = now.mono;
        self.decide(now)
    }

    /// When [`Self::handle_timeout`] has something to do, and why.
    #[must_use]
    pub fn poll_timeout(&self, now: Now) -> Option<(Instant, &'static str)> {
        let sleeps = self.needed + self.standby;
        let sleep = (self.wanted != Some(Power::Standby) && !self.room.busy)
            .then_some((sleeps, "the display sleeps"));
        let until = self.room.next.and_then(|next| {
            let wakes = next - chrono::Duration::from_std(self.wake).ok()?;
            (wakes - now.utc).to_std().ok()
        });
        let wake = until.map(|until| (now.mono + until, "the display wakes"));
        sleep.into_iter().chain(wake).min()
    }

    /// Time has come.
    pub fn handle_timeout(&mut self, now: Now) -> Option<Power> {
        self.decide(now)
    }

    fn decide(&mut self, now: Now) -> Option<Power> {
        self.note(now);
        let idle = now.mono.saturating_duration_since(self.needed);
        let power = if idle < self.standby {
            Power::On
        } else {
            Power::Standby
        };
        (self.wanted.replace(power) != Some(power)).then_some(power)
    }

    /// Notes until when it was needed: now by whatever is busy, and from the waking time until the
    /// meeting began.
    fn note(&mut self, now: Now) {
        if self.room.busy {
            self.needed = now.mono;
        }
        let wake = chrono::Duration::from_std(self.wake).unwrap_or_default();
        let Some(next) = self.room.next.filter(|next| *next - wake <= now.utc) else {
            return;
        };
        let ago = (now.utc - next).to_std().unwrap_or_default();
        if let Some(at) = now.mono.checked_sub(ago) {
            self.needed = self.needed.max(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAKE: Duration = Duration::from_secs(300);
    const STANDBY: Duration = Duration::from_secs(900);

    struct Bench {
        start: Now,
        schedule: Schedule,
    }

    impl Bench {
        fn new() -> Self {
            let start = Now {
                mono: Instant::now(),
                utc: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            };
            let schedule = Schedule::new(WAKE, STANDBY, start);
            Self { start, schedule }
        }

        fn at(&self, seconds: u64) -> Now {
            let since = Duration::from_secs(seconds);
            Now {
                mono: self.start.mono + since,
                utc: self.start.utc + since,
            }
        }

        /// Lets time pass as the shell does; returns what was wanted and when, in seconds.
        fn run(&mut self, until: u64) -> Vec<(u64, Power)> {
            let mut wanted = Vec::new();
            let mut now = 0;
            while let Some((at, _)) = self.schedule.poll_timeout(self.at(now)) {
                now = (at - self.start.mono).as_secs().max(now + 1);
                if now > until {
                    break;
                }
                let power = self.schedule.handle_timeout(self.at(now));
                wanted.extend(power.map(|power| (now, power)));
            }
            wanted
        }
    }

    fn meeting(at: Now) -> Use {
        Use {
            busy: false,
            next: Some(at.utc),
        }
    }

    #[test]
    fn it_wakes_before_a_meeting_and_sleeps_when_nobody_came() {
        let mut bench = Bench::new();
        let next = meeting(bench.at(7200));
        let now = bench.at(0);
        assert_eq!(bench.schedule.handle(next, now), Some(Power::On));
        assert_eq!(
            bench.run(20_000),
            [
                (900, Power::Standby),
                (6900, Power::On),
                // The meeting began at 7200 without anybody.
                (7200 + 900, Power::Standby)
            ]
        );
    }

    #[test]
    fn a_call_keeps_it_on() {
        let mut bench = Bench::new();
        let call = Use {
            busy: true,
            next: None,
        };
        let now = bench.at(10);
        assert_eq!(bench.schedule.handle(call, now), Some(Power::On));
        let later = bench.at(5000);
        assert_eq!(bench.schedule.handle_timeout(later), None);
        let now = bench.at(6000);
        assert_eq!(bench.schedule.handle(Use::default(), now), None);
        let now = bench.at(6899);
        assert_eq!(bench.schedule.handle_timeout(now), None);
        let now = bench.at(6900);
        assert_eq!(bench.schedule.handle_timeout(now), Some(Power::Standby));
        let now = bench.at(6901);
        assert_eq!(bench.schedule.touched(now), Some(Power::On));
    }

    #[test]
    fn a_schedule_that_changes_is_followed() {
        let mut bench = Bench::new();
        let now = bench.at(0);
        let next = meeting(bench.at(100_000));
        bench.schedule.handle(next, now);
        let now = bench.at(1000);
        assert_eq!(bench.schedule.handle_timeout(now), Some(Power::Standby));
        let next = meeting(bench.at(1200));
        assert_eq!(bench.schedule.handle(next, now), Some(Power::On));
    }
}
