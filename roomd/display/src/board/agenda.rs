// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::{AgendaEntry, AgendaLink};
use roomd_model::{Attendance, BookingId};

use crate::{
    icons::Icon,
    sketch::View,
    svg::{Canvas, Style},
    tokens::{ACCENT, MARGIN, MUTED, ON_COLOUR, RADIUS, SURFACE, SURFACE_2, SURFACE_ACCENT, TEXT},
};

const WIDTH: f32 = 1080.0;
const ROW: f32 = 92.0;
const GAP: f32 = 12.0;
const OFFER: f32 = 204.0;
const HEADING: f32 = 56.0;
const TOP: f32 = 340.0;
const BOTTOM: f32 = 972.0;
const MOST: usize = 5;
const TIME: f32 = 240.0;

/// The next meetings, the offered one first and larger.
pub fn draw(view: &View<'_>, canvas: &mut Canvas<'_>, offered: Option<&BookingId>) {
    let entries = &view.state.agenda.entries;
    if entries.is_empty() {
        empty(view, canvas);
        return;
    }
    let mut y = TOP;
    let offer = entries.iter().find(|entry| Some(&entry.id) == offered);
    if let Some(entry) = offer {
        draw_offer(view, canvas, entry, y);
        y += OFFER + 28.0;
    }
    let today = view.local.today();
    let mut shown = usize::from(offer.is_some());
    let mut heading = None;
    for entry in entries.iter().filter(|entry| Some(&entry.id) != offered) {
        let later = view.local.day(entry.start) > today;
        let new_heading = heading != Some(later);
        let apart = if heading.is_some() { 20.0 } else { 0.0 };
        let height = ROW + if new_heading { HEADING + apart } else { 0.0 };
        if shown == MOST || y + height > BOTTOM {
            break;
        }
        if new_heading {
            let title = if later {
                view.texts.tomorrow
            } else {
                view.texts.today
            };
            y += apart;
            canvas.text(MARGIN, y + 30.0, Style::strong(30.0, MUTED), title);
            heading = Some(later);
            y += HEADING;
        }
        draw_row(view, canvas, entry, y);
        y += ROW + GAP;
        shown += 1;
    }
    let hidden = entries.len() - shown;
    if hidden > 0 {
        let text = format!("+ {}", (view.texts.more)(hidden));
        canvas.text(MARGIN, y + 28.0, Style::regular(28.0, MUTED), &text);
    }
}

fn draw_row(view: &View<'_>, canvas: &mut Canvas<'_>, entry: &AgendaEntry, y: f32) {
    let declined = entry.attendance == Attendance::Declined;
    let current = !entry.all_day && entry.start <= view.now.utc;
    let fill = if current { SURFACE_2 } else { SURFACE };
    canvas.rect(MARGIN, y, WIDTH, ROW, RADIUS, fill);
    if current {
        canvas.rect(MARGIN + 14.0, y + 20.0, 6.0, ROW - 40.0, 3.0, ACCENT);
    }
    let base = y + 57.0;
    let time = times(view, entry);
    let (title_colour, time_colour) = if declined {
        (MUTED, MUTED)
    } else {
        (TEXT, MUTED)
    };
    canvas.text_within(
        MARGIN + 36.0,
        base,
        Style::medium(30.0, time_colour),
        &time,
        TIME - 20.0,
    );

    let right = MARGIN + WIDTH - 32.0;
    let badge = badge(view, canvas, entry, right, y);
    let left = MARGIN + 36.0 + TIME;
    let style = Style::medium(32.0, title_colour);
    canvas.text_within(
        left,
        base,
        style,
        title(view, entry),
        right - badge - left - 16.0,
    );
}

/// Draws what a row says at its right end. Returns the width.
fn badge(view: &View<'_>, canvas: &mut Canvas<'_>, entry: &AgendaEntry, right: f32, y: f32) -> f32 {
    let style = Style::regular(26.0, MUTED).to_the_right();
    if entry.attendance == Attendance::Declined {
        return canvas.text_within(right, y + 56.0, style, view.texts.declined, 260.0);
    }
    match &entry.link {
        AgendaLink::None => 0.0,
        AgendaLink::Joinable { .. } => {
            canvas.icon(Icon::Camera, right - 36.0, y + 28.0, 36.0, ACCENT);
            36.0
        }
        AgendaLink::Refused { .. } => {
            canvas.text_within(right, y + 56.0, style, view.texts.not_joinable, 260.0)
        }
    }
}

fn draw_offer(view: &View<'_>, canvas: &mut Canvas<'_>, entry: &AgendaEntry, y: f32) {
    canvas.rect(MARGIN, y, WIDTH, OFFER, RADIUS, SURFACE_ACCENT);
    canvas.raw(&format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{RADIUS}\" fill=\"none\" \
         stroke=\"{ACCENT}\" stroke-width=\"3\"/>",
        MARGIN + 1.5,
        y + 1.5,
        WIDTH - 3.0,
        OFFER - 3.0
    ));
    let left = MARGIN + 36.0;
    let right = MARGIN + WIDTH - 36.0;
    let time = times(view, entry);
    canvas.text(
        right,
        y + 66.0,
        Style::medium(32.0, TEXT).to_the_right(),
        &time,
    );
    let style = Style::strong(44.0, TEXT);
    canvas.text_within(
        left,
        y + 72.0,
        style,
        title(view, entry),
        WIDTH - 72.0 - TIME,
    );
    canvas.rect(left, y + 108.0, WIDTH - 72.0, 68.0, 34.0, ACCENT);
    canvas.icon(Icon::Touch, left + 24.0, y + 124.0, 36.0, ON_COLOUR);
    let style = Style::strong(30.0, ON_COLOUR);
    canvas.text(left + 76.0, y + 152.0, style, view.texts.join_now);
}

fn empty(view: &View<'_>, canvas: &mut Canvas<'_>) {
    let agenda = &view.state.agenda;
    let hosts = view.state.room.hosts_meetings;
    let (title, hint) = match (agenda.configured, hosts) {
        (true, true) => (view.texts.no_meetings, view.texts.start_hint),
        (true, false) => (view.texts.no_meetings, view.texts.empty_hint),
        (false, true) => (view.texts.no_calendar, view.texts.no_calendar_hint),
        (false, false) => (view.texts.no_calendar, ""),
    };
    canvas.rect(MARGIN, TOP, WIDTH, 380.0, RADIUS, SURFACE);
    let middle = MARGIN + WIDTH / 2.0;
    canvas.icon(Icon::Calendar, middle - 40.0, TOP + 72.0, 80.0, ACCENT);
    canvas.text(
        middle,
        TOP + 236.0,
        Style::strong(44.0, TEXT).centred(),
        title,
    );
    canvas.text(
        middle,
        TOP + 296.0,
        Style::regular(30.0, MUTED).centred(),
        hint,
    );
}

fn title<'a>(view: &View<'_>, entry: &'a AgendaEntry) -> &'a str {
    entry
        .title
        .as_ref()
        .map(|title| title.expose().as_str())
        .filter(|title| !title.trim().is_empty())
        .unwrap_or(view.texts.meeting)
}

fn times(view: &View<'_>, entry: &AgendaEntry) -> String {
    if entry.all_day {
        return view.texts.all_day.to_owned();
    }
    let (start, end) = (view.local.time(entry.start), view.local.time(entry.end));
    format!("{start} – {end}")
}
