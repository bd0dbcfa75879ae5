// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The scenarios, one file each.

mod bad_config;
mod calendar_server;
mod come_and_go;
mod direct_call;
mod element_call_embedded;
mod element_call_guests;
mod guests_mesh;
mod hostile_guest;
mod idle;
mod livekit;
mod livekit_guests;
mod lobby;
mod matrixrtc;
mod matrixrtc_servers;
mod panel_walk;
mod pictures;
mod restart;
mod silent_join;
mod sixteen;
mod wrong_fingerprint;

use super::Scenario;

/// What `./x test` leaves out: too long for every change, or no test.
pub const APART: &[Scenario] = &[
    Scenario {
        name: "endurance",
        about: "a guest comes and goes 200 times (about 3 minutes, apart from `all`)",
        run: come_and_go::many,
    },
    Scenario {
        name: "matrixrtc-crowd",
        about: "twelve publish in one encrypted call: keys, pictures, what encryption costs (apart)",
        run: matrixrtc::crowd,
    },
    Scenario {
        name: "pictures",
        about: "takes the pictures of the README anew (apart from `all`)",
        run: pictures::run,
    },
];

/// Every scenario, in the order in which `./x test` runs them.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "direct-call",
        about: "a guest and the room see and hear each other, proved by content",
        run: direct_call::run,
    },
    Scenario {
        name: "silent-join",
        about: "nothing is sent before the button; mute is silent on the wire",
        run: silent_join::run,
    },
    Scenario {
        name: "guests-mesh",
        about: "three guests see each other and the room; share, hand, chat",
        run: guests_mesh::run,
    },
    Scenario {
        name: "sixteen",
        about: "sixteen pictures on one connection come, pause, go and come again, proved by content",
        run: sixteen::run,
    },
    Scenario {
        name: "lobby",
        about: "waiting, password, admitted, turned away, removed",
        run: lobby::run,
    },
    Scenario {
        name: "wrong-fingerprint",
        about: "a guest whose certificate does not match gets and gives nothing",
        run: wrong_fingerprint::run,
    },
    Scenario {
        name: "hostile-guest",
        about: "floods, garbage and vanishing guests are dropped alone",
        run: hostile_guest::run,
    },
    Scenario {
        name: "panel-walk",
        about: "from pairing a tablet to leaving the meeting, in both languages, with axe",
        run: panel_walk::run,
    },
    Scenario {
        name: "idle",
        about: "a room that nobody uses takes at most 2 % of a core and 80 MB, display and panel on",
        run: idle::run,
    },
    Scenario {
        name: "restart",
        about: "terminated and killed in a meeting, the room comes back into it, silent",
        run: restart::run,
    },
    Scenario {
        name: "calendar-server",
        about: "a booking on Radicale appears, moves, is accepted; the server goes away",
        run: calendar_server::run,
    },
    Scenario {
        name: "matrixrtc-servers",
        about: "Synapse, LiveKit and the tokens between them, asked as Element Call asks them",
        run: matrixrtc_servers::run,
    },
    Scenario {
        name: "livekit",
        about: "the room's half of LiveKit joins, sends, receives, comes back and ends at a real server",
        run: livekit::run,
    },
    Scenario {
        name: "livekit-guests",
        about: "browsers at LiveKit see and hear each other, encrypted; others do not",
        run: livekit_guests::run,
    },
    Scenario {
        name: "element-call-guests",
        about: "browsers in the call of a Matrix room, on two SFUs, with keys and with a password",
        run: element_call_guests::run,
    },
    Scenario {
        name: "element-call-embedded",
        about: "the published Element Call and a guest see and hear each other, encrypted; it hangs up",
        run: element_call_embedded::run,
    },
    Scenario {
        name: "matrixrtc",
        about: "the room in calls of Element Call, encrypted; servers, guests and itself come and go",
        run: matrixrtc::run,
    },
    Scenario {
        name: "bad-config",
        about: "a wrong configuration is explained; a wrong reload keeps the last good one",
        run: bad_config::run,
    },
    Scenario {
        name: "come-and-go",
        about: "a guest comes and goes 30 times; threads, descriptors and memory stay flat",
        run: come_and_go::run,
    },
];
