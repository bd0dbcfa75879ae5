// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Sound: which card is microphone and loudspeaker, and the mute that room and device share.

pub mod cards;
pub mod listing;
pub mod mixer;
pub mod mute;
pub mod table;
