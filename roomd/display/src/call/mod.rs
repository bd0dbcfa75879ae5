// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The call: tiles where the layout puts them, names on them, and banners that matter.

mod alone;
pub mod arrange;
mod banner;
pub mod tile;

use roomd_api::Call;

use crate::{
    sketch::{Sketch, View},
    svg::Canvas,
};
use arrange::{Slot, arrange};

/// The display during a call.
pub fn sketch(view: &View<'_>, call: &Call) -> Sketch {
    if call.participants.is_empty() {
        let mut sketch = alone::sketch(view, call);
        banner::draw(&mut sketch, view, call);
        return sketch;
    }
    let elsewhere = view.state.devices.content_display.is_some();
    let arranged = arrange(call, elsewhere);
    let mut canvas = Canvas::board(view.fonts);
    if let Some(rect) = arranged.spare {
        alone::card(view, call, &mut canvas, rect);
    }
    let mut sketch = Sketch {
        background: canvas.finish(),
        tiles: Vec::new(),
        overlays: Vec::new(),
    };
    for (rect, slot) in arranged.slots {
        match slot {
            Slot::Person(person) => tile::person(&mut sketch, view, call, person, rect),
            Slot::Content(stream, sharer) => {
                tile::content(&mut sketch, view, stream, sharer, rect);
            }
            Slot::OwnContent => tile::own_content(&mut sketch, view, rect),
            Slot::SelfView => tile::self_view(&mut sketch, view, call, rect),
            Slot::More(count) => tile::more(&mut sketch, view, count, rect),
        }
    }
    banner::draw(&mut sketch, view, call);
    sketch
}
