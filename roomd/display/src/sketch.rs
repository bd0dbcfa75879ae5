// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_api::{Call, State};
use roomd_media_core::scene::Tile;
use roomd_model::{Now, Phase};

use crate::{board, call, fonts::Fonts, local::Local, svg::Drawing, texts::Texts};

/// A scene before its drawings become pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    /// Fills the display.
    pub background: Drawing,
    /// Moving pictures.
    pub tiles: Vec<Tile>,
    /// Still pictures over them: left and upper edge, both even, and what.
    pub overlays: Vec<(u32, u32, Drawing)>,
}

/// What every part of a scene is drawn from.
#[derive(Debug)]
pub struct View<'a> {
    /// The room's state.
    pub state: &'a State,
    /// Now.
    pub now: Now,
    /// Now, in the room.
    pub local: Local,
    /// In the room's language.
    pub texts: &'static Texts,
    /// To measure with.
    pub fonts: &'a Fonts,
}

impl<'a> View<'a> {
    /// A view of the state at a time.
    pub fn new(state: &'a State, now: Now, fonts: &'a Fonts) -> Self {
        Self {
            state,
            now,
            local: Local::new(&state.room.time_zone, now.utc),
            texts: Texts::of(state.room.language),
            fonts,
        }
    }

    /// The call, if there is one.
    pub fn call(&self) -> Option<&'a Call> {
        self.state.call.as_deref()
    }
}

/// Draws what the room's phase asks for.
pub fn sketch(view: &View<'_>) -> Sketch {
    let mut sketch = match &view.state.room.phase {
        Phase::Idle => return board::idle(view, None),
        Phase::Offered { booking } => return board::idle(view, Some(booking)),
        Phase::Joining => board::joining(view),
        Phase::Lobby => board::lobby(view),
        Phase::Reconnecting { attempt } => board::reconnecting(view, *attempt),
        Phase::Leaving => board::leaving(view),
        Phase::Fault { code } => board::fault(view, *code),
        Phase::InCall => match view.call() {
            Some(call) => call::sketch(view, call),
            // The call's event is on its way.
            None => board::joining(view),
        },
    };
    board::pairing_over(&mut sketch, view);
    sketch
}
