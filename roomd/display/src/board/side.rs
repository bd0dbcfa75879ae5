// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The column under the clock: pairing and faults.

use roomd_api::Pairing;
use roomd_model::{Fault, Severity};

use crate::{
    icons::Icon,
    sketch::{Sketch, View},
    svg::{Canvas, Style},
    texts,
    tokens::{ACCENT, DANGER, MUTED, RADIUS, RIGHT, SURFACE, TEXT, WARNING},
};

const WIDTH: f32 = 576.0;
const LEFT: f32 = RIGHT - WIDTH;
const TOP: f32 = 340.0;
const BOTTOM: f32 = 964.0;
const GAP: f32 = 16.0;
const LINE: f32 = 35.0;
const PAIRING: f32 = 388.0;

/// Pairing first, because somebody waits for it; then what is wrong, as far as there is room.
pub fn draw(view: &View<'_>, canvas: &mut Canvas<'_>) {
    let mut y = TOP;
    if let Some(pairing) = current(view) {
        y = draw_pairing(view, canvas, pairing, LEFT, y) + GAP;
    }
    let faults = &view.state.faults;
    for (at, fault) in faults.iter().enumerate() {
        let mut card = FaultCard::new(view, fault);
        let last = at + 1 == faults.len();
        let room = BOTTOM - y - if last { 0.0 } else { 44.0 };
        if card.height() > room {
            // Better the name of what is wrong than nothing of it.
            card.remedy.clear();
        }
        if card.height() > room {
            let text = format!("+ {}", (view.texts.more)(faults.len() - at));
            canvas.text(LEFT, y + 30.0, Style::regular(28.0, MUTED), &text);
            break;
        }
        card.draw(canvas, y);
        y += card.height() + GAP;
    }
}

/// The pairing code over whatever else the display shows, when somebody asked for it.
pub fn pairing_over(sketch: &mut Sketch, view: &View<'_>) {
    if let Some(pairing) = current(view) {
        let mut canvas = Canvas::new(view.fonts, 580, 392);
        canvas.rect(0.0, 0.0, 580.0, 392.0, RADIUS, MUTED);
        draw_pairing(view, &mut canvas, pairing, 2.0, 2.0);
        sketch.overlays.push((670, 344, canvas.finish()));
    }
}

fn current<'a>(view: &View<'a>) -> Option<&'a Pairing> {
    let pairing = view.state.pairing.as_ref()?;
    (pairing.expires_at > view.now.utc).then_some(pairing)
}

fn draw_pairing(
    view: &View<'_>,
    canvas: &mut Canvas<'_>,
    pairing: &Pairing,
    x: f32,
    y: f32,
) -> f32 {
    let url = pairing.url.expose();
    canvas.rect(x, y, WIDTH, PAIRING, RADIUS, SURFACE);
    let left = x + 32.0;
    canvas.text(
        left,
        y + 58.0,
        Style::strong(34.0, TEXT),
        view.texts.pair_title,
    );
    canvas.qr(left, y + 88.0, 208.0, url);
    let side = left + 232.0;
    let max = WIDTH - 64.0 - 232.0;
    let style = Style::regular(24.0, MUTED);
    canvas.paragraph((side, y + 112.0), style, view.texts.pair_hint, max, 3);
    if let Some(code) = &pairing.code {
        let digits = grouped(code.expose());
        canvas.text_within(side, y + 246.0, Style::strong(64.0, TEXT), &digits, max);
    }
    let until = (view.texts.valid_until)(&view.local.time(pairing.expires_at));
    canvas.text_within(side, y + 290.0, style, &until, max);
    canvas.text_within(
        left,
        y + 346.0,
        Style::medium(26.0, ACCENT),
        url,
        WIDTH - 64.0,
    );
    y + PAIRING
}

struct FaultCard {
    severity: Severity,
    title: Vec<String>,
    remedy: Vec<String>,
}

impl FaultCard {
    const TITLE: Style = Style::strong(28.0, TEXT);
    const REMEDY: Style = Style::regular(26.0, MUTED);

    fn new(view: &View<'_>, fault: &Fault) -> Self {
        let text = texts::fault(view.state.room.language, fault.code);
        let lines = |style: Style, text: &str, most: usize| {
            view.fonts
                .wrap(text, style.size, style.weight, WIDTH - 116.0, most)
        };
        Self {
            severity: fault.code.severity(),
            title: lines(Self::TITLE, text.title, 2),
            remedy: lines(Self::REMEDY, text.remedy, 4),
        }
    }

    fn height(&self) -> f32 {
        let gap = if self.remedy.is_empty() { 0.0 } else { 6.0 };
        50.0 + gap + LINE * rows(self.title.len() + self.remedy.len())
    }

    fn draw(&self, canvas: &mut Canvas<'_>, y: f32) {
        let (icon, colour) = match self.severity {
            Severity::Error => (Icon::Warning, DANGER),
            Severity::Warning => (Icon::Warning, WARNING),
            Severity::Notice => (Icon::Info, MUTED),
        };
        canvas.rect(LEFT, y, WIDTH, self.height(), RADIUS, SURFACE);
        canvas.icon(icon, LEFT + 28.0, y + 26.0, 36.0, colour);
        let left = LEFT + 84.0;
        let mut base = y + 54.0;
        for line in &self.title {
            canvas.text(left, base, Self::TITLE, line);
            base += LINE;
        }
        base += 6.0;
        for line in &self.remedy {
            canvas.text(left, base, Self::REMEDY, line);
            base += LINE;
        }
    }
}

/// Six digits in two groups are read aloud more easily.
fn grouped(code: &str) -> String {
    match code.split_at_checked(3) {
        Some((first, second)) if code.len() == 6 => format!("{first} {second}"),
        Some(_) | None => code.to_owned(),
    }
}

fn rows(count: usize) -> f32 {
    f32::from(u8::try_from(count).unwrap_or(u8::MAX))
}
