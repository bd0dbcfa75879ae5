// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From drawing a picture to its appearance on a screen, by the picture's own time code.
//!
//! Both receivers show it on an X server without a screen, where one and the same program looks for
//! it. Both keep to their usual jitter buffers.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::MEASURED;
use super::figures::Who;
use super::receiver::Far;
use crate::lab::browser::{Browser, Options};
use crate::lab::screen::Screen;
use crate::part::{Part, Profile};

/// The first pictures tell how a call begins, not how it goes on.
const SETTLE: Duration = Duration::from_secs(5);
/// Where the browser's window has its own controls, above the page.
const CONTROLS: u32 = 220;

/// The age of each picture when it appears, in milliseconds.
pub fn measure(who: Who, far: &Far) -> Result<Vec<f64>> {
    match who {
        Who::Chromium => chromium(far),
        Who::Room | Who::Limit(_) => room(far),
    }
}

fn room(far: &Far) -> Result<Vec<f64>> {
    let screen = Screen::start(1080)?;
    let arguments = ["room", &far.address, "1", &screen.display];
    let part = Part::start(Profile::Release, &arguments)?;
    part.hear("proved")?;
    look(&screen)
}

fn chromium(far: &Far) -> Result<Vec<f64>> {
    let height = 1080 + CONTROLS;
    let screen = Screen::start(height)?;
    let size = format!("--window-size=1920,{height}");
    let mut browser = Browser::launch(&Options {
        display: Some(&screen.display),
        arguments: &[&size, "--window-position=0,0"],
        ..Options::default()
    })?;
    let options = json!({ "viewport": null, "probe": false });
    browser.open("receiver", &format!("http://{}/", far.address), options)?;
    browser.evaluate("receiver", "receiver.join('live', 1)")?;
    look(&screen)
}

fn look(screen: &Screen) -> Result<Vec<f64>> {
    let eye = Part::start(Profile::Release, &["eye", &screen.display, "640", "360"])?;
    eye.hear("age_ms")?;
    std::thread::sleep(SETTLE);
    eye.heard("age_ms");
    std::thread::sleep(MEASURED);
    let ages = eye.heard("age_ms");
    ensure!(!ages.is_empty(), "the picture stands still");
    Ok(ages)
}
