// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Guests in Chromium who meet through LiveKit: bare, or in the call of a Matrix room as with Element
//! Call (kiosk/tests/meeting); many of them at once, without a browser; and Element Call itself. What
//! they show and say proves whose it is.

mod crowd;
mod embedded;
mod pages;
mod report;
mod tap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::browser::{Browser, Options};
use super::livekit::LiveKit;
use super::synapse::{Synapse, User};
use super::{media_files, wait};

pub use crowd::Crowd;
pub use embedded::EmbeddedGuest;
pub use pages::Pages;
pub use report::{Participant, Report, Track};
pub use tap::{Seen, Tap};

const PAGE: &str = "guest";
/// What the number in a shared screen has more than that in the camera's picture.
pub const SCREEN: u8 = 100;
/// A tone that is this loud is certainly there; it is sent ten times louder.
pub const PRESENT: f64 = 0.02;

/// A guest with a browser of its own.
pub struct CallGuest {
    /// The browser; open for what only one scenario does.
    pub browser: Browser,
    /// How the guest is called at the SFU.
    pub identity: String,
    /// The number in the guest's picture and the tone of the guest's sound.
    pub number: u8,
}

/// What a guest shows.
#[derive(Clone, Copy)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures a second.
    pub fps: u32,
}

impl Default for Picture {
    /// Large enough for two sizes, and easy on a machine that encodes and decodes for everybody.
    fn default() -> Self {
        Self {
            width: 640,
            height: 360,
            fps: 12,
        }
    }
}

/// How frames are encrypted at a bare SFU.
#[derive(Clone, Copy)]
pub enum Encryption<'a> {
    /// The server can read them.
    None,
    /// Everybody has the same passphrase.
    Passphrase(&'a str),
    /// Everybody has keys of their own, which [`CallGuest::set_key`] brings.
    Keys,
}

/// How a guest takes part in the call of a Matrix room.
#[derive(Clone, Copy, Default)]
pub struct Participation<'a> {
    /// The service before the SFU on which the guest publishes; else what the homeserver says.
    pub service: Option<&'a str>,
    /// The password of the room's link.
    pub password: Option<&'a str>,
    /// After how many milliseconds without a sign of life the homeserver ends the membership.
    pub leave_after: Option<u64>,
    /// What the guest shows.
    pub picture: Picture,
}

impl CallGuest {
    /// Joins a room of an SFU under this identity.
    pub fn at_livekit(
        pages: &Pages,
        livekit: &LiveKit,
        [room, identity]: [&str; 2],
        number: u8,
        encryption: Encryption<'_>,
    ) -> Result<Self> {
        let mut guest = Self::open(pages, "livekit", identity, number)?;
        let encryption = match encryption {
            Encryption::None => Value::Null,
            Encryption::Passphrase(passphrase) => json!({ "passphrase": passphrase }),
            Encryption::Keys => "keys".into(),
        };
        let token = livekit.token(room, identity)?;
        guest.call(&format!(
            "join({})",
            json!({
                "url": livekit.url(),
                "token": token,
                "signal": Signal { number, picture: Picture::default() }.told(),
                "encryption": encryption,
            })
        ))?;
        Ok(guest)
    }

    /// Joins the call of a Matrix room.
    pub fn in_room(
        pages: &Pages,
        homeserver: &Synapse,
        user: &User,
        room: &str,
        number: u8,
        participation: Participation<'_>,
    ) -> Result<Self> {
        let mut guest = Self::open(pages, "element-call", &user.sfu_identity(), number)?;
        let signal = Signal {
            number,
            picture: participation.picture,
        };
        let joining = joining(homeserver, user, room, signal, participation);
        guest.call(&format!("join({joining})"))?;
        Ok(guest)
    }

    fn open(pages: &Pages, page: &str, identity: &str, number: u8) -> Result<Self> {
        let mut browser = Browser::launch(&Options::default())?;
        browser.open(PAGE, &pages.url(page), json!({}))?;
        Ok(Self {
            browser,
            identity: identity.to_owned(),
            number,
        })
    }

    /// Sets the key of somebody's frames, one's own included.
    pub fn set_key(&mut self, identity: &str, index: u8, key: &str) -> Result<()> {
        let call = format!("setKey({}, {index}, {})", json!(identity), json!(key));
        self.call(&call).map(drop)
    }

    /// Mutes or unmutes `camera`, `microphone` or `screen_share`.
    pub fn mute(&mut self, source: &str, muted: bool) -> Result<()> {
        self.call(&format!("mute({}, {muted})", json!(source)))
            .map(drop)
    }

    /// Begins or ends sharing a screen.
    pub fn share(&mut self, on: bool) -> Result<()> {
        self.call(&format!("share({on})")).map(drop)
    }

    /// Raises or lowers the hand, in the call of a Matrix room.
    pub fn raise_hand(&mut self, raised: bool) -> Result<()> {
        self.call(&format!("raiseHand({raised})")).map(drop)
    }

