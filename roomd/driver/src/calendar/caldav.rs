// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The dialogue with a CalDAV server: finding the calendar, reading it, answering an invitation.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, StatusCode};
use roomd_bookings::Tz;
use roomd_bookings::caldav::{self, Multistatus, Resource};
use roomd_model::{Attendance, Pii, Secret};
use url::Url;

use super::{
    AnswerError,
    http::{FetchError, Http, Reply},
};

/// How long the window of a reading stands before everything is read again.
const WINDOW_AGE: TimeDelta = TimeDelta::hours(1);
const MAX_RESOURCES: usize = 20_000;
const XML: (&str, &str) = ("content-type", "application/xml; charset=utf-8");

/// A calendar on a server, and what was read of it.
#[derive(Debug)]
pub(super) struct CalDav {
    http: Http,
    start: Url,
    collection: Option<Collection>,
    items: BTreeMap<String, Item>,
    expand: bool,
    /// The addresses that the server knows the room by.
    pub addresses: Vec<Pii<String>>,
    read: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Collection {
    url: Url,
    synchronises: bool,
    sync_token: Option<String>,
    ctag: Option<String>,
}

#[derive(Debug)]
struct Item {
    etag: Option<String>,
    data: String,
}

/// A span of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl CalDav {
    pub async fn new(
        url: &Pii<Url>,
        username: &Pii<String>,
        password: &Secret,
        ca_file: Option<&std::path::Path>,
    ) -> Result<Self, FetchError> {
        let account = Some((username.clone(), password.clone()));
        Ok(Self {
            http: Http::new(url, ca_file, account).await?,
            start: url.expose().clone(),
            collection: None,
            items: BTreeMap::new(),
            expand: true,
            addresses: Vec::new(),
            read: None,
        })
    }

    /// The resources by name.
    pub fn items(&self) -> impl Iterator<Item = (&str, &str)> {
        self.items
            .iter()
            .map(|(href, item)| (href.as_str(), item.data.as_str()))
    }

    /// Reads what changed; tells whether anything did.
    pub async fn refresh(
        &mut self,
        now: DateTime<Utc>,
        window: Window,
    ) -> Result<bool, FetchError> {
        let mut collection = match self.collection.take() {
            Some(collection) => collection,
            None => self.discover().await?,
        };
        let changed = self.read(&mut collection, now, window).await;
        // A calendar that is gone is looked for again.
        if !matches!(changed, Err(FetchError::Status(404 | 410))) {
            self.collection = Some(collection);
        }
        changed
    }

    /// Writes the room's answer, and nothing when others changed the entry in between.
    pub async fn answer(
        &self,
        href: &str,
        recurrence: Option<DateTime<Utc>>,
        room: (Tz, &[Pii<String>]),
        attendance: Attendance,
    ) -> Result<(), AnswerError> {
        let base = self
            .collection
            .as_ref()
            .map_or(&self.start, |collection| &collection.url);
        let url = self
            .http
            .resolve(base, href)
            .map_err(|_| AnswerError::Refused)?;
        for _ in 0..2 {
            let reply = self.http.send(Method::GET, &url, &[], String::new()).await;
            let reply = reply.and_then(Reply::success).map_err(refusal)?;
            // Without a version the change of somebody else could be lost.
            let etag = reply.header("etag").ok_or(AnswerError::Refused)?.to_owned();
            let text = String::from_utf8(reply.body).map_err(|_| AnswerError::Refused)?;
            let changed = caldav::answer(&text, recurrence, room.0, room.1, attendance)
                .map_err(|caldav::AnswerError::NotInvited| AnswerError::NotInvited)?;
            let headers = [
                ("content-type", "text/calendar; charset=utf-8"),
                ("if-match", etag.as_str()),
            ];
            let reply = self
                .http
                .send(Method::PUT, &url, &headers, changed)
                .await
                .map_err(refusal)?;
            if reply.status != StatusCode::PRECONDITION_FAILED {
                return reply.success().map(|_| ()).map_err(refusal);
            }
        }
        Err(AnswerError::Conflict)
    }

