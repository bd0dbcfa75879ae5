// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_media_core::scene::{Rect, Tile, TileSource};
use roomd_model::FaultCode;

use super::{small_header, support};
use crate::{
    call::tile,
    icons::Icon,
    layout::LARGE,
    sketch::{Sketch, View},
    svg::{Canvas, Style},
    texts,
    tokens::{ACCENT, DANGER, MARGIN, MUTED, RIGHT, SURFACE, SURFACE_2, TEXT, WARNING},
};

const PREVIEW: Rect = Rect {
    x: 544,
    y: 180,
    width: LARGE.0,
    height: LARGE.1,
};

/// Connecting, with a live preview.
pub fn joining(view: &View<'_>) -> Sketch {
    let wanted = view.call().and_then(|call| call.password_wanted);
    let (title, hint) = match wanted {
        Some(true) => (view.texts.password, view.texts.password_wrong),
        Some(false) => (view.texts.password, view.texts.password_hint),
        None => (view.texts.joining, view.texts.joining_hint),
    };
    let icon = if wanted.is_some() {
        Icon::Lock
    } else {
        Icon::Camera
    };
    with_preview(view, icon, title, hint)
}

/// Waiting to be let in, with a live preview.
pub fn lobby(view: &View<'_>) -> Sketch {
    with_preview(view, Icon::People, view.texts.lobby, view.texts.lobby_hint)
}

/// On the way back.
pub fn reconnecting(view: &View<'_>, attempt: u32) -> Sketch {
    let hint = (view.texts.reconnecting_hint)(attempt);
    centred(
        view,
        (Icon::Signal, WARNING),
        view.texts.reconnecting,
        &hint,
    )
}

/// Going.
pub fn leaving(view: &View<'_>) -> Sketch {
    let texts = view.texts;
    centred(
        view,
        (Icon::Clock, ACCENT),
        texts.leaving,
        texts.leaving_hint,
    )
}

/// What happened, what to do, whom to ask.
pub fn fault(view: &View<'_>, code: FaultCode) -> Sketch {
    let text = texts::fault(view.state.room.language, code);
    let mut canvas = centred_canvas(view, (Icon::Warning, DANGER), text.title, text.remedy);
    let style = Style::regular(30.0, MUTED).to_the_right();
    canvas.text(RIGHT, 1016.0, style, view.texts.fault_hint);
    support(view, &mut canvas, 1100.0);
    still(canvas)
}

fn with_preview(view: &View<'_>, icon: Icon, title: &str, hint: &str) -> Sketch {
    let mut canvas = Canvas::board(view.fonts);
    small_header(view, &mut canvas);
    let max = 408.0;
    let top = 180.0;
    canvas.circle(MARGIN + 44.0, top + 44.0, 44.0, SURFACE_2);
    canvas.icon(icon, MARGIN + 22.0, top + 22.0, 44.0, ACCENT);
    let style = Style::strong(44.0, TEXT);
    let y = canvas.paragraph((MARGIN, top + 160.0), style, title, max, 3);
    let y = canvas.paragraph((MARGIN, y + 4.0), Style::regular(30.0, MUTED), hint, max, 5);
    if let Some(meeting) = meeting(view) {
        canvas.rect(MARGIN, y + 8.0, 64.0, 4.0, 2.0, ACCENT);
        canvas.paragraph(
            (MARGIN, y + 72.0),
            Style::medium(34.0, TEXT),
            meeting,
            max,
            4,
        );
    }
    let sends = view
        .call()
        .map_or(view.state.room.joins_sending, |call| call.sending);
    let (colour, text) = if sends {
        (ACCENT, view.texts.joins_sending)
    } else {
        (MUTED, view.texts.joins_silent)
    };
    let left = 548.0;
    canvas.rect(left, 932.0, 1272.0, 84.0, 20.0, SURFACE);
    let icon = if sends { Icon::Camera } else { Icon::CameraOff };
    canvas.icon(icon, left + 32.0, 955.0, 38.0, colour);
    canvas.text_within(left + 92.0, 984.0, Style::medium(30.0, TEXT), text, 1150.0);

    let mut sketch = still(canvas);
    let devices = &view.state.devices;
    if devices.camera.is_some() {
        sketch.tiles.push(Tile {
            source: TileSource::SelfView,
            rect: PREVIEW,
        });
    } else {
        let card = tile::still(view, PREVIEW, Icon::CameraOff, view.texts.no_camera);
        sketch.overlays.push((PREVIEW.x, PREVIEW.y, card));
    }
    tile::frame(&mut sketch, view, PREVIEW, false);
    if devices.test_picture {
        let label = tile::label(view, view.texts.test_picture, &[], PREVIEW);
        tile::place_label(&mut sketch, PREVIEW, label);
    }
    sketch
}

fn centred(view: &View<'_>, icon: (Icon, &'static str), title: &str, hint: &str) -> Sketch {
    let mut canvas = centred_canvas(view, icon, title, hint);
    if let Some(meeting) = meeting(view) {
        let style = Style::medium(34.0, MUTED).centred();
        canvas.text_within(960.0, 1016.0, style, meeting, 1500.0);
    }
    still(canvas)
}

fn centred_canvas<'a>(
    view: &View<'a>,
    (icon, colour): (Icon, &'static str),
    title: &str,
    hint: &str,
) -> Canvas<'a> {
    let mut canvas = Canvas::board(view.fonts);
    small_header(view, &mut canvas);
    canvas.circle(960.0, 400.0, 84.0, SURFACE);
    canvas.icon(icon, 912.0, 350.0, 96.0, colour);
    let style = Style::strong(68.0, TEXT).centred();
    let y = canvas.paragraph((960.0, 594.0), style, title, 1500.0, 2);
    canvas.paragraph(
        (960.0, y - 8.0),
        Style::regular(38.0, MUTED).centred(),
        hint,
        1200.0,
        3,
    );
    canvas
}

fn still(canvas: Canvas<'_>) -> Sketch {
    Sketch {
        background: canvas.finish(),
        tiles: Vec::new(),
        overlays: Vec::new(),
    }
}

fn meeting<'a>(view: &View<'a>) -> Option<&'a str> {
    let title = view.call()?.title.as_ref()?;
    Some(title.expose().as_str()).filter(|title| !title.trim().is_empty())
}
