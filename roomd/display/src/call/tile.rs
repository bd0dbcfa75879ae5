// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::Call;
use roomd_media_core::scene::{Rect, Tile, TileSource};
use roomd_model::{Connection, Participant, StreamId, StreamKind, StreamTrouble};

use crate::{
    icons::Icon,
    layout::LARGE,
    sketch::{Sketch, View},
    svg::{Canvas, Drawing, Style},
    tokens::{ACCENT, BACKGROUND, DANGER, MUTED, ON_COLOUR, SURFACE, SURFACE_2, TEXT, WARNING},
};

/// Distance of a tile's picture from the tile's edge.
const GUTTER: u32 = 4;
const CORNER: u32 = 24;
const LABEL: u32 = 48;
const INSET: u32 = 18;

/// A mark on a label.
pub type Mark = (Icon, &'static str);

/// Someone's picture, or their initials.
pub fn person(sketch: &mut Sketch, view: &View<'_>, call: &Call, person: &Participant, rect: Rect) {
    let stream = call
        .previews
        .iter()
        .find(|preview| preview.participant == person.id && preview.kind == StreamKind::Camera);
    let stream = stream.filter(|_| person.camera && person.connection != Connection::Lost);
    let trouble = stream.and_then(|preview| preview.trouble);
    let stalled = trouble == Some(StreamTrouble::Stalled);
    // A picture that does not come has its place too, under the initials: what has none is not asked
    // for, and would never come.
    sketch.tiles.extend(stream.map(|preview| Tile {
        source: TileSource::Stream(preview.stream),
        rect,
    }));
    // The last picture stays where no more come.
    if !stream.is_some_and(|preview| stalled || (preview.live && trouble.is_none())) {
        let card = initials(view, person, trouble, rect);
        sketch.overlays.push((rect.x, rect.y, card));
    }
    let lost = person.connection == Connection::Lost;
    frame(sketch, view, rect, person.speaking && !lost);
    let mut marks: Vec<Mark> = Vec::new();
    if person.hand {
        marks.push((Icon::Hand, ACCENT));
    }
    if person.sharing {
        marks.push((Icon::Share, ACCENT));
    }
    if !person.microphone {
        marks.push((Icon::Muted, WARNING));
    }
    if person.connection == Connection::Poor {
        marks.push((Icon::Signal, WARNING));
    }
    if stalled {
        place_stalled(sketch, view, rect);
    }
    let label = label(view, person.name.expose(), &marks, rect);
    place_label(sketch, rect, label);
}

/// A shared window or tab.
pub fn content(
    sketch: &mut Sketch,
    view: &View<'_>,
    stream: StreamId,
    sharer: Option<&Participant>,
    rect: Rect,
) {
    let call = view.call().map(|call| call.previews.iter());
    let trouble = call
        .and_then(|mut previews| previews.find(|preview| preview.stream == stream))
        .and_then(|preview| preview.trouble);
    let words = match trouble {
        Some(StreamTrouble::Undecryptable) => Some(view.texts.undecryptable),
        Some(StreamTrouble::Undecodable) => Some(view.texts.undecodable),
        Some(StreamTrouble::Stalled) | None => None,
    };
    if let Some(words) = words {
        let card = still(view, rect, Icon::Warning, words);
        sketch.overlays.push((rect.x, rect.y, card));
    } else {
        sketch.tiles.push(Tile {
            source: TileSource::Stream(stream),
            rect,
        });
    }
    frame(sketch, view, rect, false);
    if trouble == Some(StreamTrouble::Stalled) {
        place_stalled(sketch, view, rect);
    }
    if let Some(sharer) = sharer {
        let text = (view.texts.shared_by)(sharer.name.expose());
        let label = label(view, &text, &[(Icon::Share, ACCENT)], rect);
        place_label(sketch, rect, label);
    }
}

/// What the room shares itself, as the others see it.
pub fn own_content(sketch: &mut Sketch, view: &View<'_>, rect: Rect) {
    sketch.tiles.push(Tile {
        source: TileSource::OwnContent,
        rect,
    });
    frame(sketch, view, rect, false);
    let frozen = view.state.content.iter().any(|input| input.frozen);
    let text = if frozen {
        view.texts.frozen_here
    } else {
        view.texts.shared_here
    };
    let label = label(view, text, &[(Icon::Share, ACCENT)], rect);
    place_label(sketch, rect, label);
}

/// The room itself, as the others see it, with what it does not send.
pub fn self_view(sketch: &mut Sketch, view: &View<'_>, call: &Call, rect: Rect) {
    let devices = &view.state.devices;
    if devices.camera.is_some() {
        sketch.tiles.push(Tile {
            source: TileSource::SelfView,
            rect,
        });
    } else {
        let card = still(view, rect, Icon::CameraOff, view.texts.no_camera);
        sketch.overlays.push((rect.x, rect.y, card));
    }
    frame(sketch, view, rect, false);
    let mut marks: Vec<Mark> = Vec::new();
    if call.hand {
        marks.push((Icon::Hand, ACCENT));
    }
    if !call.sending || !call.microphone {
        marks.push((Icon::Muted, WARNING));
    }
    if !call.sending || !call.camera {
        marks.push((Icon::CameraOff, WARNING));
    }
    let text = if devices.test_picture {
        format!("{} · {}", view.texts.self_view, view.texts.test_picture)
    } else {
        view.texts.self_view.to_owned()
    };
    let label = label(view, &text, &marks, rect);
    place_label(sketch, rect, label);
}

/// How many have no tile.
pub fn more(sketch: &mut Sketch, view: &View<'_>, count: usize, rect: Rect) {
    let mut canvas = card(view, rect);
    let style = Style::strong(96.0, TEXT).centred();
    canvas.text(320.0, 196.0, style, &format!("+{count}"));
    canvas.text(
        320.0,
        250.0,
        Style::regular(32.0, MUTED).centred(),
        view.texts.others,
    );
    sketch.overlays.push((rect.x, rect.y, canvas.finish()));
    frame(sketch, view, rect, false);
}

/// A tile without a moving picture: a mark and a word.
pub fn still(view: &View<'_>, rect: Rect, icon: Icon, text: &str) -> Drawing {
    let mut canvas = card(view, rect);
    let (middle, centre) = centre(rect);
    canvas.icon(icon, middle - 44.0, centre - 76.0, 88.0, MUTED);
    let style = Style::regular(32.0, MUTED).centred();
    canvas.text(middle, centre + 72.0, style, text);
    canvas.finish()
}

/// A name with marks, to lie over a tile.
pub fn label(view: &View<'_>, text: &str, marks: &[Mark], rect: Rect) -> Drawing {
    let style = Style::medium(26.0, TEXT);
    let marks_width = 38.0 * f32::from(u8::try_from(marks.len()).unwrap_or(u8::MAX));
    let max = if rect.width == LARGE.0 { 720.0 } else { 430.0 } - marks_width;
    let text = view.fonts.fit(text, style.size, style.weight, max);
    let text_width = view.fonts.width(&text, style.size, style.weight);
    let width = 18.0 + marks_width + text_width + 18.0;
    let mut canvas = Canvas::new(view.fonts, pixels(width), LABEL);
    canvas.raw(&format!(
        "<rect width=\"{width}\" height=\"{LABEL}\" rx=\"14\" fill=\"{BACKGROUND}\" \
         fill-opacity=\"0.82\"/>"
    ));
    let mut x = 16.0;
    for (icon, colour) in marks {
        canvas.icon(*icon, x, 10.0, 28.0, colour);
        x += 38.0;
    }
    canvas.text(x + 2.0, 33.0, style, &text);
    canvas.finish()
}

/// Says that a picture stands still.
fn place_stalled(sketch: &mut Sketch, view: &View<'_>, rect: Rect) {
    let badge = label(view, view.texts.stalled, &[(Icon::Warning, WARNING)], rect);
    let (x, y) = (rect.x + INSET, rect.y + INSET);
    sketch.overlays.push((x, y, badge));
}

/// Puts a label into its corner of a tile.
pub fn place_label(sketch: &mut Sketch, rect: Rect, label: Drawing) {
    let y = rect.y + rect.height - INSET - label.height;
    sketch.overlays.push((rect.x + INSET, y, label));
}

/// Round corners and a gutter around a tile, and an outline while someone speaks. Thin pieces,
/// because each pixel of an overlay costs in every composed picture.
pub fn frame(sketch: &mut Sketch, view: &View<'_>, rect: Rect, speaking: bool) {
    let thickness = if speaking { 2 * GUTTER } else { GUTTER };
    let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
    let flat = |far: bool| bar(view, rect.width - 2 * CORNER, thickness, speaking, far);
    let upright = |far: bool| bar(view, thickness, rect.height - 2 * CORNER, speaking, far);
    sketch.overlays.extend([
        (rect.x + CORNER, rect.y, flat(false)),
        (rect.x + CORNER, bottom - thickness, flat(true)),
        (rect.x, rect.y + CORNER, upright(false)),
        (right - thickness, rect.y + CORNER, upright(true)),
        (rect.x, rect.y, corner(view, speaking, "")),
        (
            right - CORNER,
            rect.y,
            corner(view, speaking, "translate(24 0) scale(-1 1)"),
        ),
        (
            rect.x,
            bottom - CORNER,
            corner(view, speaking, "translate(0 24) scale(1 -1)"),
        ),
        (
            right - CORNER,
            bottom - CORNER,
            corner(view, speaking, "translate(24 24) scale(-1 -1)"),
        ),
    ]);
}

fn bar(view: &View<'_>, width: u32, height: u32, speaking: bool, far: bool) -> Drawing {
    let mut canvas = Canvas::new(view.fonts, width, height);
    let whole = |size: u32| f32::from(u16::try_from(size).unwrap_or(u16::MAX));
    let (width, height) = (whole(width), whole(height));
    canvas.rect(0.0, 0.0, width, height, 0.0, BACKGROUND);
    if speaking {
        let gutter = whole(GUTTER);
        let start = if far { 0.0 } else { gutter };
        if width > height {
            canvas.rect(0.0, start, width, gutter, 0.0, ACCENT);
        } else {
            canvas.rect(start, 0.0, gutter, height, 0.0, ACCENT);
        }
    }
    canvas.finish()
}

fn corner(view: &View<'_>, speaking: bool, transform: &str) -> Drawing {
    let mut canvas = Canvas::new(view.fonts, CORNER, CORNER);
    let outline = if speaking {
        format!(
            "<path d=\"M24 6H20A14 14 0 0 0 6 20V24\" fill=\"none\" stroke=\"{ACCENT}\" \
             stroke-width=\"4\"/>"
        )
    } else {
        String::new()
    };
    canvas.raw(&format!(
        "<g transform=\"{transform}\"><path d=\"M0 0H24V4H20A16 16 0 0 0 4 20V24H0Z\" \
         fill=\"{BACKGROUND}\"/>{outline}</g>"
    ));
    canvas.finish()
}

fn initials(
    view: &View<'_>,
    person: &Participant,
    trouble: Option<StreamTrouble>,
    rect: Rect,
) -> Drawing {
    let mut canvas = card(view, rect);
    let (middle, centre) = centre(rect);
    let words = person.name.expose().split_whitespace();
    let mut letters = words.filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = letters.next();
    let initials: String = first.into_iter().chain(letters.next_back()).collect();
    let hint = match person.connection {
        Connection::Lost => Some((view.texts.lost, DANGER)),
        Connection::Connecting => Some((view.texts.connecting, MUTED)),
        Connection::Good | Connection::Poor => match trouble {
            Some(StreamTrouble::Undecryptable) => Some((view.texts.undecryptable, WARNING)),
            Some(StreamTrouble::Undecodable) => Some((view.texts.undecodable, WARNING)),
            Some(StreamTrouble::Stalled) | None => None,
        },
    };
    let large = rect.width == LARGE.0;
    let radius = if large { 140.0 } else { 80.0 };
    let centre = if hint.is_some() {
        centre - 44.0
    } else {
        centre
    };
    canvas.circle(middle, centre, radius, SURFACE_2);
    let style = Style::strong(radius * 0.8, TEXT).centred();
    canvas.text(
        middle,
        centre + radius * 0.29,
        style,
        &initials.to_uppercase(),
    );
    if let Some((text, colour)) = hint {
        let style = Style::regular(28.0, colour).centred();
        canvas.text(middle, centre + radius + 44.0, style, text);
    }
    canvas.finish()
}

fn card<'a>(view: &View<'a>, rect: Rect) -> Canvas<'a> {
    let mut canvas = Canvas::new(view.fonts, rect.width, rect.height);
    canvas.raw(&format!(
        "<rect width=\"{}\" height=\"{}\" fill=\"{SURFACE}\"/>",
        rect.width, rect.height
    ));
    canvas
}

fn centre(rect: Rect) -> (f32, f32) {
    let half = |size: u32| f32::from(u16::try_from(size / 2).unwrap_or(u16::MAX));
    (half(rect.width), half(rect.height))
}

/// A measure in whole pixels.
pub fn pixels(measure: f32) -> u32 {
    measure.ceil().clamp(2.0, 1920.0) as u32
}

/// A filled pill with a mark, for banners.
pub fn pill(view: &View<'_>, icon: Icon, text: &str, fill: &'static str, max: f32) -> Drawing {
    let style = Style::strong(30.0, ON_COLOUR);
    let text = view.fonts.fit(text, style.size, style.weight, max - 108.0);
    let width = 108.0 + view.fonts.width(&text, style.size, style.weight);
    let mut canvas = Canvas::new(view.fonts, pixels(width), 68);
    canvas.rect(0.0, 0.0, width, 68.0, 34.0, fill);
    canvas.icon(icon, 28.0, 17.0, 34.0, ON_COLOUR);
    canvas.text(76.0, 45.0, style, &text);
    canvas.finish()
}
