// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A room: the daemon with its own folder, bus, port and configuration.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use roomd_api::State;
use serde_json::Value;
use tempfile::TempDir;

use super::bus::Bus;
use super::picture::Picture;
use super::wait;
use crate::{kiosk, project};

/// The room's name in every scenario; must never appear in a log.
pub const NAME: &str = "Sitzungsraum Kornblume";
/// The booking's title in every scenario; must never appear in a log.
pub const TITLE: &str = "Haushaltsklausur Vertraulich";

/// A running room. Ends with the value.
pub struct Room {
    folder: TempDir,
    bus: Bus,
    daemon: Option<Child>,
    /// Where panel and guests connect, such as `127.0.0.1:34567`.
    pub authority: String,
    /// The meeting id of the booked meeting.
    pub meeting: String,
    ready: UnixDatagram,
    watchdog: Option<Duration>,
    screen: Option<String>,
}

/// What a scenario wants otherwise than the default.
#[derive(Default)]
pub struct Options {
    /// Further configuration, as TOML tables.
    pub extra: String,
    /// The calendar section, in place of the file with one meeting.
    pub calendar: Option<String>,
    /// In how many seconds the booked meeting begins.
    pub begins_in: i64,
    /// The X screen that it has for a display; none without.
    pub screen: Option<String>,
    /// How often systemd would want a sign of life, at the least. Whoever asks for it reads the
    /// notices, as a socket that is full stops the daemon.
    pub watchdog: Option<Duration>,
}

