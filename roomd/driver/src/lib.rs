// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The async shell of every session, and of the calendar.
pub mod calendar;
pub mod channels;
mod http;
pub mod session;
