// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The touch panel in a browser, wired to the room.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::browser::{Browser, Options};
use super::room::Room;

const PAGE: &str = "panel";

/// A panel with a browser of its own.
pub struct Panel {
    /// The browser; open for what only one scenario does.
    pub browser: Browser,
}

impl Panel {
    /// Opens the wired panel.
    pub fn open(room: &Room) -> Result<Self> {
        Self::open_at(room, &room.panel_url()?)
    }

    /// Opens a panel at an address: wired, or a tablet that is not paired yet.
    pub fn open_at(room: &Room, url: &str) -> Result<Self> {
        let pin = room.pin()?;
        let mut browser = Browser::launch(&Options {
            pinned_key: &pin,
            ..Options::default()
        })?;
        let view = json!({ "viewport": { "width": 1280, "height": 800 }, "locale": "de-DE" });
        browser.open(PAGE, url, view)?;
        Ok(Self { browser })
    }

    /// Touches what the selector names, once it can be touched.
    pub fn touch(&mut self, selector: &str) -> Result<()> {
        self.browser.click(PAGE, selector)
    }

    /// Types into a field.
    pub fn fill(&mut self, selector: &str, text: &str) -> Result<()> {
        self.browser.fill(PAGE, selector, text)
    }

    /// Waits until what the selector names is visible.
    pub fn wait_for(&mut self, selector: &str) -> Result<()> {
        self.browser.wait_for(PAGE, selector)
    }

    /// Writes what the panel shows.
    pub fn screenshot(&mut self, path: &Path) -> Result<()> {
        self.browser.screenshot(PAGE, path)
    }

    /// Joins the offered meeting.
    pub fn join(&mut self) -> Result<()> {
        self.touch(JOIN)
    }

    /// Presses the one button that sends.
    pub fn send(&mut self) -> Result<()> {
        self.touch(SEND)
    }

    /// Admits this guest, whoever else waits.
    pub fn admit_guest(&mut self, name: &str) -> Result<()> {
        self.touch(&format!("{ADMIT}[aria-label^=\"{name}\"]"))
    }

    /// Admits whoever waits first.
    pub fn admit(&mut self) -> Result<()> {
        self.touch(ADMIT)
    }

    /// Leaves, and confirms it.
    pub fn leave(&mut self) -> Result<()> {
        self.touch(LEAVE)?;
        self.touch(CONFIRM)
    }
}

/// The button that joins the offered meeting.
pub const JOIN: &str = "[data-testid=join-offered]";
/// The button that sends picture and sound.
pub const SEND: &str = "[data-testid=send]";
/// The button that admits the first who waits.
pub const ADMIT: &str = "[data-testid=admit]";
/// The button that leaves.
pub const LEAVE: &str = "[data-testid=leave]";
/// The button that confirms.
pub const CONFIRM: &str = "[data-testid=leave-confirm]";
/// The camera's switch.
pub const CAMERA: &str = "[data-testid=camera]";
/// The microphone's switch.
pub const MICROPHONE: &str = "[data-testid=microphone]";