    /// Every key of a member so far, in base64, in the call of a Matrix room.
    pub fn keys_of(&mut self, identity: &str) -> Result<Vec<String>> {
        let keys = self.call(&format!("keysOf({})", json!(identity)))?;
        serde_json::from_value(keys).context("the keys are told otherwise")
    }

    /// Begins to watch for pictures that stand still.
    pub fn watch_stills(&mut self) -> Result<()> {
        self.call("watchStills()").map(drop)
    }

    /// The longest time that somebody's picture stood still since then, in milliseconds.
    pub fn longest_still(&mut self, identity: &str, source: &str) -> Result<f64> {
        let call = format!("longestStill({}, {})", json!(identity), json!(source));
        self.call(&call)?.as_f64().context("there is no picture")
    }

    /// Leaves the call. Whoever is dropped without it has vanished.
    pub fn leave(&mut self) -> Result<()> {
        self.call("leave()").map(drop)
    }

    /// What the guest knows of the call.
    pub fn report(&mut self) -> Result<Report> {
        serde_json::from_value(self.call("report()")?).context("the report is otherwise")
    }

    /// What the guest knows of somebody else; nothing while that one is not there.
    pub fn participant(&mut self, identity: &str) -> Result<Option<Participant>> {
        let participants = self.report()?.participants;
        Ok(participants.into_iter().find(|p| p.identity == identity))
    }

    /// A track of somebody else; nothing while there is none.
    pub fn track(&mut self, identity: &str, source: &str) -> Result<Option<Track>> {
        let participant = self.participant(identity)?;
        let tracks = participant.into_iter().flat_map(|p| p.tracks);
        Ok(tracks.into_iter().find(|track| track.source == source))
    }

    /// Milliseconds and source in the time code of somebody's picture.
    pub fn time_code(&mut self, identity: &str, source: &str) -> Result<Option<(u64, u64)>> {
        let code = self.call(&format!("timeCode({}, {})", json!(identity), json!(source)))?;
        Ok(code["millis"].as_u64().zip(code["source"].as_u64()))
    }

    /// Waits until somebody's picture carries this number and moves.
    pub fn sees(&mut self, identity: &str, source: &str, number: u8) -> Result<()> {
        let what = format!("guest {} to see {identity}'s {source}", self.number);
        let mut first = None;
        wait::until(&what, || {
            let Some((millis, found)) = self.time_code(identity, source)? else {
                return Ok(None);
            };
            ensure!(found == u64::from(number), "it sees number {found}");
            let before = *first.get_or_insert(millis);
            Ok((before != millis).then_some(()))
        })
    }

    /// Waits until somebody's tone is heard.
    pub fn hears(&mut self, identity: &str, number: u8) -> Result<()> {
        let what = format!("guest {} to hear {identity}", self.number);
        wait::until(&what, || {
            Ok((self.tone(identity, number)? > PRESENT).then_some(()))
        })
    }

    /// How loud the tone of this number is in somebody's sound, 0 to 1.
    pub fn tone(&mut self, identity: &str, number: u8) -> Result<f64> {
        let hertz = media_files::tone_of(number);
        let level = self.call(&format!("toneLevel({}, {hertz})", json!(identity)))?;
        level.as_f64().context("the page gave no level")
    }

    /// Waits until it sees and hears somebody else, whose frames must be encrypted.
    pub fn receives(&mut self, identity: &str, number: u8) -> Result<()> {
        self.sees(identity, "camera", number)?;
        self.hears(identity, number)?;
        let found = self.participant(identity)?.context("the other is gone")?;
        let all = found.encrypted && found.tracks.iter().all(|track| track.encrypted);
        ensure!(all, "not encrypted: {found:?}");
        Ok(())
    }

    fn call(&mut self, call: &str) -> Result<Value> {
        self.browser.evaluate(PAGE, &format!("guest.{call}"))
    }
}

/// What a guest shows and says.
#[derive(Clone, Copy)]
struct Signal {
    number: u8,
    picture: Picture,
}

impl Signal {
    fn told(self) -> Value {
        let Self { number, picture } = self;
        json!({
            "number": number,
            "hertz": media_files::tone_of(number),
            "width": picture.width,
            "height": picture.height,
            "fps": picture.fps,
        })
    }
}

/// What a guest's page is told to join the call of a Matrix room.
fn joining(
    homeserver: &Synapse,
    user: &User,
    room: &str,
    signal: Signal,
    participation: Participation<'_>,
) -> Value {
    let mut joining = json!({
        "homeserver": homeserver.url(),
        "user": { "id": user.id, "device": user.device, "token": user.token },
        "room": room,
        "signal": signal.told(),
    });
    let Participation {
        service,
        password,
        leave_after,
        ..
    } = participation;
    for (name, value) in [
        ("service", service.map(Value::from)),
        ("password", password.map(Value::from)),
        ("leaveAfter", leave_after.map(Value::from)),
    ] {
        if let Some(value) = value {
            joining[name] = value;
        }
    }
    joining
}

/// Waits until both see and hear each other; what arrives must be encrypted.
pub fn meet(one: &mut CallGuest, other: &mut CallGuest) -> Result<()> {
    one.receives(&other.identity, other.number)?;
    other.receives(&one.identity, one.number)
}
