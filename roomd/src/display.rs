// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The display task: the published state as scenes, drawn anew when it or the clock changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use roomd_api::State;
use roomd_display::{Display, Fonts};
use roomd_media::{Engine, EngineCommand};
use roomd_model::StreamId;
use tokio::sync::watch;

use crate::daemon::now;

/// Where Debian installs fonts.
const FONTS: [&str; 1] = ["/usr/share/fonts"];
/// A burst of changes is drawn once.
const GATHER: Duration = Duration::from_millis(20);

/// The room's display, and the one for content where there is one.
struct Displays {
    people: Display,
    /// Made once there is such a display: fonts take megabytes.
    content: Option<Display>,
}

impl Displays {
    fn new() -> Self {
        Self {
            people: display(),
            content: None,
        }
    }

    fn draw(&mut self, state: &State) -> Drawn {
        let people = self.people.scene(state, now());
        let content = state.devices.content_display.as_ref().map(|_| {
            let content = self.content.get_or_insert_with(display);
            content.content_scene(state, now())
        });
        let shown = roomd_display::shown([Some(&people), content.as_ref()].into_iter().flatten());
        let mut commands = vec![EngineCommand::Scene(Arc::new(people))];
        commands.extend(content.map(|scene| EngineCommand::ContentScene(Arc::new(scene))));
        Drawn { commands, shown }
    }
}

fn display() -> Display {
    Display::new(Fonts::load(&FONTS))
}

/// What was drawn.
struct Drawn {
    commands: Vec<EngineCommand>,
    shown: OnDisplay,
}

/// The lines of each stream's picture on the displays.
pub type OnDisplay = BTreeMap<StreamId, u32>;

/// Runs until the daemon or the engine ends. Says which pictures are shown, so that nobody sends larger
/// ones.
pub async fn run(
    mut state: watch::Receiver<Arc<State>>,
    engine: Engine,
    shown: watch::Sender<OnDisplay>,
) {
    // Reading fonts and drawing text take many milliseconds: not on the runtime's threads.
    let Ok(mut displays) = tokio::task::spawn_blocking(Displays::new).await else {
        return;
    };
    loop {
        let current = Arc::clone(&state.borrow_and_update());
        let again = displays.people.next_change(&current, now());
        let drawn = tokio::task::spawn_blocking(move || {
            let drawn = displays.draw(&current);
            (displays, drawn)
        });
        let Ok((back, drawn)) = drawn.await else {
            tracing::error!("drawing the display failed");
            return;
        };
        displays = back;
        for command in drawn.commands {
            engine.command(command).await;
        }
        shown.send_if_modified(|known| {
            let differs = *known != drawn.shown;
            *known = drawn.shown;
            differs
        });
        tokio::select! {
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::time::sleep(GATHER).await;
            }
            () = tokio::time::sleep(again) => {}
        }
    }
}
