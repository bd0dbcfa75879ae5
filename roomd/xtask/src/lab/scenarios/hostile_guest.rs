// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Floods, garbage and vanishing guests are dropped alone.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};

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
    let attacks = [
        (
            "garbage",
            "for (const text of ['{', '[]', '\"x\"', '{\"type\":\"root\"}']) socket.send(text);",
        ),
        (
            "flood",
            "const hand = JSON.stringify({type: 'hand', raised: true});
            const more = () => { for (let i = 0; i < 200; i++, sent++) socket.send(hand);
                if (socket.readyState === 1) setTimeout(more, 5); }; more();",
        ),
        ("too large", "socket.send('x'.repeat(1 << 20));"),
    ];
    for (name, script) in attacks {
        let result = hostile.evaluate(&attack(script))?;
        ensure!(
            result["closed"] == true,
            "{name}: the channel is still open: {result}"
        );
    }
    hostile.join()?;
    panel.admit()?;
    display_shows(&room, hostile.number)?;
    hostile.browser.close_page("guest")?;
    room.wait(
        "the vanished guest to be gone",
        Duration::from_secs(60),
        |state| (state.call.as_ref()?.participants.len() == 1).then_some(()),
    )?;
    display_shows(&room, honest.number)?;
    let bad = room.state()?.statistics.bad_messages;
    ensure!(bad > 0, "bad messages are not counted");
    room.check_log(&[&honest.name, &hostile.name])?;
    Ok(Figures::from([("bad_messages", json!(bad))]))
}
