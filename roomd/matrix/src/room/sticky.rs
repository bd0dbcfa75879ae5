// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Events that stick to a room for a while (MSC4354): the last for each sender and key.

use std::collections::BTreeMap;

use matrix_sdk::Room;
use matrix_sdk::room::MessagesOptions;
use matrix_sdk::ruma::uint;
use roomd_matrix_port::{EventId, MAX_CALL_EVENTS, StickyEvent, UserId};
use roomd_model::Pii;
use serde_json::Value;

use super::RTC_MEMBER;
use super::event::{Event, StickyFor};

/// The longest that an event may stick.
const LONGEST_MS: u64 = 60 * 60 * 1000;
/// How much of the past is read for events that stick: pages, and events on each.
const PAGES: usize = 5;
const PAGE: u32 = 100;

/// What sticks to a room.
#[derive(Debug, Default)]
pub(crate) struct Sticky {
    events: BTreeMap<(UserId, Pii<String>), StickyEvent>,
}

impl Sticky {
    /// Takes an event in; says whether that changed anything.
    pub fn take(&mut self, event: StickyEvent) -> bool {
        let key = (event.sender.clone(), Pii::new(key_of(&event)));
        let newer = |known: &StickyEvent| {
            (event.ts, event.event.expose()) > (known.ts, known.event.expose())
        };
        if !self.events.get(&key).is_none_or(newer) {
            return false;
        }
        if self.events.len() >= MAX_CALL_EVENTS && !self.events.contains_key(&key) {
            return false;
        }
        self.events.insert(key, event);
        true
    }

    /// Takes an event back.
    pub fn redact(&mut self, id: &EventId) {
        self.events.retain(|_, event| event.event != *id);
    }

    /// What sticks at this time, in ms since 1970.
    pub fn at(&mut self, now: u64) -> impl Iterator<Item = &StickyEvent> {
        self.events
            .retain(|_, event| event.ts.saturating_add(event.duration_ms) > now);
        self.events.values()
    }
}

/// The key within the content; a sender without keys has one event.
fn key_of(event: &StickyEvent) -> String {
    let content = event.content.expose();
    let key = content
        .get("msc4354_sticky_key")
        .or_else(|| content.get("sticky_key"));
    key.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A call membership that sticks.
pub(super) fn read(event: &Event, now: u64) -> Option<StickyEvent> {
    if event.kind != RTC_MEMBER || event.state_key.is_some() {
        return None;
    }
    // An encrypted event does not say how long it sticks: its envelope did.
    let duration = match &event.sticky {
        Some(StickyFor { duration_ms }) => *duration_ms,
        None if event.content.get("msc4354_sticky_key").is_some() => LONGEST_MS,
        None => return None,
    };
    Some(StickyEvent {
        sender: UserId::new(&event.sender),
        event: event.id(),
        // Nobody sticks longer by a clock that is ahead.
        ts: event.origin_server_ts.min(now),
        duration_ms: duration.min(LONGEST_MS),
        content: Pii::new(event.content.clone()),
    })
}

/// What still sticks of what was sent before the account looked: polls tell it only of what comes.
pub(crate) async fn backlog(room: &Room, now: u64) -> Vec<StickyEvent> {
    let mut found = Vec::new();
    let mut from = None;
    for _ in 0..PAGES {
        let mut options = MessagesOptions::backward();
        options.limit = uint!(0) + PAGE.into();
        options.from = from;
        let Ok(page) = room.messages(options).await else {
            break;
        };
        let mut past = page.chunk.is_empty();
        for event in page
            .chunk
            .iter()
            .filter_map(|event| Event::read(event.raw().json()))
        {
            past |= event.origin_server_ts.saturating_add(LONGEST_MS) < now;
            found.extend(read(&event, now));
        }
        from = page.end;
        if past || from.is_none() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(sender: &str, key: &str, ts: u64) -> StickyEvent {
        StickyEvent {
            sender: UserId::new(sender),
            event: EventId::new(format!("${sender}{key}{ts}")),
            ts,
            duration_ms: 100,
            content: Pii::new(json!({"msc4354_sticky_key": key})),
        }
    }

    #[test]
    fn the_latest_for_each_sender_and_key_sticks_for_its_time() {
        let mut sticky = Sticky::default();
        assert!(sticky.take(event("@a:x", "1", 10)));
        assert!(sticky.take(event("@a:x", "1", 20)));
        assert!(!sticky.take(event("@a:x", "1", 15)));
        assert!(sticky.take(event("@a:x", "2", 50)));
        assert!(sticky.take(event("@b:x", "1", 10)));
        let mut times = |now| sticky.at(now).map(|event| event.ts).collect::<Vec<_>>();
        assert_eq!(times(20), [20, 50, 10]);
        assert_eq!(times(110), [20, 50]);
        assert_eq!(times(120), [50]);
        sticky.redact(&EventId::new("$@a:x250"));
        assert_eq!(sticky.at(0).count(), 0);
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut sticky = Sticky::default();
        for key in 0..2 * MAX_CALL_EVENTS {
            sticky.take(event("@a:x", &key.to_string(), 1));
        }
        assert_eq!(sticky.at(0).count(), MAX_CALL_EVENTS);
    }

    #[test]
    fn only_memberships_that_stick_are_read() {
        let event = |text: &str| {
            Event::read(&serde_json::value::RawValue::from_string(text.into()).unwrap())
        };
        let base = r#""event_id":"$1","sender":"@a:x","origin_server_ts":900"#;
        let member = r#""type":"org.matrix.msc4143.rtc.member""#;
        for (text, expected) in [
            (
                format!(
                    r#"{{{base},{member},"content":{{}},"msc4354_sticky":{{"duration_ms":5}}}}"#
                ),
                Some((500, 5)),
            ),
            (
                format!(r#"{{{base},{member},"content":{{"msc4354_sticky_key":"k"}}}}"#),
                Some((500, LONGEST_MS)),
            ),
            (
                format!(
                    r#"{{{base},{member},"content":{{}},"msc4354_sticky":{{"duration_ms":99999999}}}}"#
                ),
                Some((500, LONGEST_MS)),
            ),
            (format!(r#"{{{base},{member},"content":{{"a":1}}}}"#), None),
            (
                format!(
                    r#"{{{base},{member},"state_key":"","content":{{"msc4354_sticky_key":"k"}}}}"#
                ),
                None,
            ),
            (
                format!(r#"{{{base},"type":"m.x","content":{{"msc4354_sticky_key":"k"}}}}"#),
                None,
            ),
        ] {
            let read = read(&event(&text).unwrap(), 500);
            assert_eq!(
                read.map(|event| (event.ts, event.duration_ms)),
                expected,
                "{text}"
            );
        }
    }
}
