// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The microphone's device in hand: what people do at it, and what is wrong with it.

use roomd_devices::core::health::Trouble;
use roomd_devices::mute::{Held, Wish};

/// What is heard of the microphone's device.
pub enum Heard {
    /// Somebody wants something.
    Wish(Wish),
    /// What is wrong with its key or switch from now on.
    Trouble(Option<Trouble>),
    /// It is gone.
    Gone,
}

/// What is heard next of the microphone's device; nothing comes where there is none.
pub async fn heard(held: &mut Option<Held>) -> Heard {
    let Some(held) = held else {
        return std::future::pending().await;
    };
    tokio::select! {
        wish = held.wishes.recv() => wish.map_or(Heard::Gone, Heard::Wish),
        Ok(()) = held.trouble.changed() => Heard::Trouble(*held.trouble.borrow_and_update()),
    }
}
