// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The second display, where a room has one: what is shared, as large as it goes.

use roomd_media_core::scene::{HEIGHT, Rect, WIDTH};
use roomd_model::Phase;

use crate::{
    board,
    call::{arrange::content, tile},
    icons::Icon,
    sketch::{Sketch, View},
    svg::{Canvas, Style},
    tokens::MUTED,
};

const WHOLE: Rect = Rect {
    x: 0,
    y: 0,
    width: WIDTH,
    height: HEIGHT,
};

/// Shared content; what the first display shows while the room is free; otherwise a quiet board.
pub fn sketch(view: &View<'_>) -> Sketch {
    match &view.state.room.phase {
        Phase::Idle => return board::idle(view, None),
        Phase::Offered { booking } => return board::idle(view, Some(booking)),
        Phase::Joining
        | Phase::Lobby
        | Phase::InCall
        | Phase::Reconnecting { .. }
        | Phase::Leaving
        | Phase::Fault { .. } => {}
    }
    let mut canvas = Canvas::board(view.fonts);
    let shared = view.call().and_then(content);
    let own = shared.is_none() && view.call().is_some_and(|call| call.content);
    if shared.is_none() && !own {
        board::small_header(view, &mut canvas);
        canvas.icon(Icon::Share, 912.0, 420.0, 96.0, MUTED);
        let style = Style::regular(40.0, MUTED).centred();
        canvas.text(960.0, 600.0, style, view.texts.content_here);
    }
    let mut sketch = Sketch {
        background: canvas.finish(),
        tiles: Vec::new(),
        overlays: Vec::new(),
    };
    if let Some((stream, sharer)) = shared {
        tile::content(&mut sketch, view, stream, sharer, WHOLE);
    } else if own {
        tile::own_content(&mut sketch, view, WHOLE);
    }
    sketch
}
