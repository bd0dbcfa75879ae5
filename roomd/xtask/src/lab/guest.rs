// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A guest in a browser, on the page that roomd serves.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::browser::{Browser, Options};
use super::room::Room;
use super::{media_files, wait};

const PAGE: &str = "guest";
/// The room's own participant id.
pub const ROOM: &str = "room";

/// A guest with a browser of its own.
pub struct Guest {
    /// The browser; open for what only one scenario does.
    pub browser: Browser,
    /// The name the guest gives.
    pub name: String,
    /// The number in the guest's picture and the tone of the guest's sound.
    pub number: u8,
}

impl Guest {
    /// Opens the meeting's page; does not join yet.
    pub fn open(room: &Room, name: &str, number: u8) -> Result<Self> {
        Self::open_with(room, name, number, Options::default())
    }

    /// The same in a browser that is otherwise than usual.
    pub fn open_with(room: &Room, name: &str, number: u8, options: Options<'_>) -> Result<Self> {
        Self::at(&room.guest_url(), &room.pin()?, name, number, options)
    }

    /// The same at an address whose server has this key.
    pub fn at(url: &str, pin: &str, name: &str, number: u8, options: Options<'_>) -> Result<Self> {
        let (video, audio) = (media_files::video(number)?, media_files::audio(number)?);
        let mut browser = Browser::launch(&Options {
            pinned_key: pin,
            video: options.video.or(Some(&video)),
            audio: Some(&audio),
            ..options
        })?;
        let view = json!({ "viewport": { "width": 1280, "height": 800 }, "locale": "de-DE" });
        browser.open(PAGE, url, view)?;
        Ok(Self {
            browser,
            name: name.to_owned(),
            number,
        })
    }

    /// Gives the name and presses the join button.
    pub fn join(&mut self) -> Result<()> {
        self.browser.wait_for(PAGE, "#name")?;
        self.browser.fill(PAGE, "#name", &self.name)?;
        self.browser.click(PAGE, "[data-action=join]")
    }

    /// Touches what the selector names.
    pub fn click(&mut self, selector: &str) -> Result<()> {
        self.browser.click(PAGE, selector)
    }

    /// Waits until what the selector names is visible.
    pub fn wait_for(&mut self, selector: &str) -> Result<()> {
        self.browser.wait_for(PAGE, selector)
    }

    /// Evaluates JavaScript in the page.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        self.browser.evaluate(PAGE, expression)
    }

    /// Writes what the page shows.
    pub fn screenshot(&mut self, path: &Path) -> Result<()> {
        self.browser.screenshot(PAGE, path)
    }

    /// Reads the time code in a participant's picture: milliseconds and source. The room's code
    /// stands at the lower edge, a guest's above where names are shown.
    pub fn time_code(&mut self, participant: &str, kind: &str) -> Result<Option<(u64, u64)>> {
        let part = if participant == ROOM { "1" } else { "5 / 6" };
        let code = self.evaluate(&format!(
            "(() => {{
                const video = document.querySelector(
                    'video[data-participant=\"{participant}\"][data-kind=\"{kind}\"]');
                if (!video?.videoWidth) return null;
                const area = {{ width: video.videoWidth, height: video.videoHeight * {part} }};
                return roomdProbe.readTimecode(video, area);
            }})()"
        ))?;
        let (Some(millis), Some(source)) = (code["millis"].as_u64(), code["source"].as_u64())
        else {
            return Ok(None);
        };
        Ok(Some((millis, source)))
    }

    /// Waits until a participant's picture arrives and moves, and gives its source number.
    pub fn sees(&mut self, participant: &str, kind: &str) -> Result<u64> {
        let mut first = None;
        wait::until("a moving picture with a time code", || {
            let Some((millis, source)) = self.time_code(participant, kind)? else {
                return Ok(None);
            };
            let before = *first.get_or_insert(millis);
            Ok((before != millis).then_some(source))
        })
    }

    /// How loud a tone is in what the page plays of a participant, 0 to 1.
    pub fn hears(&mut self, participant: &str, hertz: f64) -> Result<f64> {
        let heard = self.evaluate(&format!(
            "roomdProbe.dominantTone(
                document.querySelector('audio[data-participant=\"{participant}\"]'), {hertz}, 600)"
        ))?;
        heard["level"].as_f64().context("the probe gave no level")
    }

    /// RTP packets that arrived from everybody so far: sound, picture.
    pub fn packets_received(&mut self) -> Result<(u64, u64)> {
        let connections = self.evaluate("roomdProbe.inboundStats()")?;
        let (mut audio, mut video) = (0, 0);
        for connection in connections
            .as_array()
            .context("the probe gave no figures")?
        {
            for stream in connection["inbound"].as_array().into_iter().flatten() {
                let packets = stream["packetsReceived"].as_u64().unwrap_or_default();
                match stream["kind"].as_str() {
                    Some("audio") => audio += packets,
                    _ => video += packets,
                }
            }
        }
        Ok((audio, video))
    }
}
