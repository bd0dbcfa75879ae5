// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A small, bounded tree of XML with names by namespace URI.

use quick_xml::{
    NsReader,
    events::Event,
    name::{Namespace, ResolveResult},
};

const MAX_DEPTH: usize = 32;
const MAX_NODES: usize = 300_000;

/// An answer that is no XML the room reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed.
    #[error("the answer is not well-formed XML")]
    Malformed,
    /// Nested too deeply, or too many elements.
    #[error("the answer is too large")]
    TooLarge,
    /// Another document.
    #[error("the answer is not a multistatus")]
    NotMultistatus,
}

/// The namespaces that CalDAV uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ns {
    Dav,
    CalDav,
    CalendarServer,
    Other,
}

#[derive(Debug)]
pub(super) struct Node {
    pub ns: Ns,
    pub name: String,
    pub attribute_name: Option<String>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    pub fn all<'a>(&'a self, ns: Ns, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |node| node.is(ns, name))
    }

    pub fn child(&self, ns: Ns, name: &str) -> Option<&Self> {
        self.children.iter().find(|node| node.is(ns, name))
    }

    pub fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    /// The href that a property holds.
    pub fn href(&self) -> Option<&str> {
        self.child(Ns::Dav, "href").map(|node| node.text.trim())
    }
}

/// Parses a document into its root element.
pub(super) fn tree(text: &str) -> Result<Node, XmlError> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Node> = Vec::new();
    let mut nodes = 0;
    loop {
        let (resolved, event) = reader
            .read_resolved_event()
            .map_err(|_| XmlError::Malformed)?;
        match event {
            Event::Start(start) => {
                open.push(node(&resolved, &start));
                nodes += 1;
                if open.len() > MAX_DEPTH || nodes > MAX_NODES {
                    return Err(XmlError::TooLarge);
                }
            }
            Event::Empty(start) => {
                nodes += 1;
                let empty = node(&resolved, &start);
                match open.last_mut() {
                    Some(parent) if nodes <= MAX_NODES => parent.children.push(empty),
                    Some(_) => return Err(XmlError::TooLarge),
                    None => return Ok(empty),
                }
            }
            Event::End(_) => {
                let done = open.pop().ok_or(XmlError::Malformed)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            Event::Text(text) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&text.xml10_content());
                }
            }
            Event::CData(data) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&data.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let decoded = entity(&reference).ok_or(XmlError::Malformed)?;
                if let Some(parent) = open.last_mut() {
                    parent.text.push(decoded);
                }
            }
            Event::Eof => return Err(XmlError::Malformed),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn node(resolved: &ResolveResult<'_>, start: &quick_xml::events::BytesStart<'_>) -> Node {
    let ns = match resolved {
        ResolveResult::Bound(Namespace(uri)) => match *uri {
            "DAV:" => Ns::Dav,
            "urn:ietf:params:xml:ns:caldav" => Ns::CalDav,
            "http://calendarserver.org/ns/" => Ns::CalendarServer,
            _ => Ns::Other,
        },
        ResolveResult::Unbound | ResolveResult::Unknown(_) => Ns::Other,
    };
    let attribute = start.try_get_attribute("name").ok().flatten();
    Node {
        ns,
        name: start.local_name().as_ref().to_owned(),
        attribute_name: attribute.map(|value| value.value.into_owned()),
        text: String::new(),
        children: Vec::new(),
    }
}

/// Only the entities of XML itself; a document that defines its own is refused.
fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
