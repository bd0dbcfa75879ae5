// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Floods, garbage and vanishing guests are dropped alone.

use anyhow::{Result, ensure};
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};

/// What no page sends, before the meeting.
const ATTACKS: [(&str, &str); 2] = [
    (
        "garbage",
        "for (const text of ['{', '[]', '\"x\"', '{\"type\":\"root\"}']) socket.send(text);",
    ),
    ("too large", "socket.send('x'.repeat(1 << 20));"),
];

/// Valid messages, too many, on the page's own channel inside the meeting.
const FLOOD: &str = "new Promise((done) => {
    const socket = roomdSockets.findLast((one) => one.readyState === 1);
    const hand = JSON.stringify({ type: 'hand', raised: true });
    let sent = 0;
    socket.addEventListener('close', () => done({ closed: true, sent }));
    const more = () => {
        for (let i = 0; i < 100; i++, sent++) socket.send(hand);
        if (socket.readyState === 1) setTimeout(more, 5);
    };
    more();
    setTimeout(() => done({ closed: false, sent }), 15000);
})";

/// Keeps the page's channels for [`FLOOD`].
const KEEP_SOCKETS: &str = "(() => {
    const Native = WebSocket;
    globalThis.roomdSockets = [];
    globalThis.WebSocket = class extends Native {
        constructor(...args) {
            super(...args);
            roomdSockets.push(this);
        }
    };
})()";

/// Opens a channel of its own and sends what no page sends; gives how the channel ended.
fn attack(script: &str) -> String {
    format!(
        "new Promise((done) => {{
            const socket = new WebSocket(location.href.replace('https', 'wss') + '/ws');
            let sent = 0;
            socket.onclose = () => done({{ closed: true, sent }});
            socket.onopen = () => {{ {script} }};
            setTimeout(() => done({{ closed: false, sent }}), 15000);
        }})"
    )
}

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut honest = Guest::open(&room, "Karla Weidengrund", 1)?;
    honest.join()?;
    start_call(&room, &mut panel)?;
    display_shows(&room, honest.number)?;

    let mut hostile = Guest::open(&room, "Lutz Distelkamp", 2)?;
    hostile.evaluate(KEEP_SOCKETS)?;
    for (name, script) in ATTACKS {
        let result = hostile.evaluate(&attack(script))?;
        ensure!(
            result["closed"] == true,
            "{name}: the channel is still open: {result}"
        );
    }
    hostile.join()?;
    panel.admit_guest(&hostile.name)?;
    display_shows(&room, hostile.number)?;
    let flood = hostile.evaluate(FLOOD)?;
    ensure!(
        flood["closed"] == true,
        "a flood from inside the meeting goes on: {flood}"
    );
    display_shows(&room, honest.number)?;
    let mut vanishing = Guest::open(&room, "Mina Erlenbach", 3)?;
    vanishing.join()?;
    panel.admit_guest(&vanishing.name)?;
    display_shows(&room, vanishing.number)?;
    vanishing.browser.close_page("guest")?;
    room.wait("the vanished guest to be gone", |state| {
        (state.call.as_ref()?.participants.len() == 1).then_some(())
    })?;
    display_shows(&room, honest.number)?;
    let bad = room.state()?.statistics.bad_messages;
    ensure!(bad > 0, "bad messages are not counted");
    room.check_log(&[&honest.name, &hostile.name, &vanishing.name])?;
    Ok(Figures::from([("bad_messages", json!(bad))]))
}
