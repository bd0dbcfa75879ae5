// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! roomd in the virtual room: under its own unit, as its own user, on the system's bus.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use roomd_api::{HealthItem, State};

use super::bench::Bench;
use crate::lab::picture::Picture;

/// When something counts as never coming, on a processor that is emulated.
const PATIENCE: Duration = Duration::from_secs(120);

/// The configuration of every case, with what it adds to `[media]` and behind it. Guests come through a
/// port of this machine's loopback, which the virtual room has as well.
fn config(port: u16, media: &str, further: &str) -> String {
    format!(
        "[room]\nname = \"Bench\"\n\
         [web]\nlisten = \"0.0.0.0:{port}\"\nkiosk_dir = \"/mnt/panel\"\n\
         [direct]\nhost = \"127.0.0.1\"\n\
         [media]\naddresses = [\"10.0.2.15\"]\n{media}\n{further}\n"
    )
}

/// Emulation has better things to do than to draw.
pub const HEADLESS: &str = "display = \"headless\"\n";

/// What it said last.
pub const LOG: &str = "journalctl --unit=roomd --lines=60 --no-pager --output=cat";

/// The running daemon; ends with the value.
pub struct Daemon<'a> {
    bench: &'a Bench,
}

impl<'a> Daemon<'a> {
    /// Starts it with nothing kept from before, and waits until it answers.
    pub fn start(bench: &'a Bench, further: &str) -> Result<Self> {
        Self::start_with(bench, HEADLESS, further)
    }

    /// The same with these lines in `[media]`.
    pub fn start_with(bench: &'a Bench, media: &str, further: &str) -> Result<Self> {
        bench.host.text(&format!(
            "systemctl stop roomd\n\
             rm -rf /var/lib/roomd/*\n\
             cat >/etc/roomd/roomd.toml <<'END'\n{}END\n\
             systemd-tmpfiles --create roomd.conf\n\
             roomd check-config /etc/roomd/roomd.toml",
            config(bench.web()?, media, further)
        ))?;
        let daemon = Self { bench };
        daemon.boot()?;
        Ok(daemon)
    }

    /// The one that the machine's boot starts, as soon as it answers.
    pub fn running(bench: &'a Bench) -> Result<Self> {
        let answers = "until ctl status >/dev/null 2>&1; do sleep 0.5; done";
        bench.host.text(answers)?;
        Ok(Self { bench })
    }

    /// Nobody ends it but the machine.
    pub fn leave_to_itself(self) {
        std::mem::forget(self);
    }

    /// Starts it again, after it was killed.
    pub fn boot(&self) -> Result<()> {
        let start = format!("systemctl start roomd || {{ {LOG}; exit 1; }}");
        self.bench.host.text(&start).map(drop)
    }

    /// Ends it as a crash does.
    pub fn kill(&self) -> Result<()> {
        let kill = "killed=$(pid); systemctl kill --signal=KILL roomd\n\
                    while [ -e /proc/$killed ]; do sleep 0.1; done";
        self.bench.host.text(kill).map(drop)
    }

    /// Runs roomctl.
    pub fn ctl(&self, arguments: &str) -> Result<String> {
        self.bench.host.text(&format!("ctl {arguments}"))
    }

    /// What the room draws for its display.
    pub fn snapshot(&self) -> Result<Picture> {
        let png = self.bench.host.bytes(
            "roomctl snapshot /tmp/shown.png >/dev/null\n\
             cat /tmp/shown.png",
        )?;
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), png)?;
        Picture::read(file.path())
    }

    /// What the room says of itself.
    pub fn state(&self) -> Result<State> {
        serde_json::from_str(&self.ctl("status")?).context("roomctl status is not a state")
    }

    /// Waits until the state is as wanted; says at last what it was.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut(&State) -> Option<T>) -> Result<T> {
        let begun = Instant::now();
        loop {
            let state = self.state()?;
            if let Some(found) = look(&state) {
                return Ok(found);
            }
            if begun.elapsed() > PATIENCE {
                bail!(
                    "waited {PATIENCE:?} for {what}; cameras {:?}, devices {:?}, health {:?}, \
                     faults {:?}",
                    state.cameras,
                    state.devices,
                    state.health,
                    state.faults
                );
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until the health view has this code, and gives its line.
    pub fn wait_health(&self, code: &str) -> Result<HealthItem> {
        self.wait(code, |state| {
            let mut items = state.health.items.iter();
            items.find(|item| item.code == code).cloned()
        })
    }

    /// Threads, open descriptors and resident memory in kB of the daemon.
    pub fn uses(&self) -> Result<[u64; 3]> {
        let text = self.bench.host.text(
            "cd /proc/$(pid); ls task | wc -l; ls fd | wc -l; \
             sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' status",
        )?;
        let mut numbers = text.lines().map(|line| line.trim().parse());
        let mut next = || {
            numbers
                .next()
                .context("a figure is missing")?
                .context("no number")
        };
        Ok([next()?, next()?, next()?])
    }

    /// What it has open, and how often.
    pub fn open_files(&self) -> Result<String> {
        self.bench
            .host
            .text("ls -l /proc/$(pid)/fd | sed 's/.* -> //' | sort | uniq -c")
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let end = "systemctl stop roomd";
        if let Err(error) = self.bench.host.text(end) {
            eprintln!("roomd did not end: {error:#}");
        }
    }
}
