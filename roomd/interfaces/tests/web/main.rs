// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The HTTPS side, spoken to by a real TLS client.
mod guests;
mod pages;
mod panel;
mod support;
