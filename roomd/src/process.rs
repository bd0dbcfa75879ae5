// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the process itself uses, read from /proc/self.

use std::time::Instant;

/// Ticks a second of /proc/self/stat; fixed at 100 on every architecture that Debian ships.
const TICKS_PER_SECOND: f64 = 100.0;
const BYTES_PER_MB: f64 = 1e6;

/// Measures the process between two looks.
#[derive(Debug)]
pub struct Meter {
    last: Option<(Instant, f64)>,
}

/// What the process uses; none where it could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Of one core, in per cent, since the last look.
    pub cpu_percent: Option<f64>,
    /// Resident memory, in MB (10^6 bytes).
    pub rss_mb: Option<f64>,
    /// Threads.
    pub threads: Option<u32>,
    /// Open file descriptors.
    pub descriptors: Option<u32>,
}

impl Meter {
    /// A meter that has not looked yet.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Looks.
    pub fn look(&mut self, now: Instant) -> Usage {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ticks = std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|s| cpu_ticks(&s));
        let cpu_percent = ticks.and_then(|ticks| {
            let (then, before) = self.last.replace((now, ticks))?;
            let elapsed = now.duration_since(then).as_secs_f64();
            (elapsed > 0.0).then(|| 100.0 * (ticks - before) / TICKS_PER_SECOND / elapsed)
        });
        let descriptors = std::fs::read_dir("/proc/self/fd").ok();
        Usage {
            cpu_percent,
            rss_mb: field(&status, "VmRSS:").map(|kib| kib * 1024.0 / BYTES_PER_MB),
            threads: field(&status, "Threads:").map(|n| n as u32),
            descriptors: descriptors.and_then(|entries| u32::try_from(entries.count()).ok()),
        }
    }
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line[name.len()..].split_whitespace().next()?.parse().ok()
}

/// User plus system time (proc_pid_stat(5), fields 14 and 15; the name may hold spaces).
fn cpu_ticks(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 250 50 0 0 20 0 9 0 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(300.0));
    }

    #[test]
    fn the_own_process_can_be_measured() {
        let usage = Meter::new().look(Instant::now());
        assert!(usage.rss_mb.is_some_and(|mb| mb > 1.0), "{usage:?}");
        assert!(usage.threads.is_some_and(|n| n > 0), "{usage:?}");
        assert!(usage.descriptors.is_some_and(|n| n > 2), "{usage:?}");
        assert_eq!(usage.cpu_percent, None, "one look cannot tell a rate");
    }
}
