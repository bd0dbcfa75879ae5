// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The bookings, and which of them the join button joins.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use roomd_model::{Attendance, Booking, BookingId, BookingLink};

const MAX_BOOKINGS: usize = 1000;
/// How long an entry without length is offered after its start.
const NO_LENGTH: TimeDelta = TimeDelta::minutes(30);

fn end(booking: &Booking) -> DateTime<Utc> {
    if booking.end > booking.start {
        return booking.end;
    }
    let end = booking.start.checked_add_signed(NO_LENGTH);
    end.unwrap_or(booking.end)
}

#[derive(Debug, Default)]
pub(crate) struct Schedule {
    bookings: Vec<Booking>,
}

impl Schedule {
    pub(crate) fn new(mut bookings: Vec<Booking>) -> Self {
        bookings.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        bookings.truncate(MAX_BOOKINGS);
        Self { bookings }
    }

    pub(crate) fn all(&self) -> &[Booking] {
        &self.bookings
    }

    pub(crate) fn find(&self, id: &BookingId) -> Option<&Booking> {
        self.bookings.iter().find(|booking| booking.id == *id)
    }

    /// The booking within its window whose start is nearest: at five to ten it is the meeting at
    /// ten, not the one that ends.
    pub(crate) fn offered(&self, now: DateTime<Utc>, before: Duration) -> Option<&Booking> {
        let open = self
            .candidates(before)
            .filter(|(opens, booking)| *opens <= now && now < end(booking));
        let nearest = open.min_by_key(|(_, booking)| (booking.start - now).abs());
        nearest.map(|(_, booking)| booking)
    }

    /// The next moment at which a window opens or closes.
    pub(crate) fn next_change(
        &self,
        now: DateTime<Utc>,
        before: Duration,
    ) -> Option<DateTime<Utc>> {
        let moments = self
            .candidates(before)
            .flat_map(|(opens, booking)| [opens, end(booking)]);
        moments.filter(|moment| *moment > now).min()
    }

    fn candidates(&self, before: Duration) -> impl Iterator<Item = (DateTime<Utc>, &Booking)> {
        let before = TimeDelta::from_std(before).unwrap_or_default();
        let offerable = self.bookings.iter().filter(|booking| {
            !booking.all_day
                && booking.attendance != Attendance::Declined
                && matches!(booking.link, BookingLink::Meeting(_))
        });
        offerable.map(move |booking| {
            let opens = booking.start.checked_sub_signed(before);
            (opens.unwrap_or(booking.start), booking)
        })
    }
}
