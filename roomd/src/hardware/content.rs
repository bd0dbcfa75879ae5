// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The content inputs: the shell around the machine that decides. Devices are asked beside the hardware
//! task, which never waits for one; previews are taken of what the engine has open.

use std::time::{Duration, Instant};

use roomd_api::{ContentInput, ContentShare, ContentSignal, Refusal};
use roomd_devices::content::{self, Asked};
use roomd_devices::core::content::inputs::ContentInputs;
use roomd_devices::core::content::port::{Ask, Goal, Refused, Run, Share, Shown};
use roomd_devices::core::content::signal::{Picture, Signal};
use roomd_devices::core::content::timings::{Answer, Report};
use roomd_devices::core::device::{Kind, Properties};
use roomd_devices::core::identity::DeviceId;
use roomd_devices::core::inventory::{Entry, Event, Inventory, Role, Roles};
use roomd_interfaces::{PreviewError, PreviewRequest};
use roomd_media::{CameraSource, ContentPicture, ContentRun, Engine, EngineCommand};
use roomd_model::Crop;
use tokio::sync::mpsc;

/// How long whoever looks waits for the first picture: a device opens in a second or two.
const FIRST_PICTURE: Duration = Duration::from_secs(4);
/// How often the engine is asked for it.
const AGAIN: Duration = Duration::from_millis(100);

/// How an input without a device is opened: it shows the test picture.
const TEST: &str = "/dev/test-picture";

/// A content input of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedContent {
    /// Its name.
    pub name: String,
    /// It has no device and shows the test picture.
    pub test: bool,
}

/// What the room task tells of content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentFacts {
    /// The call that carries content, by its session; none without one.
    pub call: Option<u32>,
    /// What the engine's source gives.
    pub picture: ContentPicture,
}

/// What is asked of the content inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentOrder {
    /// Share this input.
    Share(String),
    /// End sharing.
    Stop,
    /// Let the picture stand, or move.
    Freeze(bool),
    /// Share this part of an input.
    Crop(String, Crop),
}

/// A device has said how it is.
#[derive(Debug)]
pub struct Answered {
    id: DeviceId,
    arrivals: u64,
    /// Whether it has an EDID, where it was to get one.
    edid: Option<bool>,
    report: Option<Report>,
}

/// All content inputs of the room.
#[derive(Debug)]
pub struct Content {
    inputs: ContentInputs,
    /// Those without a device.
    tests: Vec<Entry>,
    /// What the engine was told.
    told: roomd_media::ContentInput,
    answers: mpsc::Sender<Answered>,
    /// The call that carries content.
    call: Option<u32>,
}

impl Content {
    /// Inputs with the names of the configuration.
    pub fn new(named: Vec<NamedContent>, answers: mpsc::Sender<Answered>) -> Self {
        let tests = named.iter().filter(|input| input.test);
        Self {
            tests: tests.filter_map(|input| test_entry(&input.name)).collect(),
            inputs: ContentInputs::new(named.into_iter().map(|input| input.name).collect()),
            told: roomd_media::ContentInput::default(),
            answers,
            call: None,
        }
    }

    /// Takes what is plugged in.
    pub fn refresh(&mut self, entries: &[Entry]) {
        let entries = entries.iter().chain(&self.tests);
        self.inputs.refresh(entries, Instant::now());
    }

    /// Takes what the room task tells.
    pub fn follow(&mut self, facts: ContentFacts) {
        let now = Instant::now();
        self.call = facts.call;
        self.inputs.room(facts.call, now);
        self.inputs.sent(picture(facts.picture), now);
    }

    /// Takes what a device said.
    pub fn answered(&mut self, answered: &Answered) {
        let Answered {
            id,
            arrivals,
            edid,
            report,
        } = answered;
        if let Some(done) = *edid {
            self.inputs.gave_edid(id, *arrivals, done);
        }
        self.inputs.answered(id, *arrivals, *report, Instant::now());
    }

    /// Does what is asked for.
    pub fn order(&mut self, order: ContentOrder) -> Result<(), Refusal> {
        let now = Instant::now();
        let done = match order {
            ContentOrder::Share(name) => self.inputs.share(&name, now),
            ContentOrder::Stop => {
                self.inputs.stop(now);
                Ok(())
            }
            ContentOrder::Freeze(frozen) => self.inputs.freeze(frozen, now),
            ContentOrder::Crop(name, crop) => self.inputs.crop(&name, crop),
        };
        done.map_err(refusal)
    }

