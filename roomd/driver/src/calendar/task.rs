// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The task that owns the source.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use reqwest::{Method, StatusCode};
use roomd_bookings::{MAX_CALENDAR_BYTES, Reader, Reading, Readout, Schedule};
use roomd_model::{Attendance, BookingId, Now, Pii, Secret};
use tokio::sync::{mpsc, oneshot, watch};
use url::Url;

use super::{
    AnswerError, CalendarState, Password, Settings, Source, cache,
    caldav::{CalDav, Window},
    http::{FetchError, Http},
};

/// A change shows within a minute, also after failures.
const MAX_POLL: Duration = Duration::from_secs(55);
const MIN_POLL: Duration = Duration::from_millis(200);
const FILE_POLL: Duration = Duration::from_secs(2);
const MAX_BACK_OFF: Duration = Duration::from_secs(45);
const PAST: TimeDelta = TimeDelta::days(1);
const FUTURE: TimeDelta = TimeDelta::days(30);
/// How long a reading stands before the window moves on.
const READING_AGE: TimeDelta = TimeDelta::minutes(30);

pub(super) enum Request {
    Answer {
        booking: BookingId,
        accept: bool,
        reply: oneshot::Sender<Result<(), AnswerError>>,
    },
    Refresh,
    Reload(Box<Settings>),
}

enum Remote {
    None,
    File {
        path: PathBuf,
        stamp: Option<(SystemTime, u64)>,
        bytes: Vec<u8>,
    },
    Feed {
        http: Box<Http>,
        url: Url,
        etag: Option<String>,
        bytes: Vec<u8>,
    },
    CalDav(Box<CalDav>),
}

pub(super) struct Task {
    settings: Settings,
    requests: mpsc::Receiver<Request>,
    publish: watch::Sender<CalendarState>,
    remote: Option<Remote>,
    /// Where the answer to a booking is written.
    origins: BTreeMap<BookingId, Origin>,
    failures: u32,
    read: Option<DateTime<Utc>>,
}

#[derive(Clone)]
struct Origin {
    href: String,
    recurrence: Option<DateTime<Utc>>,
}

impl Task {
    pub fn new(
        settings: Settings,
        requests: mpsc::Receiver<Request>,
        publish: watch::Sender<CalendarState>,
    ) -> Self {
        Self {
            settings,
            requests,
            publish,
            remote: None,
            origins: BTreeMap::new(),
            failures: 0,
            read: None,
        }
    }

