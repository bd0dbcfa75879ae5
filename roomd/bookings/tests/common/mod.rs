// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
#![allow(dead_code, reason = "every test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail loudly"
)]
use std::sync::LazyLock;
use std::time::Instant;

use chrono::{DateTime, TimeZone, Utc};
use roomd_bookings::{LinkRules, Privacy, Reading, Tz};
use roomd_model::{BookingLink, LinkRefusal, MeetingLink, Now, Pii, ProviderId};
use url::Url;

/// A platform at `meet.*`, of which only the one of the organisation is allowed.
pub struct Rules;

impl LinkRules for Rules {
    fn judge(&self, url: &Url) -> BookingLink {
        let host = url.host_str().unwrap_or_default();
        let known = host.starts_with("meet.") || host == "cloud.example.org";
        let reason = if !known {
            LinkRefusal::UnknownPlatform
        } else if url.scheme() != "https" {
            LinkRefusal::NotHttps
        } else if !host.ends_with(".example.org") {
            LinkRefusal::NotAllowed
        } else {
            return BookingLink::Meeting(MeetingLink {
                provider: ProviderId::new("test"),
                url: Pii::new(url.clone()),
                password: None,
                protected: false,
            });
        };
        BookingLink::Refused {
            host: host.into(),
            reason,
        }
    }

    fn meeting_id(&self, url: &Url) -> Option<Pii<String>> {
        url.path_segments()?.next_back().map(Pii::from)
    }
}

static ADDRESSES: LazyLock<Vec<Pii<String>>> =
    LazyLock::new(|| vec![Pii::from("elbe@rooms.example.org")]);

pub fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(year, month, day, hour, minute, 0)
        .unwrap()
}

pub fn now(utc: DateTime<Utc>) -> Now {
    Now {
        mono: Instant::now(),
        utc,
    }
}

pub fn reading(rules: &dyn LinkRules) -> Reading<'_> {
    Reading {
        zone: Tz::Europe__Berlin,
        from: at(2026, 3, 16, 0, 0),
        to: at(2026, 4, 13, 0, 0),
        privacy: Privacy::default(),
        addresses: &ADDRESSES,
        links: rules,
    }
}