    /// Somebody looks at an input. Call [`Self::settle`] afterwards, then answer with [`preview`].
    pub fn look(&mut self, name: &str) -> Result<(), PreviewError> {
        let now = Instant::now();
        let looked = self.inputs.look(name, now);
        looked.map_err(|refused| match refused {
            Refused::NotNow => PreviewError::InUse,
            Refused::Unknown | Refused::NoPicture | Refused::Protected | Refused::NoPart => {
                PreviewError::Unknown
            }
        })?;
        let shown = self.inputs.shown(now);
        let input = shown.iter().find(|input| input.name == name);
        let shows = input.is_some_and(|input| input.signal.is_usable() || input.frozen);
        shows.then_some(()).ok_or(PreviewError::NoPicture)
    }

    /// Time has passed: asks the devices that are due, and tells the engine what is new.
    pub async fn settle(&mut self, engine: &Engine) {
        let now = Instant::now();
        self.inputs.handle_timeout(now);
        while let Some(ask) = self.inputs.poll_ask(now) {
            let answers = self.answers.clone();
            tokio::spawn(async move {
                let asked = asked(&ask).await;
                let edid = asked.map(|asked| !asked.without_edid);
                let answered = Answered {
                    edid: edid.filter(|_| ask.edid),
                    id: ask.id,
                    arrivals: ask.arrivals,
                    report: asked.map(|asked| asked.report),
                };
                // Nobody is left to tell when the daemon ends.
                let _ = answers.send(answered).await;
            });
        }
        let input = wanted(self.inputs.goal(now));
        if input != self.told {
            tracing::debug!(?input, "content");
            self.told = input.clone();
            engine.command(EngineCommand::ContentInput(input)).await;
        }
    }

    /// When [`Self::settle`] has something to do.
    pub fn poll_timeout(&self) -> Option<tokio::time::Instant> {
        let (at, _) = self.inputs.poll_timeout(Instant::now())?;
        Some(at.into())
    }

    /// The call in which an input is on the wire.
    pub fn shared_in(&self) -> Option<u32> {
        let shared = self.inputs.goal(Instant::now()).shared;
        self.call.filter(|_| shared)
    }

    /// The signal of what is shared is lost.
    pub fn is_lost(&self) -> bool {
        let now = Instant::now();
        let Some((name, Share::Held | Share::Paused | Share::Ended)) = self.inputs.shared(now)
        else {
            return false;
        };
        let shown = self.inputs.shown(now);
        let signal = shown.iter().find(|it| it.name == name).map(|it| it.signal);
        // Of these the health view says what it is, and no cable helps.
        !matches!(signal, Some(Signal::Protected | Signal::OutOfRange))
    }

    /// The inputs as the machine shows them.
    pub fn all(&self) -> Vec<Shown> {
        self.inputs.shown(Instant::now())
    }

    /// The inputs as a panel shows them.
    pub fn shown(&self) -> Vec<ContentInput> {
        self.all().into_iter().map(shown).collect()
    }
}

async fn asked(ask: &Ask) -> Option<Asked> {
    if ask.node == TEST {
        let report = Report {
            receiver: false,
            answer: Answer::Silent,
        };
        return Some(Asked {
            report,
            without_edid: false,
        });
    }
    let asked = content::ask(ask).await;
    asked
        .map_err(anyhow::Error::new)
        .inspect_err(|error| {
            // Once is enough.
            if !ask.again {
                tracing::info!(id = %ask.id, "not asked: {error:#}");
            }
        })
        .ok()
}

/// An input without a device, as if it were plugged in.
fn test_entry(name: &str) -> Option<Entry> {
    let place = format!("test-picture-{name}");
    let id = DeviceId::at(&place);
    let mut roles = Roles::default();
    let role = Role::Content(name.to_owned());
    roles.give(role, &id.to_string()).ok()?;
    let values = [("DEVNAME", TEST), ("ID_PATH", &place)];
    let values = values.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let properties = Properties {
        path: "/test-picture/video0".to_owned(),
        subsystem: Kind::Camera.subsystem().to_owned(),
        values: values.into(),
    };
    let mut inventory = Inventory::new(roles);
    inventory.handle(Event::Added(properties), Instant::now());
    inventory.usable().next().cloned()
}