    pub async fn run(mut self) {
        self.restore().await;
        loop {
            self.poll().await;
            let pause = tokio::time::sleep(self.pause());
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    request = self.requests.recv() => match request {
                        None => return,
                        Some(request) => if self.handle(request).await {
                            break;
                        },
                    },
                }
            }
        }
    }

    /// Handles a request; tells whether the calendar is to be read now.
    async fn handle(&mut self, request: Request) -> bool {
        match request {
            Request::Refresh => true,
            Request::Answer {
                booking,
                accept,
                reply,
            } => {
                let answered = self.answer(&booking, accept).await;
                if let Err(error) = &answered {
                    tracing::warn!(%error, "an invitation could not be answered");
                }
                // Whoever asked may have gone.
                let _ = reply.send(answered);
                true
            }
            Request::Reload(settings) => {
                let moved = settings.source != self.settings.source
                    || settings.privacy != self.settings.privacy;
                self.settings = *settings;
                self.read = None;
                self.failures = 0;
                // Passwords and authorities are read again, from files that may have changed.
                self.remote = None;
                if moved {
                    self.origins.clear();
                    self.publish.send_replace(CalendarState::default());
                    self.restore().await;
                }
                true
            }
        }
    }

    async fn restore(&self) {
        let stale = self.settings.source != Source::None;
        let kept = cache::load(&self.settings).await.unwrap_or_default();
        let read_at = kept.read_at;
        let schedule = Arc::new(Schedule::from_cache(kept));
        self.publish.send_replace(CalendarState {
            schedule,
            read_at,
            stale,
            ..CalendarState::default()
        });
    }

    async fn poll(&mut self) {
        let now = Now {
            mono: Instant::now(),
            utc: Utc::now(),
        };
        let window = Window {
            from: now.utc - PAST,
            to: now.utc + FUTURE,
        };
        let fetched = self.fetch(now.utc, window).await;
        match fetched {
            Err(error) => self.failed(error),
            Ok(changed) => {
                self.failures = 0;
                let aged = self
                    .read
                    .is_none_or(|read| (now.utc - read).abs() >= READING_AGE);
                if changed || aged {
                    self.read(now, window).await;
                }
                self.publish.send_if_modified(|state| {
                    let recovered = state.stale || state.fault.is_some();
                    state.stale = false;
                    state.fault = None;
                    state.read_at = Some(now.utc);
                    recovered
                });
            }
        }
    }

    fn failed(&mut self, error: FetchError) {
        self.failures = self.failures.saturating_add(1);
        let fault = error.fault();
        let modified = self.publish.send_if_modified(|state| {
            let modified = !state.stale || state.fault != Some(fault);
            state.stale = true;
            state.fault = Some(fault);
            modified
        });
        if modified {
            tracing::warn!(%error, "the calendar could not be read; the last schedule stands");
        }
    }

    /// Fetches the source; tells whether it changed.
    async fn fetch(&mut self, now: DateTime<Utc>, window: Window) -> Result<bool, FetchError> {
        let mut remote = match self.remote.take() {
            Some(remote) => remote,
            None => connect(&self.settings.source).await?,
        };
        let changed = match &mut remote {
            Remote::None => Ok(false),
            Remote::File { path, stamp, bytes } => read_file(path, stamp, bytes).await,
            Remote::Feed {
                http,
                url,
                etag,
                bytes,
            } => read_feed(http, url, etag, bytes).await,
            Remote::CalDav(caldav) => caldav.refresh(now, window).await,
        };
        // A refused account may have another password by now.
        if !matches!(changed, Err(FetchError::Refused)) {
            self.remote = Some(remote);
        }
        changed
    }

    async fn read(&mut self, now: Now, window: Window) {
        let addresses = self.addresses();
        let reading = Reading {
            zone: self.settings.zone,
            from: window.from,
            to: window.to,
            privacy: self.settings.privacy,
            addresses: &addresses,
            links: &*self.settings.links,
        };
        let (readout, hrefs) = read_out(self.remote.as_ref(), reading);
        self.origins = readout
            .entries
            .iter()
            .filter_map(|entry| {
                let href = hrefs.get(entry.source)?.clone();
                let origin = Origin {
                    href,
                    recurrence: entry.recurrence,
                };
                Some((entry.booking.id.clone(), origin))
            })
            .collect();
        self.read = Some(now.utc);
        self.log(&readout);
        let mut schedule = Schedule::clone(&self.publish.borrow().schedule);
        schedule.replace(readout.entries, now);
        let kept = schedule.to_cache(Some(now.utc));
        self.publish.send_replace(CalendarState {
            schedule: Arc::new(schedule),
            read_at: Some(now.utc),
            stale: false,
            skipped: readout.skipped,
            fault: None,
        });
        if self.settings.source != Source::None {
            cache::save(&self.settings, &kept).await;
        }
    }

    fn log(&self, readout: &Readout) {
        tracing::info!(
            bookings = readout.entries.len(),
            skipped = readout.skipped.len(),
            "calendar read"
        );
        let state = self.publish.borrow();
        let news = readout
            .skipped
            .iter()
            .filter(|skipped| !state.skipped.contains(skipped));
        for skipped in news.take(100) {
            let uid = skipped.uid.as_deref().unwrap_or("none");
            tracing::warn!(uid, cause = %skipped.cause, "a calendar entry was skipped");
        }
    }

    async fn answer(&self, booking: &BookingId, accept: bool) -> Result<(), AnswerError> {
        let Some(Remote::CalDav(caldav)) = &self.remote else {
            return Err(match self.settings.source {
                Source::CalDav { .. } => AnswerError::Unreachable,
                Source::None | Source::File(_) | Source::Ics { .. } => AnswerError::ReadOnly,
            });
        };
        let Some(origin) = self.origins.get(booking) else {
            // A schedule from disk does not know where its bookings came from.
            let known = self.publish.borrow().schedule.find(booking).is_some();
            return Err(if known {
                AnswerError::Unreachable
            } else {
                AnswerError::UnknownBooking
            });
        };
        let attendance = if accept {
            Attendance::Accepted
        } else {
            Attendance::Declined
        };
        let addresses = self.addresses();
        let room = (self.settings.zone, addresses.as_slice());
        caldav
            .answer(&origin.href, origin.recurrence, room, attendance)
            .await
    }

    fn addresses(&self) -> Vec<Pii<String>> {
        let mut addresses = self.settings.addresses.clone();
        if let Source::CalDav { username, .. } = &self.settings.source
            && username.expose().contains('@')
        {
            addresses.push(username.clone());
        }
        if let Some(Remote::CalDav(caldav)) = &self.remote {
            addresses.extend(caldav.addresses.iter().cloned());
        }
        addresses
    }

    fn pause(&self) -> Duration {
        if self.failures > 0 {
            let exponent = self.failures.min(6);
            let back_off = Duration::from_secs(1 << exponent).min(MAX_BACK_OFF);
            // Rooms that lost the same server do not come back in step.
            return back_off.mul_f64(rand::rng().random_range(0.8..1.2));
        }
        match self.settings.source {
            Source::File(_) => self.settings.poll.min(FILE_POLL).max(MIN_POLL),
            Source::None | Source::Ics { .. } | Source::CalDav { .. } => {
                self.settings.poll.clamp(MIN_POLL, MAX_POLL)
            }
        }
    }
}

