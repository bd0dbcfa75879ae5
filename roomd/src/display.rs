// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The display task: the published state as a scene, drawn anew when it or the clock changes.

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

/// Runs until the daemon or the engine ends.
pub async fn run(mut state: watch::Receiver<Arc<State>>, engine: Engine) {
    // Reading fonts and drawing text take many milliseconds: not on the runtime's threads.
    let Ok(mut display) = tokio::task::spawn_blocking(|| Display::new(Fonts::load(&FONTS))).await
    else {
        return;
    };
    loop {
        let current = Arc::clone(&state.borrow_and_update());
        let again = display.next_change(&current, now());
        let drawn = tokio::task::spawn_blocking(move || {
            let scene = display.scene(&current, now());
            (display, scene)
        });
        let Ok((back, scene)) = drawn.await else {
            tracing::error!("drawing the display failed");
            return;
        };
        display = back;
        engine.command(EngineCommand::Scene(Arc::new(scene))).await;
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
