// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What STUN and TURN servers say.

use roomd_peer::fuzzing;

use crate::input::Input;

/// The answer to a binding request; its transaction is put in.
pub(crate) fn stun_answer(mut input: Input<'_>) {
    fuzzing::stun_answer(input.rest());
}

/// A stream of frames, cut anywhere.
pub(crate) fn turn_frames(mut input: Input<'_>) {
    let piece = usize::from(input.byte()).max(1);
    fuzzing::turn_frames(input.rest(), piece);
}

/// Servers in a configuration that a platform sends.
pub(crate) fn turn_url(mut input: Input<'_>) {
    fuzzing::server_url(&input.rest_text());
}

/// A server that answers with what the input says.
pub(crate) fn turn_server(mut input: Input<'_>) {
    let stream = input.byte() & 1 == 1;
    let mut answers = Vec::new();
    while !input.is_empty() && answers.len() < 64 {
        let kind = input.byte();
        answers.push((kind, input.bytes().to_vec()));
    }
    fuzzing::turn_server(stream, &answers);
}
