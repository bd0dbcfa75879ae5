// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whole screens: the idle board, progress, faults.

mod agenda;
mod idle;
mod progress;
mod side;

pub use idle::idle;
pub use progress::{fault, joining, leaving, lobby, reconnecting};
pub use side::pairing_over;

use crate::{
    icons::Icon,
    sketch::View,
    svg::{Canvas, Style},
    tokens::{MARGIN, MUTED, RIGHT, TEXT},
};

/// The line at the foot of a board: whom to ask.
fn support(view: &View<'_>, canvas: &mut Canvas<'_>, max: f32) {
    let Some(support) = &view.state.room.support else {
        return;
    };
    canvas.icon(Icon::Phone, MARGIN, 992.0, 28.0, MUTED);
    let text = format!("{}: {support}", view.texts.help);
    canvas.text_within(
        MARGIN + 44.0,
        1016.0,
        Style::regular(28.0, MUTED),
        &text,
        max,
    );
}

/// The small header of boards that are about something else: name and clock.
pub fn small_header(view: &View<'_>, canvas: &mut Canvas<'_>) {
    let name = &view.state.room.name;
    canvas.text_within(MARGIN, 112.0, Style::strong(36.0, TEXT), name, 1400.0);
    let clock = view.local.clock();
    canvas.text(
        RIGHT,
        112.0,
        Style::medium(36.0, MUTED).to_the_right(),
        &clock,
    );
}
