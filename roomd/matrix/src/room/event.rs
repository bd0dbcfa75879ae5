// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One event of a room, as far as it can be trusted to be one.

use roomd_matrix_port::{EventId, MAX_EVENT_BYTES, MAX_EVENT_DEPTH};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// An event as the server tells it.
#[derive(Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub kind: String,
    pub event_id: String,
    pub sender: String,
    pub origin_server_ts: u64,
    pub content: Value,
    pub state_key: Option<String>,
    /// What a redaction takes back, in room versions before 11.
    pub redacts: Option<String>,
    #[serde(rename = "msc4354_sticky")]
    pub sticky: Option<StickyFor>,
}

/// How long an event sticks (MSC4354).
#[derive(Deserialize)]
pub(super) struct StickyFor {
    pub duration_ms: u64,
}

impl Event {
    /// Reads an event; none where it is too large, too deep, or not one.
    pub fn read(raw: &RawValue) -> Option<Self> {
        if raw.get().len() > MAX_EVENT_BYTES {
            return None;
        }
        let event: Self = serde_json::from_str(raw.get()).ok()?;
        (event.content.is_object() && is_flat(&event.content, MAX_EVENT_DEPTH)).then_some(event)
    }

    pub fn id(&self) -> EventId {
        EventId::new(&self.event_id)
    }

    /// An empty content takes back what an event of this kind said before.
    pub fn is_empty(&self) -> bool {
        self.content
            .as_object()
            .is_none_or(serde_json::Map::is_empty)
    }
}

/// Text within a text within a text: whoever reads it again has its own limit.
pub(crate) fn is_flat(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(values) => levels > 0 && values.iter().all(|value| is_flat(value, levels - 1)),
        Value::Object(values) => {
            levels > 0 && values.values().all(|value| is_flat(value, levels - 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The beginning of a text, at most this long, never half a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Event> {
        Event::read(&RawValue::from_string(text.to_owned()).unwrap())
    }

    fn event(content: &str) -> String {
        format!(
            r#"{{"type":"m.x","event_id":"$1","sender":"@a:b","origin_server_ts":1,"content":{content}}}"#
        )
    }

    #[test]
    fn what_is_no_event_is_left_out() {
        assert!(read(&event("{}")).is_some_and(|event| event.is_empty()));
        assert!(read(&event(r#"{"a":1}"#)).is_some_and(|event| !event.is_empty()));
        for text in [
            "{}",
            "[]",
            "null",
            &event("[]"),
            &event("1"),
            &event("null"),
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        let large = event(&format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES)));
        assert!(read(&large).is_none());
    }

    #[test]
    fn what_is_too_deep_is_left_out() {
        let deep = |levels: usize| {
            let (open, close) = (r#"{"a":"#.repeat(levels), "}".repeat(levels));
            event(&format!("{open}1{close}"))
        };
        assert!(read(&deep(MAX_EVENT_DEPTH)).is_some());
        assert!(read(&deep(MAX_EVENT_DEPTH + 1)).is_none());
        assert!(read(&deep(100_000)).is_none());
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("Grüße", 100), "Grüße");
        assert_eq!(cut("Grüße", 3), "Gr");
        assert_eq!(cut("Grüße", 4), "Grü");
        assert_eq!(cut("", 3), "");
    }
}
