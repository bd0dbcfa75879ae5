// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The display task: the published state as scenes, drawn anew when it or the clock changes.

use std::sync::Arc;
use std::time::Duration;

use roomd_api::State;
use roomd_display::{Display, Fonts};
use roomd_media::{Engine, EngineCommand};
use tokio::sync::watch;

use crate::daemon::now;

/// Where Debian installs fonts.
const FONTS: [&str; 1] = ["/usr/share/fonts"];
/// A burst of changes is drawn once.
const GATHER: Duration = Duration::from_millis(20);

/// The room's display, and the one for content where there is one.
struct Displays {
    people: Display,
    content: Option<Display>,
}

impl Displays {
    fn new(two: bool) -> Self {
        let display = || Display::new(Fonts::load(&FONTS));
        Self {
            people: display(),
            content: two.then(display),
        }
    }

    fn draw(&mut self, state: &State) -> Vec<EngineCommand> {
        let people = self.people.scene(state, now());
        let content = self.content.as_mut();
        let content = content.map(|display| display.content_scene(state, now()));
        let mut commands = vec![EngineCommand::Scene(Arc::new(people))];
        commands.extend(content.map(|scene| EngineCommand::ContentScene(Arc::new(scene))));
        commands
    }
}

/// Runs until the daemon or the engine ends; `two` says whether there is a display for content.
pub async fn run(mut state: watch::Receiver<Arc<State>>, engine: Engine, two: bool) {
    // Reading fonts and drawing text take many milliseconds: not on the runtime's threads.
    let Ok(mut displays) = tokio::task::spawn_blocking(move || Displays::new(two)).await else {
        return;
    };
    loop {
        let current = Arc::clone(&state.borrow_and_update());
        let again = displays.people.next_change(&current, now());
        let drawn = tokio::task::spawn_blocking(move || {
            let commands = displays.draw(&current);
            (displays, commands)
        });
        let Ok((back, commands)) = drawn.await else {
            tracing::error!("drawing the display failed");
            return;
        };
        displays = back;
        for command in commands {
            engine.command(command).await;
        }
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
