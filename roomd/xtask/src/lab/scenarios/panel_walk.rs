// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From pairing a tablet to leaving the meeting, in both languages, with an accessibility check.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use roomd_model::{Language, Phase};
use serde_json::json;

use crate::lab::guest::Guest;
use crate::lab::panel::{JOIN, Panel};
use crate::lab::room::{Options, Room};
use crate::lab::{Figures, wait};

/// How a wrong code shows.
const BAD: &str = ".pairing-status.bad";
/// Tesseract's page segmentation: sparse text, then one block of text.
const SEGMENTATION: [&str; 2] = ["11", "6"];

pub fn run() -> Result<Figures> {
    let room = Room::start(&Options {
        begins_in: 60,
        ..Options::default()
    })?;
    let mut panel = Panel::open_at(&room, &room.tablet_url())?;
    pair(&room, &mut panel)?;
    let mut checked = 0;
    panel.wait_for(JOIN)?;
    check(&mut panel, "idle", &mut checked)?;
    panel.touch("[data-testid=language-en]")?;
    room.wait("English", |state| {
        (state.room.language == Language::En).then_some(())
    })?;
    check(&mut panel, "idle in English", &mut checked)?;
    panel.touch("[data-testid=language-de]")?;

    let mut guest = Guest::open(&room, "Otto Perlbach", 1)?;
    guest.join()?;
    panel.join()?;
    panel.admit()?;
    check(&mut panel, "silent call", &mut checked)?;
    panel.send()?;
    room.wait("media both ways", |s| s.statistics.join_ms.map(drop))?;
    check(&mut panel, "call", &mut checked)?;
    panel.leave()?;
    guest.wait_for("[data-view=over-ended]")?;
    room.wait("the room to be idle", |state| {
        matches!(state.room.phase, Phase::Idle | Phase::Offered { .. }).then_some(())
    })?;
    check(&mut panel, "idle again", &mut checked)?;
    room.check_log(&[&guest.name])?;
    Ok(Figures::from([("views_checked", json!(checked))]))
}

/// Asks for a code, reads it off the display as a person does, and types it.
fn pair(room: &Room, panel: &mut Panel) -> Result<()> {
    panel.touch("[data-testid=pair-show]")?;
    let path = room.path("code.png");
    let code = wait::until("a readable code on the display", || {
        room.snapshot(&path)?;
        read_code(&path, SEGMENTATION[0])
    })?;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    type_code(panel, wrong)?;
    panel.wait_for(BAD)?;
    type_code(panel, &code)?;
    // A person who misread a digit looks again; so does the machine, in another way.
    panel.wait_for(&format!("{JOIN}, {BAD}"))?;
    if let (false, Some(code)) = (paired(panel)?, read_code(&path, SEGMENTATION[1])?) {
        type_code(panel, &code)?;
    }
    Ok(())
}

fn paired(panel: &mut Panel) -> Result<bool> {
    let found = panel
        .browser
        .evaluate("panel", &format!("!!document.querySelector('{JOIN}')"))?;
    Ok(found == true)
}

fn type_code(panel: &mut Panel, code: &str) -> Result<()> {
    for digit in code.chars() {
        panel.touch(&format!("[data-testid=pair-key-{digit}]"))?;
    }
    Ok(())
}

/// The six digits in a picture of the display, by optical character recognition.
fn read_code(path: &Path, segmentation: &str) -> Result<Option<String>> {
    let output = Command::new("tesseract")
        .arg(path)
        .args(["-", "--psm", segmentation])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let digits = |line: &str| -> String { line.chars().filter(|c| !c.is_whitespace()).collect() };
    let is_code = |line: &String| line.len() == 6 && line.chars().all(|c| c.is_ascii_digit());
    Ok(text.lines().map(digits).find(is_code))
}

fn check(panel: &mut Panel, view: &str, checked: &mut u32) -> Result<()> {
    let violations = panel.browser.accessibility("panel")?;
    ensure!(
        violations.is_empty(),
        "{view}: {}",
        serde_json::to_string_pretty(&violations)?
    );
    *checked += 1;
    Ok(())
}