impl Room {
    /// Starts a room and waits until it is ready.
    pub fn start(options: &Options) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("roomd-lab-").tempdir()?;
        let bus = Bus::start(folder.path())?;
        let authority = format!("127.0.0.1:{}", free_port()?);
        let ready = UnixDatagram::bind(folder.path().join("notify"))?;
        ready.set_read_timeout(Some(Duration::from_millis(100)))?;
        let meeting = fresh_meeting_id()?;
        let mut room = Self {
            folder,
            bus,
            daemon: None,
            authority,
            meeting,
            ready,
            watchdog: None,
            screen: None,
        };
        room.write_calendar(Utc::now() + TimeDelta::seconds(options.begins_in))?;
        room.write_config(options)?;
        room.watchdog = options.watchdog;
        room.screen.clone_from(&options.screen);
        room.boot()?;
        Ok(room)
    }

    /// Starts the daemon, again after [`Room::kill`] or [`Room::terminate`].
    pub fn boot(&mut self) -> Result<()> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = Command::new(project::binary("roomd"));
        if let Some(watchdog) = self.watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        if let Some(screen) = &self.screen {
            command.env("DISPLAY", screen);
        }
        let daemon = command
            .arg("--config")
            .arg(self.path("roomd.toml"))
            .env("NOTIFY_SOCKET", self.path("notify"))
            .env("RUST_BACKTRACE", "1")
            // What is checked is the log that a room writes.
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C at a terminal is for the demo, which ends its programs in order.
            .process_group(0)
            .spawn()
            .context("cannot start roomd")?;
        self.daemon = Some(daemon);
        wait::until("roomd to be ready", || {
            let mut buffer = [0; 256];
            let Ok(length) = self.ready.recv(&mut buffer) else {
                if let Some(Ok(Some(status))) = self.daemon.as_mut().map(Child::try_wait) {
                    let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
                    bail!("roomd ended with {status}:\n{log}");
                }
                return Ok(None);
            };
            let text = String::from_utf8_lossy(&buffer[..length]);
            Ok(text.lines().any(|line| line == "READY=1").then_some(()))
        })?;
        // Readiness does not wait for the bus, without which a room works too.
        wait::until("roomd to be on the bus", || self.state().map(Some)).map(drop)
    }

    /// What the daemon told systemd since this was asked last, one line each (sd_notify(3)).
    pub fn notices(&self) -> Vec<String> {
        let mut buffer = [0; 256];
        let mut lines = Vec::new();
        while let Ok(length) = self.ready.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]);
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }

    /// A file in the room's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The daemon's process id.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.daemon.as_ref().context("roomd is not running")?.id())
    }

    /// Ends the daemon as a power cut does.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill()?;
            daemon.wait()?;
        }
        Ok(())
    }

    /// Ends the daemon as systemd does, and says how long that took.
    pub fn terminate(&mut self) -> Result<Duration> {
        let started = Instant::now();
        let Some(daemon) = self.daemon.as_mut() else {
            return Ok(Duration::ZERO);
        };
        Command::new("kill")
            .args(["-TERM", &daemon.id().to_string()])
            .status()?;
        wait::until("roomd to end", || Ok(daemon.try_wait()?))?;
        self.daemon = None;
        Ok(started.elapsed())
    }

    /// Runs roomctl and gives its JSON.
    pub fn ctl(&self, arguments: &[&str]) -> Result<Value> {
        let output = Command::new(project::binary("roomctl"))
            .args(["--bus", &self.bus.address, "--json"])
            .args(arguments)
            .output()
            .context("cannot start roomctl")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!(
                "roomctl {}: {} {}",
                arguments.join(" "),
                text.trim(),
                error.trim()
            );
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What the room says of itself.
    pub fn state(&self) -> Result<State> {
        let status = self.ctl(&["status"])?;
        serde_json::from_value(status).context("roomctl status is not a state")
    }

    /// Waits until the state is as wanted.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut(&State) -> Option<T>) -> Result<T> {
        wait::until(what, || Ok(look(&self.state()?)))
    }

    /// Takes a picture of the display.
    pub fn snapshot(&self, path: &Path) -> Result<Picture> {
        self.ctl(&["snapshot", &path.to_string_lossy()])?;
        Picture::read(path)
    }

    /// The link that guests open.
    pub fn guest_url(&self) -> String {
        format!("https://{}/meet/{}", self.authority, self.meeting)
    }

    /// The address of the wired panel.
    pub fn panel_url(&self) -> Result<String> {
        let token = std::fs::read_to_string(self.path("panel-token"))?;
        Ok(format!(
            "https://{}/panel.html#token={}",
            self.authority,
            token.trim()
        ))
    }

    /// The address that a tablet opens.
    pub fn tablet_url(&self) -> String {
        format!("https://{}/panel.html", self.authority)
    }

    /// The server key's pin: base64 of the SHA-256 of its SPKI.
    pub fn pin(&self) -> Result<String> {
        let script = "openssl x509 -in \"$0\" -noout -pubkey | openssl pkey -pubin -outform der \
             | openssl dgst -sha256 -binary | openssl base64";
        let output = Command::new("sh")
            .args(["-c", script])
            .arg(self.path("state/tls/server.pem"))
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The daemon's log so far.
    pub fn log(&self) -> Result<String> {
        let mut text = String::new();
        std::fs::File::open(self.log_path())?.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Fails when the log holds anything personal, a panic or an error, or does not tell of the
    /// scenario at all.
    pub fn check_log(&self, personal: &[&str]) -> Result<()> {
        let log = self.log()?;
        if !log.contains(" INFO ") {
            bail!("the log tells nothing, so it proves nothing");
        }
        let token = std::fs::read_to_string(self.path("panel-token"))?;
        let own = [NAME, TITLE, &self.meeting, token.trim(), "127.0.0.1:"];
        let wire = ["candidate:", "a=fingerprint", "\"type\":"];
        for needle in own.iter().chain(&wire).chain(personal) {
            if let Some(line) = log.lines().find(|line| line.contains(needle)) {
                bail!("the log holds `{needle}`: {line}");
            }
        }
        let broken = |line: &&str| line.contains("panicked") || line.contains(" ERROR ");
        if let Some(line) = log.lines().find(broken) {
            bail!("the log holds an error: {line}");
        }
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.path("roomd.log")
    }

    /// Books the meeting from then on for an hour.
    pub fn write_calendar(&self, start: DateTime<Utc>) -> Result<()> {
        let stamp = |time: DateTime<Utc>| time.format("%Y%m%dT%H%M%SZ").to_string();
        let event = |uid: &str, start: DateTime<Utc>, link: &str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:{}\r\nDTSTART:{}\r\nDTEND:{}\r\n\
                 SUMMARY:{TITLE}\r\nLOCATION:{link}\r\nEND:VEVENT\r\n",
                stamp(Utc::now()),
                stamp(start),
                stamp(start + TimeDelta::hours(1)),
            )
        };
        // What was and what is to come another day is nobody's business today.
        let days = |days| start + TimeDelta::days(days);
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//roomd//lab//EN\r\n{}{}{}\
             END:VCALENDAR\r\n",
            event("lab-past", days(-1), "Raum"),
            event("lab-meeting", start, &self.guest_url()),
            event("lab-later", days(7), "Raum"),
        );
        std::fs::write(self.path("calendar.ics"), text).context("cannot write the calendar")
    }

    fn write_config(&self, options: &Options) -> Result<()> {
        let calendar = options.calendar.clone().unwrap_or_else(|| {
            format!(
                "source = \"file\"\npath = \"{}\"",
                self.path("calendar.ics").display()
            )
        });
        let text = format!(
            "[room]\nname = \"{NAME}\"\nsupport = \"Telefon 4711\"\n\n\
             [calendar]\n{calendar}\n\n\
             [direct]\nhost = \"127.0.0.1\"\n\n\
             [web]\nlisten = \"{}\"\nkiosk_dir = \"{}\"\npanel_token = \"{}\"\n\n\
             [media]\ncamera = \"test\"\nmicrophone = \"test\"\ndisplay = \"{}\"\n\
             loudspeaker = \"off\"\naddresses = [\"127.0.0.1\"]\ninclude_loopback = true\n\n\
             [dbus]\nbus = \"{}\"\n\n\
             [state]\ndirectory = \"{}\"\n\n{}",
            self.authority,
            kiosk::dist().display(),
            self.path("panel-token").display(),
            options.screen.as_ref().map_or("headless", |_| "x11"),
            self.bus.address,
            self.path("state").display(),
            options.extra,
        );
        std::fs::write(self.path("roomd.toml"), text).context("cannot write the configuration")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Err(error) = self.terminate() {
            eprintln!("roomd did not end by itself: {error:#}");
        }
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        if std::env::var_os("ROOMD_LAB_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            eprintln!("kept {}", self.folder.path().display());
        }
    }
}

/// A port that nobody listens on at the moment.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn fresh_meeting_id() -> Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let alphabet = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letters: String = bytes
        .iter()
        .map(|b| alphabet[usize::from(*b) % alphabet.len()] as char)
        .collect();
    Ok(format!(
        "{}-{}-{}-{}",
        &letters[..4],
        &letters[4..8],
        &letters[8..12],
        &letters[12..]
    ))
}
