// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One receiver of so many pictures, from joining to sending its own.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::figures::Who;
use super::{MEASURED, cost};
use crate::lab::browser::{Browser, Options};
use crate::lab::picture::Picture;
use crate::lab::wait;
use crate::part::{self, Part, Profile};
use crate::project;

const PAGE: &str = "receiver";
/// The layers of the receiver's own picture.
const LAYERS: [&str; 3] = ["l", "m", "h"];
/// A layer flows when so many pictures of it came in a second.
const FLOWS: f64 = 20.0;
/// A layer that does not flow by then will not; what was sent stands in the report.
const RAMP: Duration = Duration::from_secs(25);
/// What follows a change is no part of what is measured.
const SETTLE: Duration = Duration::from_secs(2);

/// The far end.
pub struct Far {
    #[expect(dead_code, reason = "runs until dropped")]
    part: Part,
    /// Where it listens.
    pub address: String,
    /// What one picture stream takes.
    pub bits_per_second: f64,
}

impl Far {
    /// Starts it; it makes its pictures first.
    pub fn start() -> Result<Self> {
        project::say("drawing and encoding the pictures");
        let part = Part::start(Profile::Release, &["far"])?;
        let bits = part.hear("bits_per_second")?;
        let address = part.hear("address")?;
        Ok(Self {
            part,
            address: address.as_str().context("no address")?.to_owned(),
            bits_per_second: bits.as_f64().context("no rate")?,
        })
    }

    /// Pictures of each layer that came so far.
    fn counts(&self) -> Result<[f64; 3]> {
        let counts = part::get(&self.address, "/counts")?;
        Ok(LAYERS.map(|layer| counts[layer].as_f64().unwrap_or_default()))
    }

    /// Where pictures are shown: left, top, width, height.
    fn places(&self, streams: u32) -> Result<Vec<[usize; 4]>> {
        let places = part::get(&self.address, &format!("/places/{streams}"))?;
        Ok(serde_json::from_value(places)?)
    }
}

/// What was measured of one receiver.
pub struct Sample {
    /// From the button to all pictures, in milliseconds.
    pub joined: f64,
    /// Processor time while it receives, in per cent of a core.
    pub receiving: f64,
    /// The same while it also sends its own picture.
    pub both: f64,
    /// In megabytes, while it does both.
    pub memory: f64,
    /// Pictures a second of the layer that was sent the least.
    pub sent: f64,
    /// Pictures a second of the stream that was shown the least.
    pub shown: f64,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "joined in {:.0} ms; {:.1} % of a core, {:.1} % while sending; {:.0} MB; sent {:.1}, \
             shown {:.1} pictures a second",
            self.joined, self.receiving, self.both, self.memory, self.sent, self.shown
        )
    }
}

/// Measures one receiver.
pub fn measure(who: Who, far: &Far, streams: u32, camera: &Path) -> Result<Sample> {
    match who {
        Who::Chromium => run(Chromium::join(far, streams, camera)?, far),
        Who::Room | Who::Limit(_) => run(Room::join(far, streams)?, far),
    }
}

/// What both receivers can do.
trait Receiver {
    /// How long joining took, in milliseconds.
    fn joined(&self) -> f64;
    fn processes(&self) -> Result<Vec<u32>>;
    /// Sends its own picture.
    fn send(&mut self) -> Result<()>;
    /// Pictures that each stream has shown so far, the least of them.
    fn shown(&mut self) -> Result<f64>;
}

fn run(mut receiver: impl Receiver, far: &Far) -> Result<Sample> {
    std::thread::sleep(SETTLE);
    let receiving = cost::cpu(|| receiver.processes(), MEASURED)?;
    receiver.send()?;
    ramp(far)?;
    std::thread::sleep(SETTLE);
    let shown = receiver.shown()?;
    let (begun, sent) = (Instant::now(), far.counts()?);
    let both = cost::cpu(|| receiver.processes(), MEASURED)?;
    let (seconds, now) = (begun.elapsed().as_secs_f64(), far.counts()?);
    let shown = receiver.shown()? - shown;
    let shown = shown / begun.elapsed().as_secs_f64();
    let rates = [0, 1, 2].map(|layer| (now[layer] - sent[layer]) / seconds);
    Ok(Sample {
        joined: receiver.joined(),
        receiving,
        both,
        memory: cost::memory(&receiver.processes()?),
        sent: rates.into_iter().fold(f64::MAX, f64::min),
        shown,
    })
}

