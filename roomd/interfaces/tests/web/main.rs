// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The HTTPS side, spoken to by a real TLS client.
// Helpers of tests may unwrap like the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod guests;
mod metrics;
mod pages;
mod panel;
mod support;
