// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From pairing a tablet to leaving the meeting, in both languages, with an accessibility check.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use roomd_model::{Language, Phase};
use serde_json::json;

use crate::lab::guest::Guest;
use crate::lab::panel::{JOIN, Panel};
use crate::lab::picture::Picture;
use crate::lab::room::{Options, Room};
use crate::lab::{Figures, wait};

/// How a wrong code shows.
const BAD: &str = ".pairing-status.bad";
/// Where the display has the code, of its width and height: left, top, width and height.
const CODE: [f64; 4] = [0.775, 0.485, 0.17, 0.07];

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
    let codes = wait::until("a readable code on the display", || {
        room.snapshot(&path)?;
        let codes = read_codes(&path)?;
        Ok((!codes.is_empty()).then_some(codes))
    })?;
    let wrong = ["000000", "000001", "000002"]
        .into_iter()
        .find(|wrong| codes.iter().all(|code| code != wrong));
    type_code(panel, wrong.context("three codes are read")?)?;
    panel.wait_for(BAD)?;
    // A person who misread a digit looks again, and has a third try; so does the machine.
    for code in codes.iter().take(2) {
        type_code(panel, code)?;
        panel.wait_for(&format!("{JOIN}, {BAD}"))?;
        if paired(panel)? {
            break;
        }
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

/// What character recognition makes of the code in a picture of the display: looking at the code
/// alone, and at all of it.
fn read_codes(path: &Path) -> Result<Vec<String>> {
    let picture = Picture::read(path)?;
    let of = |share: f64, whole: usize| (share * whole as f64) as usize;
    let [left, top, width, height] = CODE;
    let part = [
        of(left, picture.width),
        of(top, picture.height),
        of(width, picture.width),
        of(height, picture.height),
    ];
    let close = path.with_extension("pgm");
    std::fs::write(&close, picture.negative(part))?;
    let digits = ["--psm", "7", "-c", "tessedit_char_whitelist=0123456789"];
    let mut codes = Vec::new();
    for (path, options) in [(&*close, &digits[..]), (path, &["--psm", "11"])] {
        let output = Command::new("tesseract")
            .arg(path)
            .arg("-")
            .args(options)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let digits =
            |line: &str| -> String { line.chars().filter(|c| !c.is_whitespace()).collect() };
        let is_code = |line: &String| line.len() == 6 && line.chars().all(|c| c.is_ascii_digit());
        let code = text.lines().map(digits).find(is_code);
        codes.extend(code.filter(|code| !codes.contains(code)));
    }
    Ok(codes)
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
