// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Request bodies (RFC 4791, RFC 5397, RFC 6578).

use std::fmt::Write;

use chrono::{DateTime, Utc};

const HEAD: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;
const NAMESPACES: &str = r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/""#;

/// Asks who the room is; depth 0.
#[must_use]
pub fn propfind_principal() -> String {
    propfind("<D:current-user-principal/><D:resourcetype/>")
}

/// Asks a principal for its calendars' home and its addresses; depth 0.
#[must_use]
pub fn propfind_home() -> String {
    propfind("<C:calendar-home-set/><C:calendar-user-address-set/>")
}

/// Asks what a collection is and what it can do; depth 1 for a home, depth 0 for a calendar.
#[must_use]
pub fn propfind_calendars() -> String {
    propfind(concat!(
        "<D:resourcetype/><D:supported-report-set/><D:sync-token/><S:getctag/>",
        "<C:supported-calendar-component-set/><D:current-user-principal/>"
    ))
}

/// Asks for the events that touch a span of time, expanded by the server when `expand` is set.
#[must_use]
pub fn calendar_query(from: DateTime<Utc>, to: DateTime<Utc>, expand: bool) -> String {
    let (from, to) = (stamp(from), stamp(to));
    let data = data(&from, &to, expand);
    format!(
        "{HEAD}<C:calendar-query {NAMESPACES}><D:prop><D:getetag/>{data}</D:prop>         <C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\">         <C:time-range start=\"{from}\" end=\"{to}\"/></C:comp-filter></C:comp-filter></C:filter>         </C:calendar-query>"
    )
}

/// Asks for some resources by name.
#[must_use]
pub fn calendar_multiget(
    hrefs: &[String],
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    expand: bool,
) -> String {
    let data = data(&stamp(from), &stamp(to), expand);
    let mut body =
        format!("{HEAD}<C:calendar-multiget {NAMESPACES}><D:prop><D:getetag/>{data}</D:prop>");
    for href in hrefs {
        // Writing to a string does not fail.
        let _ = write!(body, "<D:href>{}</D:href>", escape(href));
    }
    body.push_str("</C:calendar-multiget>");
    body
}

/// Asks what changed since `token`; everything, when there is none.
#[must_use]
pub fn sync_collection(token: Option<&str>) -> String {
    let token = escape(token.unwrap_or_default());
    format!(
        "{HEAD}<D:sync-collection {NAMESPACES}><D:sync-token>{token}</D:sync-token>         <D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
}

fn propfind(properties: &str) -> String {
    format!("{HEAD}<D:propfind {NAMESPACES}><D:prop>{properties}</D:prop></D:propfind>")
}

fn data(from: &str, to: &str, expand: bool) -> String {
    if expand {
        format!("<C:calendar-data><C:expand start=\"{from}\" end=\"{to}\"/></C:calendar-data>")
    } else {
        "<C:calendar-data/>".to_owned()
    }
}

fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
