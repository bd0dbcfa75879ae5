// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The bodies of CalDAV: what the room asks, what the server answers, what the room writes.

mod answer;
mod exception;
mod lines;
mod moment;
mod multistatus;
mod request;
mod xml;

pub use answer::{AnswerError, answer};
pub use multistatus::{Multistatus, Resource, parse};
pub use request::{
    calendar_multiget, calendar_query, propfind_calendars, propfind_home, propfind_principal,
    sync_collection,
};
pub use xml::XmlError;