    async fn discover(&mut self) -> Result<Collection, FetchError> {
        let start = self.start.clone();
        let (first, url) = match self
            .propfind(&start, "0", caldav::propfind_calendars())
            .await
        {
            Err(FetchError::Status(404 | 405)) => {
                let known = self.http.resolve(&start, "/.well-known/caldav")?;
                self.propfind(&known, "0", caldav::propfind_calendars())
                    .await?
            }
            answer => answer?,
        };
        let own = first
            .resources
            .into_iter()
            .next()
            .ok_or(FetchError::Unexpected)?;
        let principal = own.principal.clone();
        let home = match &principal {
            Some(principal) => self.principal(&url, principal).await?,
            None => None,
        };
        if own.calendar {
            return self.collection(&url, &own);
        }
        // Without a principal the address is taken for the home itself.
        let home = home.unwrap_or(url);
        let (listed, url) = self
            .propfind(&home, "1", caldav::propfind_calendars())
            .await?;
        let calendar = listed.resources.iter().find(|resource| {
            let events = |kinds: &std::collections::BTreeSet<String>| kinds.contains("VEVENT");
            resource.calendar && resource.components.as_ref().is_none_or(events)
        });
        self.collection(&url, calendar.ok_or(FetchError::NoCalendar)?)
    }

    async fn principal(&mut self, from: &Url, href: &str) -> Result<Option<Url>, FetchError> {
        let url = self.http.resolve(from, href)?;
        let (answer, url) = self.propfind(&url, "0", caldav::propfind_home()).await?;
        let Some(own) = answer.resources.into_iter().next() else {
            return Ok(None);
        };
        self.addresses = own.addresses.into_iter().map(Pii::new).collect();
        own.home
            .map(|home| self.http.resolve(&url, &home))
            .transpose()
    }

    fn collection(&self, from: &Url, resource: &Resource) -> Result<Collection, FetchError> {
        Ok(Collection {
            url: self.http.resolve(from, &resource.href)?,
            synchronises: resource.reports.contains("sync-collection"),
            sync_token: None,
            ctag: None,
        })
    }

    async fn read(
        &mut self,
        collection: &mut Collection,
        now: DateTime<Utc>,
        window: Window,
    ) -> Result<bool, FetchError> {
        let fresh = self
            .read
            .is_some_and(|read| (now - read).abs() < WINDOW_AGE);
        if fresh
            && collection.synchronises
            && let Some(token) = collection.sync_token.clone()
        {
            match self.synchronise(collection, &token, window).await {
                // The server has forgotten the token, or cannot say what changed.
                Err(FetchError::Status(_) | FetchError::Refused | FetchError::Unexpected) => {}
                answer => return answer,
            }
        }
        let url = collection.url.clone();
        let (state, _) = self
            .propfind(&url, "0", caldav::propfind_calendars())
            .await?;
        let state = state
            .resources
            .into_iter()
            .next()
            .ok_or(FetchError::Unexpected)?;
        if fresh && collection.ctag.is_some() && collection.ctag == state.ctag {
            return Ok(false);
        }
        // The tags are older than what is read next: a change in between is read twice, never lost.
        self.read_all(&url, window).await?;
        collection.synchronises = state.reports.contains("sync-collection");
        collection.sync_token = state.sync_token;
        collection.ctag = state.ctag;
        self.read = Some(now);
        Ok(true)
    }

    async fn read_all(&mut self, url: &Url, window: Window) -> Result<(), FetchError> {
        let query = |expand| caldav::calendar_query(window.from, window.to, expand);
        let (answer, _) = match self.report(url, "1", query(self.expand)).await {
            // What servers say that do not know the wish; others only have trouble.
            Err(FetchError::Status(400 | 405 | 415 | 422 | 501)) if self.expand => {
                self.expand = false;
                self.report(url, "1", query(false)).await?
            }
            answer => answer?,
        };
        self.items.clear();
        self.store(answer);
        Ok(())
    }

