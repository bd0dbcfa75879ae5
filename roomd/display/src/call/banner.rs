// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::Call;
use roomd_media_core::scene::WIDTH;
use roomd_model::{Connection, E2ee};

use super::tile::{pill, pixels};
use crate::{
    icons::Icon,
    sketch::{Sketch, View},
    svg::{Canvas, Drawing, Style},
    tokens::{ACCENT, BACKGROUND, DANGER, SUCCESS, TEXT, WARNING},
};

const TOP: u32 = 24;
const STEP: u32 = 80;
const EDGE: u32 = 24;
/// Keeps the banners in the middle clear of the status in the corner.
const WIDEST: f32 = 920.0;
const MOST: usize = 3;

/// The banners in the middle of the upper edge, the most important first, and the quiet status
/// in its corner.
pub fn draw(sketch: &mut Sketch, view: &View<'_>, call: &Call) {
    let mut y = TOP;
    for banner in banners(view, call).into_iter().take(MOST) {
        let x = (WIDTH.saturating_sub(banner.width) / 2).next_multiple_of(2);
        sketch.overlays.push((x, y, banner));
        y += STEP;
    }
    if let Some(status) = status(view, call) {
        let x = WIDTH - EDGE - status.width;
        sketch.overlays.push((x, TOP, status));
    }
}

fn banners(view: &View<'_>, call: &Call) -> Vec<Drawing> {
    let texts = view.texts;
    let mut banners = Vec::new();
    let mut add = |icon, text: &str, fill| banners.push(pill(view, icon, text, fill, WIDEST));
    if let Some(countdown) = &call.countdown {
        let left = countdown.ends_at - view.now.utc;
        // Counts to one, not to zero: the last second is still a second.
        let seconds = u64::try_from(left.num_milliseconds())
            .unwrap_or(0)
            .div_ceil(1000);
        add(Icon::Clock, &(texts.ends_in)(seconds), WARNING);
    }
    if !call.sending {
        add(Icon::Muted, texts.not_sending, WARNING);
    }
    if call.e2ee == E2ee::Off {
        add(Icon::LockOpen, texts.not_encrypted, DANGER);
    }
    if !call.waiting.is_empty() {
        add(Icon::People, &(texts.waiting)(call.waiting.len()), ACCENT);
    }
    if poor(call) {
        add(Icon::Signal, texts.connection_poor, WARNING);
    }
    banners
}

/// At least half of the connections are bad: then it is the room's own, not theirs.
fn poor(call: &Call) -> bool {
    let bad = call
        .participants
        .iter()
        .filter(|person| matches!(person.connection, Connection::Poor | Connection::Lost));
    let bad = bad.count();
    bad > 0 && bad * 2 >= call.participants.len()
}

/// What the room sends, its hand, and the lock.
fn status(view: &View<'_>, call: &Call) -> Option<Drawing> {
    let style = Style::medium(26.0, TEXT);
    let mut parts: Vec<(Icon, &'static str, &str)> = Vec::new();
    if call.hand {
        parts.push((Icon::Hand, ACCENT, ""));
    }
    if call.sending {
        if !call.microphone {
            parts.push((Icon::Muted, WARNING, view.texts.muted));
        }
        if !call.camera {
            parts.push((Icon::CameraOff, WARNING, view.texts.camera_off));
        }
        if call.microphone && call.camera {
            parts.push((Icon::Camera, ACCENT, view.texts.sending));
        }
    }
    if call.e2ee == E2ee::Verified {
        parts.push((Icon::Lock, SUCCESS, ""));
    }
    let measure = |text: &str| match view.fonts.width(text, style.size, style.weight) {
        0.0 => 30.0,
        width => 42.0 + width,
    };
    let spaces = 24.0 * f32::from(u8::try_from(parts.len()).ok()?);
    let width = 16.0 + spaces + parts.iter().map(|(_, _, text)| measure(text)).sum::<f32>();
    if parts.is_empty() {
        return None;
    }
    let mut canvas = Canvas::new(view.fonts, pixels(width), 56);
    canvas.raw(&format!(
        "<rect width=\"{width}\" height=\"56\" rx=\"28\" fill=\"{BACKGROUND}\" \
         fill-opacity=\"0.82\"/>"
    ));
    let mut x = 20.0;
    for (icon, colour, text) in parts {
        canvas.icon(icon, x, 13.0, 30.0, colour);
        canvas.text(x + 42.0, 37.0, style, text);
        x += measure(text) + 24.0;
    }
    Some(canvas.finish())
}