/// Waits until every layer is sent: estimates of the bandwidth begin low.
fn ramp(far: &Far) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < RAMP {
        let before = far.counts()?;
        std::thread::sleep(Duration::from_secs(1));
        let now = far.counts()?;
        if (0..3).all(|layer| now[layer] - before[layer] >= FLOWS) {
            break;
        }
    }
    Ok(())
}

struct Room {
    part: Part,
    joined: f64,
}

impl Room {
    fn join(far: &Far, streams: u32) -> Result<Self> {
        let count = streams.to_string();
        let part = Part::start(Profile::Release, &["room", &far.address, &count])?;
        let joined = part.hear("join_ms")?.as_f64().context("no time")?;
        part.hear("proved")?;
        Ok(Self { part, joined })
    }
}

impl Receiver for Room {
    fn joined(&self) -> f64 {
        self.joined
    }

    fn processes(&self) -> Result<Vec<u32>> {
        Ok(vec![self.part.pid()])
    }

    fn send(&mut self) -> Result<()> {
        self.part.say("send")
    }

    fn shown(&mut self) -> Result<f64> {
        self.part.say("shown")?;
        self.part.hear("shown")?.as_f64().context("no count")
    }
}

struct Chromium {
    browser: Browser,
    joined: f64,
}

impl Chromium {
    fn join(far: &Far, streams: u32, camera: &Path) -> Result<Self> {
        let mut browser = Browser::launch(&Options {
            video: Some(camera),
            arguments: &["--window-size=1920,1080"],
            ..Options::default()
        })?;
        // Without what tests put into their pages.
        let options = json!({ "viewport": { "width": 1920, "height": 1080 }, "probe": false });
        browser.open(PAGE, &format!("http://{}/", far.address), options)?;
        let joined = browser.evaluate(PAGE, &format!("receiver.join('clips', {streams})"))?;
        let joined = joined.as_f64().context("no time")?;
        prove(&mut browser, &far.places(streams)?)?;
        Ok(Self { browser, joined })
    }
}

impl Receiver for Chromium {
    fn joined(&self) -> f64 {
        self.joined
    }

    fn processes(&self) -> Result<Vec<u32>> {
        self.browser.processes()
    }

    fn send(&mut self) -> Result<()> {
        self.browser.evaluate(PAGE, "receiver.send()").map(drop)
    }

    fn shown(&mut self) -> Result<f64> {
        let shown = self.browser.evaluate(PAGE, "receiver.shown()")?;
        shown.as_f64().context("no count")
    }
}

/// Every tile of the page shows its own picture, and the pictures move.
fn prove(browser: &mut Browser, places: &[[usize; 4]]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("page.png");
    let look = |browser: &mut Browser| -> Result<Vec<Option<u64>>> {
        browser.screenshot(PAGE, &path)?;
        let picture = Picture::read(&path)?;
        ensure!(
            (picture.width, picture.height) == (1920, 1080),
            "the page is {} by {} pixels",
            picture.width,
            picture.height
        );
        let codes = places.iter().zip(1..).map(|(place, source)| {
            let code = picture.time_code(*place)?;
            (code.source == source).then_some(code.millis)
        });
        Ok(codes.collect())
    };
    let first = wait::until("every picture in Chromium", || {
        let codes = look(browser)?;
        Ok((!codes.contains(&None)).then_some(codes))
    })?;
    wait::until("moving pictures in Chromium", || {
        let codes = look(browser)?;
        let moved = codes
            .iter()
            .zip(&first)
            .all(|(now, first)| now.is_some() && now != first);
        Ok(moved.then_some(()))
    })
}
