// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The published Element Call, hosted as a widget by a page that is a Matrix client. Its camera and
//! microphone are files, and what it shows is read from its page.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::report::Member;
use super::{PAGE, PRESENT, Pages};
use crate::lab::browser::{Browser, Options};
use crate::lab::synapse::{Synapse, User};
use crate::lab::{media_files, wait};

/// Few pictures a second are easy on a machine that encodes and decodes for everybody.
const FPS: u32 = 12;

/// Somebody with Element Call, in a browser of their own.
pub struct EmbeddedGuest {
    /// The browser; open for what only one scenario does.
    pub browser: Browser,
    /// How this guest is called at the SFU.
    pub identity: String,
    /// The number in the picture of the camera and the tone of the microphone.
    pub number: u8,
}

/// What Element Call says and shows.
#[derive(Debug, Deserialize)]
pub struct Shown {
    /// It told its host that it takes part.
    pub joined: bool,
    /// What it asked its host for, and got.
    pub capabilities: Vec<String>,
    /// Who is in the call by the room's word, as its host reads it.
    pub members: Vec<Member>,
    /// The lock beside the meeting's name is closed; nothing where there is none.
    pub locked: Option<bool>,
    /// How many take part, in words; nothing where that is not shown.
    pub count: Option<String>,
    /// The tiles, one's own included.
    pub tiles: Vec<Tile>,
    /// All words on the page.
    pub words: String,
}

/// Somebody's picture, or the place for it.
#[derive(Debug, Deserialize)]
pub struct Tile {
    /// As the tile is labelled; small ones are not.
    pub name: Option<String>,
    /// One's own.
    pub local: bool,
    /// `camera` or `screen_share`; nothing without a picture.
    pub source: Option<String>,
    /// What the picture carries.
    pub code: Option<Code>,
    /// Of the picture, in pixels.
    pub width: u32,
    /// Of the picture, in pixels.
    pub height: u32,
    /// It is marked as not encrypted.
    pub warns: bool,
}

/// A picture's time code.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Code {
    /// When it was drawn, by a clock of the sender's own.
    pub millis: u64,
    /// The sender's number.
    pub source: u8,
}

impl EmbeddedGuest {
    /// Opens Element Call in a Matrix room, where it joins the call with camera and microphone.
    pub fn join(
        pages: &Pages,
        homeserver: &Synapse,
        user: &User,
        room: &str,
        number: u8,
        password: Option<&str>,
    ) -> Result<Self> {
        let (video, audio) = (
            media_files::video_at(number, FPS)?,
            media_files::audio(number)?,
        );
        let mut browser = Browser::launch(&Options {
            video: Some(&video),
            audio: Some(&audio),
            ..Options::default()
        })?;
        browser.open(PAGE, &pages.url("widget-host"), json!({}))?;
        let mut guest = Self {
            browser,
            identity: user.sfu_identity(),
            number,
        };
        let mut joining = json!({
            "homeserver": homeserver.url(),
            "user": { "id": user.id, "device": user.device, "token": user.token },
            "room": room,
        });
        if let Some(password) = password {
            joining["password"] = password.into();
        }
        guest.call(&format!("join({joining})"))?;
        guest.until("to take part", |shown, identity| {
            shown.joined && shown.members.iter().any(|it| it.identity == identity)
        })?;
        Ok(guest)
    }

    /// Hangs up as the button of the host does, and closes Element Call.
    pub fn leave(&mut self) -> Result<()> {
        self.call("leave()").map(drop)
    }

    /// What Element Call says and shows.
    pub fn report(&mut self) -> Result<Shown> {
        serde_json::from_value(self.call("report()")?).context("the report is otherwise")
    }

    /// Waits until a picture of somebody else carries this number and moves.
    pub fn sees(&mut self, number: u8) -> Result<()> {
        let mut first = None;
        self.until(&format!("to show number {number}"), |shown, _| {
            let Some(tile) = shown.tile_of(number) else {
                return false;
            };
            let millis = tile.code.map(|code| code.millis);
            *first.get_or_insert(millis) != millis
        })
    }

    /// Waits until somebody's tone is played.
    pub fn hears(&mut self, number: u8) -> Result<()> {
        self.hears_tone(media_files::tone_of(number), PRESENT)
    }

    /// Waits until a tone of so many hertz is played louder than this, of 1.
    pub fn hears_tone(&mut self, hertz: f64, than: f64) -> Result<()> {
        let what = format!("Element Call to play {hertz} Hz");
        wait::until(&what, || {
            let level = self.call(&format!("toneLevel({hertz})"))?;
            let level = level.as_f64().context("the page gave no level")?;
            Ok((level > than).then_some(()))
        })
    }

    /// The call is shown as encrypted, and no tile is marked as not encrypted.
    pub fn shows_encryption(&mut self) -> Result<()> {
        let shown = self.report()?;
        ensure!(shown.locked == Some(true), "the lock is {:?}", shown.locked);
        ensure!(
            shown.tiles.iter().all(|tile| !tile.warns),
            "not encrypted: {:?}",
            shown.tiles
        );
        Ok(())
    }

    /// Waits for what it says and shows; when that does not come, says what is shown instead.
    pub fn until(&mut self, what: &str, mut is: impl FnMut(&Shown, &str) -> bool) -> Result<()> {
        let mut instead = None;
        let reached = wait::until(&format!("Element Call {what}"), || {
            let shown = self.report()?;
            let reached = is(&shown, &self.identity).then_some(());
            instead = Some(format!("{:?}, and says: {}", shown.tiles, shown.words));
            Ok(reached)
        });
        reached.with_context(|| format!("Element Call shows {instead:?}"))
    }

    fn call(&mut self, call: &str) -> Result<Value> {
        self.browser.evaluate(PAGE, &format!("guest.{call}"))
    }
}

impl Shown {
    /// The tile with the picture of somebody else that carries this number.
    pub fn tile_of(&self, number: u8) -> Option<&Tile> {
        self.tiles
            .iter()
            .find(|tile| !tile.local && tile.code.is_some_and(|code| code.source == number))
    }
}
