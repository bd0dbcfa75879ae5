// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::time::Duration;

use chrono::Timelike;
use roomd_api::State;
use roomd_media_core::scene::{Overlay, Scene};
use roomd_model::Now;

use crate::{
    content,
    fonts::Fonts,
    render::Renderer,
    sketch::{Sketch, View, sketch},
};

/// The room's display.
#[derive(Debug)]
pub struct Display {
    fonts: Fonts,
    renderer: Renderer,
}

impl Display {
    /// A display that writes in these fonts.
    #[must_use]
    pub fn new(fonts: Fonts) -> Self {
        Self {
            fonts,
            renderer: Renderer::default(),
        }
    }

    /// What the display shows now. A picture that did not change is the same `Arc` as before.
    pub fn scene(&mut self, state: &State, now: Now) -> Scene {
        let sketch = sketch(&View::new(state, now, &self.fonts));
        self.render(sketch)
    }

    /// What a second display shows now; of a room with two, each has its own.
    pub fn content_scene(&mut self, state: &State, now: Now) -> Scene {
        let sketch = content::sketch(&View::new(state, now, &self.fonts));
        self.render(sketch)
    }

    fn render(&mut self, sketch: Sketch) -> Scene {
        let Sketch {
            background,
            tiles,
            overlays,
        } = sketch;
        let mut picture = |drawing| self.renderer.picture(drawing, &self.fonts);
        let background = Some(picture(background));
        let overlays = overlays
            .into_iter()
            .map(|(x, y, drawing)| Overlay {
                x,
                y,
                picture: picture(drawing),
            })
            .collect();
        self.renderer.finish_scene();
        Scene {
            background,
            tiles,
            overlays,
        }
    }

    /// How long the scene stays as it is while the state does: until the minute turns, or the
    /// second during a countdown. Never zero.
    #[must_use]
    pub fn next_change(&self, state: &State, now: Now) -> Duration {
        let nanos = u64::from(now.utc.nanosecond() % 1_000_000_000);
        let counts_down = state
            .call
            .as_ref()
            .is_some_and(|call| call.countdown.is_some());
        let whole = if counts_down {
            1
        } else {
            60 - u64::from(now.utc.second())
        };
        Duration::from_secs(whole) - Duration::from_nanos(nanos)
    }

    #[cfg(test)]
    pub(crate) fn cached(&self) -> usize {
        self.renderer.len()
    }
}
