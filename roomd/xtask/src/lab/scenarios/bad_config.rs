// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A wrong configuration is explained; a wrong reload keeps the last good one.

use std::process::Command;

use anyhow::{Result, ensure};
use roomd_model::FaultCode;
use serde_json::json;

use crate::lab::Figures;
use crate::lab::room::{NAME, Options, Room};
use crate::project;

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 3600,
        ..Options::default()
    })?;
    let good = std::fs::read_to_string(room.path("roomd.toml"))?;

    std::fs::write(room.path("bad.toml"), good.replace("name =", "nmae ="))?;
    let output = Command::new(project::binary("roomd"))
        .arg("check-config")
        .arg(room.path("bad.toml"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.code() == Some(2),
        "exit code {:?}: {text}",
        output.status.code()
    );
    ensure!(
        text.contains("bad.toml:2:1") && text.contains("^^^^"),
        "no line and caret: {text}"
    );

    let missing = room.path("no-token");
    let line = format!("[web]\nmetrics_token_file = \"{}\"", missing.display());
    std::fs::write(room.path("missing.toml"), good.replace("[web]", &line))?;
    let output = Command::new(project::binary("roomd"))
        .arg("check-config")
        .arg(room.path("missing.toml"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.code() == Some(2) && text.contains("no-token"),
        "a missing file is not named: {text}"
    );

    std::fs::write(room.path("roomd.toml"), good.replace("name =", "nmae ="))?;
    reload(&room)?;
    room.wait("the rejected configuration to be shown", |state| {
        let fault = state
            .faults
            .iter()
            .find(|f| f.code == FaultCode::ConfigRejected)?;
        (state.room.name == NAME && fault.detail.is_some()).then_some(())
    })?;
    std::fs::write(
        room.path("roomd.toml"),
        good.replace("Telefon 4711", "Telefon 4712"),
    )?;
    reload(&room)?;
    room.wait("the new configuration", |state| {
        let clean = state
            .faults
            .iter()
            .all(|f| f.code != FaultCode::ConfigRejected);
        (clean && state.room.support.as_deref() == Some("Telefon 4712")).then_some(())
    })?;
    room.check_log(&[])?;
    Ok(Figures::from([("exit_code", json!(2))]))
}

fn reload(room: &Room) -> Result<()> {
    Command::new("kill")
        .args(["-HUP", &room.pid()?.to_string()])
        .status()?;
    Ok(())
}
