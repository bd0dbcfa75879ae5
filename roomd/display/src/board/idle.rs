// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::AgendaEntry;
use roomd_model::{Attendance, BookingId};

use super::{agenda, side, support};
use crate::{
    icons::Icon,
    sketch::{Sketch, View},
    svg::{Canvas, Style},
    tokens::{DANGER, MARGIN, MUTED, RIGHT, SUCCESS, TEXT, WARNING},
};

/// The board of a room without a call; `offered` is the meeting that one touch joins.
pub fn idle(view: &View<'_>, offered: Option<&BookingId>) -> Sketch {
    let mut canvas = Canvas::board(view.fonts);
    header(view, &mut canvas);
    agenda::draw(view, &mut canvas, offered);
    side::draw(view, &mut canvas);
    support(view, &mut canvas, 1000.0);
    freshness(view, &mut canvas);
    Sketch {
        background: canvas.finish(),
        tiles: Vec::new(),
        overlays: Vec::new(),
    }
}

fn header(view: &View<'_>, canvas: &mut Canvas<'_>) {
    let name = &view.state.room.name;
    canvas.text_within(MARGIN, 148.0, Style::strong(68.0, TEXT), name, 1060.0);
    let (colour, text) = occupancy(view);
    canvas.circle(MARGIN + 14.0, 221.0, 14.0, colour);
    canvas.text_within(
        MARGIN + 48.0,
        236.0,
        Style::medium(42.0, TEXT),
        &text,
        1000.0,
    );

    let clock = view.local.clock();
    let style = Style::strong(184.0, TEXT).to_the_right();
    canvas.text(RIGHT + 6.0, 212.0, style, &clock);
    let date = view.texts.date(view.local.today());
    canvas.text(
        RIGHT,
        278.0,
        Style::regular(36.0, MUTED).to_the_right(),
        &date,
    );
}

/// Whether the room is booked now, and what comes next today.
fn occupancy(view: &View<'_>) -> (&'static str, String) {
    let now = view.now.utc;
    let taken = |entry: &&AgendaEntry| {
        !entry.all_day && entry.attendance != Attendance::Declined && entry.end > now
    };
    let entries = || view.state.agenda.entries.iter().filter(taken);
    if let Some(current) = entries().find(|entry| entry.start <= now) {
        let time = view.local.time(current.end);
        return (DANGER, (view.texts.busy_until)(&time));
    }
    let today = view.local.today();
    let text = entries()
        .find(|entry| view.local.day(entry.start) == today)
        .map_or_else(
            || view.texts.free.to_owned(),
            |next| (view.texts.free_until)(&view.local.time(next.start)),
        );
    (SUCCESS, text)
}

fn freshness(view: &View<'_>, canvas: &mut Canvas<'_>) {
    let agenda = &view.state.agenda;
    if !agenda.configured || !agenda.stale {
        return;
    }
    let text = agenda.read_at.map_or_else(
        || view.texts.stale.to_owned(),
        |at| (view.texts.stale_since)(&view.local.time(at)),
    );
    let style = Style::regular(28.0, MUTED).to_the_right();
    let width = canvas.text_within(RIGHT, 1016.0, style, &text, 680.0);
    canvas.icon(Icon::Warning, RIGHT - width - 44.0, 992.0, 28.0, WARNING);
}