async fn connect(source: &Source) -> Result<Remote, FetchError> {
    Ok(match source {
        Source::None => Remote::None,
        Source::File(path) => Remote::File {
            path: path.clone(),
            stamp: None,
            bytes: Vec::new(),
        },
        Source::Ics {
            url,
            ca_file,
            username,
            password,
        } => {
            let password = match password {
                Some(password) => Some(read_password(password).await?),
                None => None,
            };
            let account = username.clone().zip(password);
            Remote::Feed {
                http: Box::new(Http::new(url, ca_file.as_deref(), account).await?),
                url: url.expose().clone(),
                etag: None,
                bytes: Vec::new(),
            }
        }
        Source::CalDav {
            url,
            username,
            password,
            ca_file,
        } => Remote::CalDav(Box::new(
            CalDav::new(
                url,
                username,
                &read_password(password).await?,
                ca_file.as_deref(),
            )
            .await?,
        )),
    })
}

async fn read_password(password: &Password) -> Result<Secret, FetchError> {
    match password {
        Password::Given(secret) => Ok(secret.clone()),
        Password::File(path) => {
            let text = tokio::fs::read_to_string(path).await;
            let text = text.map_err(|_| FetchError::Password)?;
            Ok(Secret::new(text.lines().next().unwrap_or_default()))
        }
    }
}

async fn read_file(
    path: &PathBuf,
    stamp: &mut Option<(SystemTime, u64)>,
    bytes: &mut Vec<u8>,
) -> Result<bool, FetchError> {
    let metadata = tokio::fs::metadata(path)
        .await
        .map_err(|_| FetchError::File)?;
    if metadata.len() > MAX_CALENDAR_BYTES as u64 {
        return Err(FetchError::TooLarge);
    }
    let modified = metadata.modified().map_err(|_| FetchError::File)?;
    let current = Some((modified, metadata.len()));
    if *stamp == current {
        return Ok(false);
    }
    *bytes = tokio::fs::read(path).await.map_err(|_| FetchError::File)?;
    *stamp = current;
    Ok(true)
}

async fn read_feed(
    http: &Http,
    url: &Url,
    etag: &mut Option<String>,
    bytes: &mut Vec<u8>,
) -> Result<bool, FetchError> {
    let mut headers = vec![("accept", "text/calendar")];
    if let Some(etag) = etag.as_deref() {
        headers.push(("if-none-match", etag));
    }
    let reply = http.send(Method::GET, url, &headers, String::new()).await?;
    if reply.status == StatusCode::NOT_MODIFIED {
        return Ok(false);
    }
    let reply = reply.success()?;
    // A page that asks for a login is no empty calendar.
    let head =
        String::from_utf8_lossy(&reply.body[..reply.body.len().min(4096)]).to_ascii_uppercase();
    if !head.contains("BEGIN:VCALENDAR") {
        return Err(FetchError::Unexpected);
    }
    *etag = reply.header("etag").map(str::to_owned);
    let changed = *bytes != reply.body;
    *bytes = reply.body;
    Ok(changed)
}

/// Reads what was fetched; the names of the resources stand in the order of their numbers.
fn read_out(remote: Option<&Remote>, reading: Reading<'_>) -> (Readout, Vec<String>) {
    let mut reader = Reader::new(reading);
    let mut hrefs = Vec::new();
    match remote {
        None | Some(Remote::None) => {}
        Some(Remote::File { bytes, .. } | Remote::Feed { bytes, .. }) => reader.add(bytes),
        Some(Remote::CalDav(caldav)) => {
            for (href, data) in caldav.items() {
                reader.add(data.as_bytes());
                hrefs.push(href.to_owned());
            }
        }
    }
    (reader.finish(), hrefs)
}
