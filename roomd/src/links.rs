// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room makes of a link: which platform's it is, and whether it may be opened.

use std::sync::Arc;

use roomd_bookings::LinkRules;
use roomd_model::{BookingLink, LinkRefusal, Pii};
use roomd_room::{AllowList, Platforms, View};
use url::Url;

/// The configured platforms and the allow-list, as the calendar asks them.
#[derive(Debug)]
pub struct Rules {
    /// The platforms.
    pub platforms: Platforms,
    /// Every destination that the room may contact.
    pub allow: Arc<AllowList>,
}

impl LinkRules for Rules {
    fn judge(&self, url: &Url) -> BookingLink {
        let refused = |reason| BookingLink::Refused {
            // A URI without a host is told by its scheme.
            host: Pii::new(url.host_str().unwrap_or(url.scheme()).to_owned()),
            reason,
        };
        let Some(link) = self
            .platforms
            .iter()
            .find_map(|platform| platform.recognise(url))
        else {
            return refused(LinkRefusal::UnknownPlatform);
        };
        let opened = link.url.expose();
        match (opened.scheme(), self.allow.allows(opened)) {
            ("https", true) => BookingLink::Meeting(link),
            ("https", false) => refused(LinkRefusal::NotAllowed),
            (_, _) => refused(LinkRefusal::NotHttps),
        }
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        meeting_id(&self.platforms, url)
    }
}

/// The id of the meeting that a link of any platform names.
pub fn meeting_id(platforms: &Platforms, url: &Url) -> Option<Pii<String>> {
    platforms
        .iter()
        .find_map(|platform| platform.meeting_id(url))
}

/// The room will hold a meeting of this id: it is booked, or under way.
pub fn expects(platforms: &Platforms, view: &View, id: &str) -> bool {
    let names = |url: &Url| meeting_id(platforms, url).is_some_and(|found| found.expose() == id);
    let booked = view.bookings.iter().any(|booking| match &booking.link {
        BookingLink::Meeting(link) => names(link.url.expose()),
        BookingLink::None | BookingLink::Refused { .. } => false,
    });
    let under_way = view.call.as_ref().and_then(|call| call.guest_url.as_ref());
    booked
        || under_way
            .and_then(|url| Url::parse(url.expose()).ok())
            .is_some_and(|url| names(&url))
}
