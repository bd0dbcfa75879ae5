// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The account against a real homeserver: Synapse, on loopback. `./x test` installs it.

mod calls;
mod devices;
mod line;
mod logins;
mod logs;
mod messages;
mod outage;
mod person;
mod rooms;
mod servers;
mod synapse;
mod tls;
