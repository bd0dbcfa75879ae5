// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Meetings up to the media server, in virtual time.

mod bench;
mod enter;
mod inside;
mod lost_keys;
mod password;
mod servers;
mod suite;
