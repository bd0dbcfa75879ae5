// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Finds the meeting in an entry: the first link that the rules accept, in the order of the
//! properties that are meant for it; and lints it.

pub(crate) mod password;
mod text;
mod unwrap;

use roomd_model::{BookingLink, LinkRefusal, LinkWarning, Pii};
use sha2::{Digest, Sha256};
use url::Url;

/// The fewest characters of a meeting id that is hard to guess.
const MIN_ID_CHARS: usize = 8;
const MAX_LINKS: usize = 200;

/// Conference platforms that the room cannot join; their links are worth a word on the panel even
/// when they stand in running text.
const FOREIGN: [&str; 8] = [
    "zoom.us",
    "zoomgov.com",
    "teams.microsoft.com",
    "teams.live.com",
    "meet.google.com",
    "webex.com",
    "gotomeeting.com",
    "whereby.com",
];

/// What a link means to this room: the platforms it knows and the hosts it may contact.
pub trait LinkRules {
    /// A meeting, or why the link is not opened. A link that no platform recognises is
    /// [`LinkRefusal::UnknownPlatform`].
    fn judge(&self, url: &Url) -> BookingLink;
    /// The id of the meeting that a recognised link names.
    fn meeting_id(&self, url: &Url) -> Option<Pii<String>>;
}

/// The texts of an entry that may hold a link, in the order in which they are asked.
#[derive(Debug, Default)]
pub(crate) struct Texts<'a> {
    pub conference: Vec<&'a str>,
    pub location: Vec<&'a str>,
    pub url: Vec<&'a str>,
    pub extension: Vec<&'a str>,
    pub description: Vec<&'a str>,
    pub html: Vec<&'a str>,
}

/// What an entry says about a conference.
#[derive(Debug)]
pub(crate) struct Found {
    pub link: BookingLink,
    pub warnings: Vec<LinkWarning>,
    pub meeting_hash: Option<String>,
}

/// Finds and lints the link of an entry.
pub(crate) fn find(texts: &Texts<'_>, rules: &dyn LinkRules) -> Found {
    let mut refused: Option<(u8, BookingLink)> = None;
    for (url, running) in candidates(texts).into_iter().take(MAX_LINKS) {
        match rules.judge(&url) {
            BookingLink::Meeting(mut link) => {
                let id = rules.meeting_id(&url);
                let password = password::in_url(&url).or_else(|| password_in(texts));
                let warnings = warnings(id.as_ref(), password.is_some());
                link.password = link.password.take().or(password);
                link.protected = link.password.is_some();
                let meeting_hash = id.map(|id| hash(link.url.expose(), id.expose()));
                let link = BookingLink::Meeting(link);
                return Found {
                    link,
                    warnings,
                    meeting_hash,
                };
            }
            BookingLink::Refused { host, reason } => {
                let rank = match reason {
                    LinkRefusal::NotAllowed => 0,
                    LinkRefusal::NotHttps => 1,
                    LinkRefusal::UnknownPlatform if running && !foreign(&url) => continue,
                    LinkRefusal::UnknownPlatform => 2,
                };
                if refused.as_ref().is_none_or(|(best, _)| rank < *best) {
                    refused = Some((rank, BookingLink::Refused { host, reason }));
                }
            }
            BookingLink::None => {}
        }
    }
    Found {
        link: refused.map_or(BookingLink::None, |(_, link)| link),
        warnings: Vec::new(),
        meeting_hash: None,
    }
}

/// Every link, unwrapped, and whether it stands in running text.
fn candidates(texts: &Texts<'_>) -> Vec<(Url, bool)> {
    let fields = texts
        .conference
        .iter()
        .chain(&texts.location)
        .chain(&texts.url);
    let mut found = Vec::new();
    for text in fields {
        let before = found.len();
        found.extend(text::links(text).into_iter().map(|url| (url, false)));
        if found.len() == before {
            found.extend(text::bare(text).map(|url| (url, false)));
        }
    }
    for text in &texts.extension {
        found.extend(text::links(text).into_iter().map(|url| (url, true)));
    }
    for text in &texts.description {
        found.extend(text::links(text).into_iter().map(|url| (url, true)));
        // Descriptions made by Outlook and Google are HTML now and then.
        if text.contains("&amp;") || text.contains("href=") {
            let decoded = text::entities(text);
            found.extend(text::links(&decoded).into_iter().map(|url| (url, true)));
        }
    }
    for text in &texts.html {
        let decoded = text::entities(text);
        found.extend(text::links(&decoded).into_iter().map(|url| (url, true)));
    }
    found
        .into_iter()
        .map(|(url, running)| (unwrap::unwrap(url), running))
        .collect()
}

fn password_in(texts: &Texts<'_>) -> Option<roomd_model::Secret> {
    let plain = texts
        .conference
        .iter()
        .chain(&texts.location)
        .chain(&texts.description);
    plain.copied().find_map(password::in_text).or_else(|| {
        texts
            .html
            .iter()
            .find_map(|html| password::in_text(&text::plain(html)))
    })
}

fn warnings(id: Option<&Pii<String>>, password: bool) -> Vec<LinkWarning> {
    let mut warnings = Vec::new();
    if id.is_some_and(|id| id.expose().chars().count() < MIN_ID_CHARS) {
        warnings.push(LinkWarning::ShortId);
    }
    if password {
        warnings.push(LinkWarning::PasswordInInvitation);
    }
    warnings
}

fn foreign(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    FOREIGN.iter().any(|known| {
        host.strip_suffix(known)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn hash(url: &Url, id: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(url.host_str().unwrap_or_default().as_bytes());
    hasher.update([0]);
    hasher.update(id.as_bytes());
    hasher
        .finalize()
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