    async fn synchronise(
        &mut self,
        collection: &mut Collection,
        token: &str,
        window: Window,
    ) -> Result<bool, FetchError> {
        let body = caldav::sync_collection(Some(token));
        let (answer, _) = self.report(&collection.url, "1", body).await?;
        let mut changed = Vec::new();
        let mut removed = false;
        for resource in answer.resources {
            match resource.status {
                Some(404) => removed |= self.items.remove(&resource.href).is_some(),
                // The list was cut.
                Some(507) => return Err(FetchError::Unexpected),
                Some(_) | None => {
                    let known = self.items.get(&resource.href);
                    let same = known.is_some_and(|item| item.etag == resource.etag);
                    if !same && resource.etag.is_some() {
                        changed.push(resource.href);
                    }
                }
            }
        }
        let any = removed || !changed.is_empty();
        for hrefs in changed.chunks(50) {
            let body = caldav::calendar_multiget(hrefs, window.from, window.to, self.expand);
            let (answer, _) = self.report(&collection.url, "1", body).await?;
            for href in hrefs {
                self.items.remove(href);
            }
            self.store(answer);
        }
        collection.sync_token = answer.sync_token;
        Ok(any)
    }

    fn store(&mut self, answer: Multistatus) {
        for resource in answer.resources {
            let Some(data) = resource.data else {
                continue;
            };
            // A server that leaves rules in ignores the wish; they are expanded here then.
            if has_rule(&data) {
                self.expand = false;
            }
            if self.items.len() < MAX_RESOURCES {
                let item = Item {
                    etag: resource.etag,
                    data,
                };
                self.items.insert(resource.href, item);
            }
        }
    }

    async fn propfind(
        &self,
        url: &Url,
        depth: &'static str,
        body: String,
    ) -> Result<(Multistatus, Url), FetchError> {
        self.ask(b"PROPFIND", url, depth, body).await
    }

    async fn report(
        &self,
        url: &Url,
        depth: &'static str,
        body: String,
    ) -> Result<(Multistatus, Url), FetchError> {
        self.ask(b"REPORT", url, depth, body).await
    }

    async fn ask(
        &self,
        method: &'static [u8],
        url: &Url,
        depth: &'static str,
        body: String,
    ) -> Result<(Multistatus, Url), FetchError> {
        let method = Method::from_bytes(method).map_err(|_| FetchError::Unexpected)?;
        let headers = [XML, ("depth", depth)];
        let reply = self
            .http
            .send(method, url, &headers, body)
            .await?
            .success()?;
        let text = String::from_utf8_lossy(&reply.body);
        let answer = caldav::parse(&text).map_err(|_| FetchError::Unexpected)?;
        Ok((answer, reply.url))
    }
}

/// Whether an event, and not its time zone or its description, holds a recurrence rule.
fn has_rule(data: &str) -> bool {
    let mut event = false;
    data.lines().any(|line| {
        match line.trim_end() {
            "BEGIN:VEVENT" => event = true,
            "END:VEVENT" => event = false,
            _ => {}
        }
        event && (line.starts_with("RRULE:") || line.starts_with("RRULE;"))
    })
}

const fn refusal(error: FetchError) -> AnswerError {
    match error {
        FetchError::Unreachable | FetchError::Connection => AnswerError::Unreachable,
        FetchError::Address
        | FetchError::Authority
        | FetchError::Password
        | FetchError::Refused
        | FetchError::Status(_)
        | FetchError::TooLarge
        | FetchError::Unexpected
        | FetchError::NoCalendar
        | FetchError::File => AnswerError::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::has_rule;

    #[test]
    fn only_an_events_own_rule_counts() {
        let check = |lines: &[&str], expected| {
            assert_eq!(has_rule(&lines.join("\r\n")), expected, "{lines:?}");
        };
        check(&["BEGIN:VEVENT", "RRULE:FREQ=DAILY", "END:VEVENT"], true);
        check(
            &["BEGIN:VEVENT", "RRULE;X=1:FREQ=DAILY", "END:VEVENT"],
            true,
        );
        check(
            &["BEGIN:STANDARD", "RRULE:FREQ=YEARLY", "END:STANDARD"],
            false,
        );
        check(&["BEGIN:VEVENT", "DESCRIPTION:RRULE:", "END:VEVENT"], false);
    }
}
