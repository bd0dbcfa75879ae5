// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The engine's handle.

use roomd_media_core::frame::I420;
use tokio::sync::{mpsc, oneshot, watch};

use crate::displays::Displays;
use crate::memory;
use crate::sound::{Sound, TEST};
use crate::task::{self, Inputs, Threads};
use crate::time::Timeline;
use crate::types::{EngineCommand, EngineEvent, EngineStatistics, Settings};
use crate::voice::Voice;

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// GStreamer is not usable.
    #[error("starting GStreamer")]
    GStreamer(#[from] gstreamer::glib::Error),
    /// An element that every call needs is not installed.
    #[error("the GStreamer element {0} is not installed")]
    Element(&'static str),
    /// A thread could not be started.
    #[error("starting a thread")]
    Thread(#[from] std::io::Error),
}

/// The engine is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the media engine is shut down")]
pub struct Gone;

/// A handle of the running engine.
#[derive(Clone, Debug)]
pub struct Engine {
    commands: mpsc::Sender<Message>,
    statistics: watch::Receiver<EngineStatistics>,
    displays: Displays,
    sound: Sound,
}

/// What the handle sends to the task.
#[derive(Debug)]
pub(crate) enum Message {
    Command(EngineCommand),
    Thumbnail(oneshot::Sender<Option<I420>>),
    ContentThumbnail(oneshot::Sender<Option<I420>>),
    Shutdown(oneshot::Sender<()>),
}

/// Elements without which no call works.
const NEEDED: [&str; 8] = [
    "appsrc",
    "appsink",
    "vp8enc",
    "vp8dec",
    "opusenc",
    "opusdec",
    "audioconvert",
    "audioresample",
];

/// Starts the engine on the present tokio runtime.
///
/// # Errors
/// When GStreamer or one of the elements that every call needs is missing.
pub fn start(settings: Settings) -> Result<(Engine, mpsc::Receiver<EngineEvent>), StartError> {
    memory::give_back_what_is_free();
    gstreamer::init()?;
    for element in NEEDED {
        gstreamer::ElementFactory::find(element).ok_or(StartError::Element(element))?;
    }
    let timeline = Timeline::new();
    let (commands, messages) = mpsc::channel(64);
    let (events, event_receiver) = mpsc::channel(256);
    let (display_news, display_receiver) = mpsc::channel(16);
    let (sound_news, sound_receiver) = mpsc::channel(16);
    let statistics = watch::Sender::new(EngineStatistics::default());
    let displays = Displays::start(&settings, timeline, &display_news)?;
    let (cleaned, samples) = mpsc::channel(32);
    let voice = Voice::start(cleaned)?;
    let sound = Sound::start(settings.loudspeaker.clone(), voice.clone(), sound_news)?;
    let engine = Engine {
        commands,
        statistics: statistics.subscribe(),
        displays: displays.clone(),
        sound: sound.clone(),
    };
    let inputs = Inputs {
        messages,
        display: display_receiver,
        sound: sound_receiver,
        samples,
    };
    let threads = Threads {
        displays,
        sound,
        voice,
    };
    tokio::spawn(task::run(
        settings, timeline, inputs, events, statistics, threads,
    ));
    Ok((engine, event_receiver))
}

impl Engine {
    /// Asks the engine to do something; after [`Engine::shutdown`] it is ignored.
    pub async fn command(&self, command: EngineCommand) {
        // Without a task there is nothing left to command.
        let _ = self.commands.send(Message::Command(command)).await;
    }

    /// The call's figures, the latest always at hand.
    #[must_use]
    pub fn statistics(&self) -> watch::Receiver<EngineStatistics> {
        self.statistics.clone()
    }

    /// What the display shows at this moment.
    ///
    /// # Errors
    /// When the engine is shut down.
    pub async fn picture(&self) -> Result<I420, Gone> {
        self.displays.people.snapshot().await.map_err(|_| Gone)
    }

    /// What the second display shows at this moment; none without one.
    ///
    /// # Errors
    /// When the engine is shut down.
    pub async fn content_picture(&self) -> Result<Option<I420>, Gone> {
        let Some(display) = &self.displays.content else {
            return Ok(None);
        };
        display.snapshot().await.map(Some).map_err(|_| Gone)
    }

    /// What the display shows at this moment, as a PNG file.
    ///
    /// # Errors
    /// When the engine is shut down.
    pub async fn snapshot(&self) -> Result<Vec<u8>, Gone> {
        let picture = self.picture().await?;
        tokio::task::spawn_blocking(move || png(&picture))
            .await
            .map_err(|_| Gone)?
            .map_err(|_| Gone)
    }

    /// What the camera shows at this moment, 160 pixels wide, as a PNG file; none while it is closed.
    ///
    /// # Errors
    /// When the engine is shut down.
    pub async fn camera_thumbnail(&self) -> Result<Option<Vec<u8>>, Gone> {
        self.thumbnail(Message::Thumbnail).await
    }

    /// What the source of content gives at this moment, all of it and at most 640 pixels wide, as a PNG
    /// file; none while it is closed.
    ///
    /// # Errors
    /// When the engine is shut down.
    pub async fn content_thumbnail(&self) -> Result<Option<Vec<u8>>, Gone> {
        self.thumbnail(Message::ContentThumbnail).await
    }

    async fn thumbnail(
        &self,
        message: impl FnOnce(oneshot::Sender<Option<I420>>) -> Message + Send,
    ) -> Result<Option<Vec<u8>>, Gone> {
        let (reply, answer) = oneshot::channel();
        let asked = self.commands.send(message(reply)).await;
        asked.map_err(|_| Gone)?;
        let Some(picture) = answer.await.map_err(|_| Gone)? else {
            return Ok(None);
        };
        let encoded = tokio::task::spawn_blocking(move || png(&picture));
        let encoded = encoded.await.map_err(|_| Gone)?;
        encoded.map(Some).map_err(|_| Gone)
    }

    /// Plays sound, 48 kHz and one channel, after what was played before: at most 200 ms wait. Only
    /// during a sound test, and while somebody hears themself; otherwise it is dropped.
    pub fn play(&self, samples: Vec<i16>) {
        self.sound.push(TEST, samples, None);
    }

    /// How loud a frequency is in the next 200 ms of what the loudspeaker plays; a full-scale sine
    /// is 1.
    ///
    /// # Errors
    /// When the engine is shut down.
    pub async fn tone(&self, hertz: f64) -> Result<f64, Gone> {
        self.sound.tone(hertz).await.map_err(|_| Gone)
    }

    /// Ends everything; returns when connections are closed and devices released.
    pub async fn shutdown(&self) {
        let (done, finished) = oneshot::channel();
        if self.commands.send(Message::Shutdown(done)).await.is_ok() {
            // An error means that the task has already ended.
            let _ = finished.await;
        }
    }
}

fn png(picture: &I420) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder
        .write_header()?
        .write_image_data(&picture.to_rgb())?;
    Ok(file)
}
