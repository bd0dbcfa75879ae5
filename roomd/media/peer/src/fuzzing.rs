// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What reads the answers of servers, as the fuzz targets reach it; not part of the product.

pub use crate::gather::fuzzing::{stun_answer, stun_url};
pub use crate::turn::fuzzing::{turn_frames, turn_server, turn_url};

/// Reads a server's URL of either kind.
pub fn server_url(url: &str) {
    stun_url(url);
    turn_url(url);
}
