// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! From drawing a picture to its appearance on a screen, by the picture's own time code.
//!
//! Both receivers show it on an X server without a screen, where one and the same program looks for
//! it. Both keep to their usual jitter buffers.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::MEASURED;
use super::figures::Who;
use super::receiver::Far;
use crate::lab::browser::{Browser, Options};
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
    screen.look()
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
    screen.look()
}

/// An X server in memory.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn start(height: u32) -> Result<Self> {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", &format!("1920x{height}x24")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start Xvfb")?;
        let output = server.stdout.take().context("Xvfb has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let display = format!(":{}", line.trim());
        let screen = Self { server, display };
        ensure!(!line.trim().is_empty(), "Xvfb does not start");
        Ok(screen)
    }

    fn look(&self) -> Result<Vec<f64>> {
        let eye = Part::start(Profile::Release, &["eye", &self.display, "640", "360"])?;
        eye.hear("age_ms")?;
        std::thread::sleep(SETTLE);
        eye.heard("age_ms");
        std::thread::sleep(MEASURED);
        let ages = eye.heard("age_ms");
        ensure!(!ages.is_empty(), "the picture stands still");
        Ok(ages)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
