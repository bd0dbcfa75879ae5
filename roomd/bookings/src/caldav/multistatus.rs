// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a server answers (RFC 4918, 13).

use std::collections::BTreeSet;
use std::fmt;

use super::xml::{self, Node, Ns, XmlError};

/// An answer about many resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multistatus {
    /// The resources, in the server's order.
    pub resources: Vec<Resource>,
    /// Where the next synchronisation begins.
    pub sync_token: Option<String>,
}

/// What the server says about one resource; only properties with a good status.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its address, as the server writes it.
    pub href: String,
    /// The status of the resource as a whole, such as 404 for one that was removed.
    pub status: Option<u16>,
    /// Its version.
    pub etag: Option<String>,
    /// Its iCalendar text.
    pub data: Option<String>,
    /// It is a calendar.
    pub calendar: bool,
    /// It is a collection.
    pub collection: bool,
    /// The components that a calendar takes; none when the server does not say.
    pub components: Option<BTreeSet<String>>,
    /// The reports that it answers.
    pub reports: BTreeSet<String>,
    /// Where its next synchronisation begins.
    pub sync_token: Option<String>,
    /// A tag that changes with every change below.
    pub ctag: Option<String>,
    /// The principal of the account that asks.
    pub principal: Option<String>,
    /// Where the calendars of a principal are.
    pub home: Option<String>,
    /// The addresses of a principal.
    pub addresses: Vec<String>,
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("status", &self.status)
            .field("calendar", &self.calendar)
            .finish_non_exhaustive()
    }
}

/// Parses a multistatus.
pub fn parse(text: &str) -> Result<Multistatus, XmlError> {
    let root = xml::tree(text)?;
    if !root.is(Ns::Dav, "multistatus") {
        return Err(XmlError::NotMultistatus);
    }
    Ok(Multistatus {
        resources: root.all(Ns::Dav, "response").map(resource).collect(),
        sync_token: root.child(Ns::Dav, "sync-token").and_then(content),
    })
}

fn resource(response: &Node) -> Resource {
    let mut resource = Resource {
        href: response.href().unwrap_or_default().to_owned(),
        status: response
            .child(Ns::Dav, "status")
            .and_then(|node| code(&node.text)),
        ..Resource::default()
    };
    for propstat in response.all(Ns::Dav, "propstat") {
        let status = propstat
            .child(Ns::Dav, "status")
            .and_then(|node| code(&node.text));
        if status.is_some_and(|status| !(200..300).contains(&status)) {
            continue;
        }
        for prop in propstat
            .all(Ns::Dav, "prop")
            .flat_map(|prop| &prop.children)
        {
            property(&mut resource, prop);
        }
    }
    resource
}

fn property(resource: &mut Resource, prop: &Node) {
    match (prop.ns, prop.name.as_str()) {
        (Ns::Dav, "getetag") => resource.etag = content(prop),
        (Ns::Dav, "resourcetype") => {
            resource.calendar = prop.child(Ns::CalDav, "calendar").is_some();
            resource.collection = prop.child(Ns::Dav, "collection").is_some();
        }
        (Ns::Dav, "sync-token") => resource.sync_token = content(prop),
        (Ns::Dav, "current-user-principal") => resource.principal = prop.href().map(str::to_owned),
        (Ns::Dav, "supported-report-set") => {
            resource.reports = prop
                .all(Ns::Dav, "supported-report")
                .filter_map(|node| node.child(Ns::Dav, "report"))
                .flat_map(|node| &node.children)
                .map(|node| node.name.clone())
                .collect();
        }
        (Ns::CalendarServer, "getctag") => resource.ctag = content(prop),
        (Ns::CalDav, "calendar-data") => resource.data = Some(prop.text.clone()),
        (Ns::CalDav, "calendar-home-set") => resource.home = prop.href().map(str::to_owned),
        (Ns::CalDav, "calendar-user-address-set") => {
            let hrefs = prop.all(Ns::Dav, "href").map(|node| node.text.trim());
            let address = |href: &str| {
                let (scheme, address) = href.split_once(':')?;
                scheme
                    .eq_ignore_ascii_case("mailto")
                    .then(|| address.to_owned())
            };
            resource.addresses = hrefs.filter_map(address).take(50).collect();
        }
        (Ns::CalDav, "supported-calendar-component-set") => {
            let names = prop
                .all(Ns::CalDav, "comp")
                .filter_map(|node| node.attribute_name.clone());
            resource.components = Some(names.collect());
        }
        (Ns::Dav | Ns::CalDav | Ns::CalendarServer | Ns::Other, _) => {}
    }
}

fn content(node: &Node) -> Option<String> {
    let text = node.text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The number of a status line such as `HTTP/1.1 200 OK`.
fn code(line: &str) -> Option<u16> {
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_by_namespace_and_bad_properties_are_left_out() {
        let text = r#"<?xml version="1.0"?>
<x:multistatus xmlns:x="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav" xmlns:o="urn:other">
 <x:response><x:href>/c/a%20b.ics</x:href>
  <x:propstat><x:prop><x:getetag>"1&amp;2"</x:getetag><cal:calendar-data><![CDATA[BEGIN:VCALENDAR
]]>END&#58;VCALENDAR</cal:calendar-data><o:sync-token>no</o:sync-token></x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat>
  <x:propstat><x:prop><x:sync-token>bad</x:sync-token></x:prop><x:status>HTTP/1.1 404 Not Found</x:status></x:propstat>
 </x:response>
 <x:response><x:href>/c/gone.ics</x:href><x:status>HTTP/1.1 404 Not Found</x:status></x:response>
 <x:sync-token>http://example.org/ns/sync/7</x:sync-token>
</x:multistatus>"#;
        let answer = parse(text).unwrap();
        assert_eq!(
            answer.sync_token.as_deref(),
            Some("http://example.org/ns/sync/7")
        );
        let [first, gone] = &answer.resources[..] else {
            panic!("two resources");
        };
        assert_eq!(first.href, "/c/a%20b.ics");
        assert_eq!(first.etag.as_deref(), Some("\"1&2\""));
        assert_eq!(
            first.data.as_deref(),
            Some("BEGIN:VCALENDAR\nEND:VCALENDAR")
        );
        assert_eq!(first.sync_token, None);
        assert_eq!(gone.status, Some(404));
    }

    #[test]
    fn what_is_no_multistatus_is_refused() {
        assert_eq!(parse("<a/>"), Err(XmlError::NotMultistatus));
        assert_eq!(parse("<html><p></html>"), Err(XmlError::Malformed));
        assert_eq!(parse(""), Err(XmlError::Malformed));
        assert_eq!(parse(&"<a>".repeat(100)), Err(XmlError::TooLarge));
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>";
        assert_eq!(parse(bomb), Err(XmlError::Malformed));
    }
}
