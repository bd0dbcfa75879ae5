// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A guest whose certificate does not match the announced fingerprint gets and gives nothing.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use super::direct_call::{display_shows, start_call};
use crate::lab::Figures;
use crate::lab::guest::Guest;
use crate::lab::panel::Panel;
use crate::lab::room::{Options, Room};

/// Announces a certificate that the browser does not have.
const LIE: &str = "(() => {
    const real = WebSocket.prototype.send;
    WebSocket.prototype.send = function (text) {
        const lie = (_, sum) => 'a=fingerprint:sha-256 '
            + sum.split(':').reverse().join(':');
        real.call(this, text.replace(/a=fingerprint:sha-256 ([0-9A-F:]+)/g, lie));
    };
})()";

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open(&room)?;
    let mut honest = Guest::open(&room, "Ida Steinbrueck", 1)?;
    honest.join()?;
    start_call(&room, &mut panel)?;
    display_shows(&room, honest.number)?;

    let mut liar = Guest::open(&room, "Jost Nebelung", 2)?;
    liar.evaluate(LIE)?;
    liar.join()?;
    panel.admit_guest(&liar.name)?;
    let begun = Instant::now();
    let mut worst = (0, 0);
    while begun.elapsed() < Duration::from_secs(8) {
        worst = worst.max(liar.packets_received()?);
        let path = room.path("liar.png");
        let shown = crate::lab::picture::find_time_code(&room.snapshot(&path)?, liar.number);
        ensure!(
            shown.is_none(),
            "the display shows a guest whose certificate does not match"
        );
    }
    ensure!(
        worst == (0, 0),
        "media reached an unverified guest: {worst:?}"
    );
    room.wait("the fault to be shown", |state| {
        let shown = |f: &&roomd_model::Fault| f.code == roomd_model::FaultCode::PeerNotVerified;
        state.faults.iter().find(shown).map(|_| ())
    })?;
    display_shows(&room, honest.number)?;
    panel.leave()?;
    room.wait("the fault to be gone with the call", |state| {
        let shown = |f: &roomd_model::Fault| f.code == roomd_model::FaultCode::PeerNotVerified;
        (state.call.is_none() && !state.faults.iter().any(shown)).then_some(())
    })?;
    room.check_log(&[&honest.name, &liar.name])?;
    Ok(Figures::from([(
        "packets_to_unverified",
        json!(worst.0 + worst.1),
    )]))
}