/// Answers whoever looks, as soon as there is a picture.
pub fn preview(engine: Engine, request: PreviewRequest) {
    tokio::spawn(async move {
        let until = tokio::time::Instant::now() + FIRST_PICTURE;
        let picture = loop {
            match engine.content_thumbnail().await {
                Ok(Some(picture)) => break Ok(picture),
                Err(_) => break Err(PreviewError::Busy),
                Ok(None) if tokio::time::Instant::now() >= until || request.reply.is_closed() => {
                    break Err(PreviewError::NoPicture);
                }
                Ok(None) => tokio::time::sleep(AGAIN).await,
            }
        };
        // Whoever asked may be gone.
        let _ = request.reply.send(picture);
    });
}

fn wanted(goal: Goal) -> roomd_media::ContentInput {
    let source = match (goal.node, goal.run, goal.receiver) {
        (None, _, _) | (_, Run::Closed, _) => CameraSource::None,
        (Some(node), _, _) if node == TEST => CameraSource::TestPicture,
        (Some(node), _, true) => CameraSource::Receiver(node.into()),
        (Some(node), _, false) => CameraSource::Device(node.into()),
    };
    roomd_media::ContentInput {
        source,
        run: match goal.run {
            Run::Closed => ContentRun::WhileSent,
            Run::Held => ContentRun::Held,
            Run::Open => ContentRun::Open,
        },
        frozen: goal.frozen,
        crop: goal.crop,
    }
}

const fn picture(picture: ContentPicture) -> Picture {
    match picture {
        ContentPicture::None => Picture::None,
        ContentPicture::Some {
            width,
            height,
            plain,
        } => Picture::Some {
            width,
            height,
            plain,
        },
    }
}

const fn refusal(refused: Refused) -> Refusal {
    match refused {
        Refused::Unknown => Refusal::ContentUnknown,
        Refused::NotNow => Refusal::NotNow,
        Refused::NoPicture => Refusal::ContentNoPicture,
        Refused::Protected => Refusal::ContentProtected,
        Refused::NoPart => Refusal::BadRequest,
    }
}

fn shown(input: Shown) -> ContentInput {
    let (signal, size) = match input.signal {
        Signal::Missing => (ContentSignal::Missing, None),
        Signal::NoSignal => (ContentSignal::NoSignal, None),
        Signal::Unstable => (ContentSignal::Unstable, None),
        Signal::OutOfRange => (ContentSignal::OutOfRange, None),
        Signal::Protected => (ContentSignal::Protected, None),
        Signal::Ready(size) => (ContentSignal::Ready, size),
        Signal::Live(size) => (ContentSignal::Live, Some(size)),
        Signal::NoPicture => (ContentSignal::NoPicture, None),
        Signal::Dark(size) => (ContentSignal::Dark, Some(size)),
    };
    ContentInput {
        name: input.name,
        signal,
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        share: match input.share {
            Share::Off => ContentShare::Off,
            Share::Starting => ContentShare::Starting,
            Share::On => ContentShare::On,
            Share::Held => ContentShare::Held,
            Share::Paused => ContentShare::Paused,
            Share::Ended => ContentShare::Ended,
        },
        frozen: input.frozen,
        crop: input.crop,
    }
}

/// What the device says of its signal, for operators.
pub fn detail(input: &Shown) -> Option<String> {
    if input.without_edid {
        let text = "It has no EDID and took none: laptops may see no display. Write one with v4l2-ctl --set-edid.";
        return Some(text.to_owned());
    }
    match input.answer {
        Answer::Signal(timings, _) => Some(timings.to_string()),
        Answer::Silent
        | Answer::NoSignal
        | Answer::Unstable
        | Answer::OutOfRange
        | Answer::Protected => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_input_is_there_under_its_name() {
        let (answers, _) = mpsc::channel(1);
        let named = |name: &str, test| NamedContent {
            name: name.to_owned(),
            test,
        };
        let named = vec![
            named("Tisch", true),
            named("Wand", false),
            named("Pult", true),
        ];
        let mut content = Content::new(named, answers);
        content.refresh(&[]);
        let there = |name: &str| {
            let all = content.all();
            let input = all.iter().find(|input| input.name == name).unwrap();
            input.there.as_ref().map(|there| there.node.clone())
        };
        assert_eq!(there("Tisch").as_deref(), Some(TEST));
        assert_eq!(there("Pult").as_deref(), Some(TEST));
        assert_eq!(there("Wand"), None);
    }
}
