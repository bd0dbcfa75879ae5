// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Direct meetings: the room itself offers a meeting that browsers join.
#![deny(missing_docs)]

pub mod wire;
