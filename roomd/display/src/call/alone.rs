// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How others come in: the whole screen while nobody is here, a card while there is room for it.

use roomd_api::Call;
use roomd_media_core::scene::Rect;

use super::tile;
use crate::{
    layout::LARGE,
    sketch::{Sketch, View},
    svg::{Canvas, Style},
    tokens::{ACCENT, MARGIN, MUTED, SURFACE, TEXT},
};

const PREVIEW: Rect = Rect {
    x: 544,
    y: 240,
    width: LARGE.0,
    height: LARGE.1,
};

/// The room alone in its meeting.
pub fn sketch(view: &View<'_>, call: &Call) -> Sketch {
    let mut canvas = Canvas::board(view.fonts);
    let max = 408.0;
    let name = &view.state.room.name;
    canvas.text_within(MARGIN, 112.0, Style::strong(36.0, TEXT), name, max);
    let style = Style::strong(44.0, TEXT);
    let mut y = canvas.paragraph((MARGIN, 284.0), style, view.texts.alone, max, 3);
    if let Some(title) = title(call) {
        y = canvas.paragraph((MARGIN, y), Style::medium(32.0, MUTED), title, max, 2);
    }
    let regular = Style::regular(30.0, MUTED);
    match &call.guest_url {
        Some(url) => {
            let url = url.expose();
            y += 20.0;
            canvas.text_within(MARGIN, y, regular, view.texts.guests_open, max);
            y = link(&mut canvas, (MARGIN, y + 44.0), url, 30.0, max, 4);
            canvas.text_within(MARGIN, y + 8.0, regular, view.texts.guests_scan, max);
            canvas.qr(MARGIN, y + 34.0, (1016.0 - y).clamp(160.0, 272.0), url);
        }
        None => {
            canvas.paragraph((MARGIN, y), regular, view.texts.alone_hint, max, 4);
        }
    }
    let mut sketch = Sketch {
        background: canvas.finish(),
        tiles: Vec::new(),
        overlays: Vec::new(),
    };
    tile::self_view(&mut sketch, view, call, PREVIEW);
    sketch
}

/// Title, clock and the guests' link in the place of a small tile.
pub fn card(view: &View<'_>, call: &Call, canvas: &mut Canvas<'_>, rect: Rect) {
    let whole = |size: u32| f32::from(u16::try_from(size).unwrap_or(u16::MAX));
    let (x, y) = (whole(rect.x) + 4.0, whole(rect.y) + 4.0);
    let (width, height) = (whole(rect.width) - 8.0, whole(rect.height) - 8.0);
    canvas.rect(x, y, width, height, 16.0, SURFACE);
    let (left, max) = (x + 32.0, width - 64.0);
    let title = title(call).unwrap_or(view.state.room.name.as_str());
    let clock = view.local.clock();
    canvas.text(
        x + width - 32.0,
        y + 62.0,
        Style::medium(32.0, MUTED).to_the_right(),
        &clock,
    );
    canvas.text_within(
        left,
        y + 62.0,
        Style::strong(34.0, TEXT),
        title,
        max - 120.0,
    );
    let Some(url) = &call.guest_url else {
        return;
    };
    canvas.rect(left, y + 92.0, 64.0, 4.0, 2.0, ACCENT);
    let url = url.expose();
    canvas.qr(left, y + 124.0, 196.0, url);
    let side = left + 224.0;
    let style = Style::regular(26.0, MUTED);
    canvas.text_within(side, y + 152.0, style, view.texts.guests_open, max - 224.0);
    link(canvas, (side, y + 196.0), url, 26.0, max - 224.0, 4);
}

/// A link to be read and typed, broken where the line is full. Returns the next base line.
fn link(
    canvas: &mut Canvas<'_>,
    (x, mut y): (f32, f32),
    url: &str,
    size: f32,
    max: f32,
    lines: usize,
) -> f32 {
    let style = Style::medium(size, ACCENT);
    for line in canvas.broken(url, style, max, lines) {
        canvas.text(x, y, style, &line);
        y += (size * 1.36).round();
    }
    y
}

fn title(call: &Call) -> Option<&str> {
    let title = call.title.as_ref()?.expose().as_str();
    Some(title).filter(|title| !title.trim().is_empty())
}
