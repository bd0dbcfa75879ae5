// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sound test at installation: runs beside the hardware task, and what it found is kept.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use roomd_api::{SoundTest as Shown, SoundTestLine, SoundTestResult, Words};
use roomd_devices::core::self_test::{
    BLOCK, Block, Effect, Input, Line, Outcome, SelfTest, Verdict,
};
use roomd_media::{Engine, EngineCommand, Heard};
use roomd_model::{Language, Severity};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::store::write_whole;

/// Blocks of silence that wait before the test: 50 ms, more than a microphone delivers unevenly.
const AHEAD: usize = 5;
/// Blocks of the microphone that wait for the test: half a second.
const WAITING: usize = 50;
/// From here on a block may be the last one, which takes long to judge.
const NEARLY: u8 = 98;
/// A loudspeaker that is lost as the test begins is opened within this time, or is gone.
const OPENS: Duration = Duration::from_secs(4);

/// The test, and what the last one found.
#[derive(Debug)]
pub struct SoundTest {
    path: PathBuf,
    running: Option<Running>,
    /// The last one that was begun; it lets go of the engine before the next one takes it.
    task: Option<JoinHandle<()>>,
    last: Option<Kept>,
    /// The engine has lost the loudspeaker.
    lost: watch::Sender<bool>,
}

#[derive(Debug)]
struct Running {
    progress: u8,
    news: mpsc::Receiver<News>,
    /// Ends the test when dropped.
    _stop: oneshot::Sender<()>,
}

#[derive(Debug)]
enum News {
    Progress(u8),
    Done(Kept),
}

/// What was tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// The microphone, where its card is known.
    pub microphone: Option<String>,
    /// The loudspeaker, where its card is known.
    pub loudspeaker: Option<String>,
}

/// What is kept of a test: the file `sound-test.json` in the state directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    at: DateTime<Utc>,
    devices: Devices,
    outcome: Outcome,
}

impl SoundTest {
    /// With what was kept. A file that cannot be read is as good as none: the next test replaces it.
    pub fn load(directory: &Path) -> Self {
        let path = directory.join("sound-test.json");
        let last = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .inspect_err(|error| tracing::warn!(%error, "the last sound test is not readable"))
                .ok(),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::warn!(%error, "the last sound test cannot be read");
                }
                None
            }
        };
        Self {
            path,
            running: None,
            task: None,
            last,
            lost: watch::Sender::new(false),
        }
    }

    /// Whether one runs.
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Begins; one that runs ends.
    pub fn start(&mut self, engine: Engine, devices: Devices) {
        let (stop, stopped) = oneshot::channel();
        let (sender, news) = mpsc::channel(4);
        let (before, lost) = (self.task.take(), self.lost.subscribe());
        self.task = Some(tokio::spawn(async move {
            if let Some(before) = before {
                // However it ended.
                let _ = before.await;
            }
            let outcome = run(&engine, &sender, stopped, lost).await;
            engine.command(EngineCommand::SoundTest(None)).await;
            if let Some(outcome) = outcome {
                let at = Utc::now();
                let done = News::Done(Kept {
                    at,
                    devices,
                    outcome,
                });
                // Nobody waits any more for a test that was ended.
                let _ = sender.send(done).await;
            }
        }));
        self.running = Some(Running {
            progress: 0,
            news,
            _stop: stop,
        });
    }

    /// Ends the test that runs, if one does.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Takes whether the engine has lost the loudspeaker.
    pub fn loudspeaker(&self, lost: bool) {
        self.lost.send_replace(lost);
    }

    /// Waits until something about it has changed; for ever while none runs.
    pub async fn changed(&mut self) {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        match running.news.recv().await {
            Some(News::Progress(progress)) => running.progress = progress,
            Some(News::Done(kept)) => {
                tracing::info!(verdict = ?kept.outcome.verdict(), "sound test done");
                self.keep(&kept);
                self.last = Some(kept);
                self.running = None;
            }
            None => self.running = None,
        }
    }

    fn keep(&self, kept: &Kept) {
        let written = serde_json::to_vec_pretty(kept)
            .map_err(std::io::Error::from)
            .and_then(|text| write_whole(&self.path, &text));
        if let Err(error) = written {
            tracing::warn!(%error, "the sound test is not kept");
        }
    }

    /// As a panel shows it.
    pub fn shown(&self) -> Shown {
        Shown {
            progress: self.running.as_ref().map(|running| running.progress),
            result: self.last.as_ref().map(Kept::shown),
            ..Shown::default()
        }
    }
}

impl Kept {
    fn shown(&self) -> SoundTestResult {
        let german = self.outcome.lines(Language::De).into_iter();
        let english = self.outcome.lines(Language::En).into_iter();
        SoundTestResult {
            at: self.at,
            microphone: self.devices.microphone.clone(),
            loudspeaker: self.devices.loudspeaker.clone(),
            severity: severity(self.outcome.verdict()),
            lines: german.zip(english).map(|(de, en)| line(de, en)).collect(),
        }
    }
}

fn line(de: Line, en: Line) -> SoundTestLine {
    let remedy = Words {
        de: de.remedy.to_owned(),
        en: en.remedy.to_owned(),
    };
    SoundTestLine {
        code: en.code.to_owned(),
        severity: severity(en.verdict),
        text: Words {
            de: de.text,
            en: en.text,
        },
        remedy: (!en.remedy.is_empty()).then_some(remedy),
    }
}

const fn severity(verdict: Verdict) -> Option<Severity> {
    match verdict {
        Verdict::Good => None,
        Verdict::Doubtful => Some(Severity::Warning),
        Verdict::Bad => Some(Severity::Error),
    }
}

/// Runs a test; none when it was ended before.
async fn run(
    engine: &Engine,
    news: &mpsc::Sender<News>,
    mut stopped: oneshot::Receiver<()>,
    lost: watch::Receiver<bool>,
) -> Option<Outcome> {
    let (sender, mut heard) = mpsc::channel(WAITING);
    engine.command(EngineCommand::SoundTest(Some(sender))).await;
    let mut test = SelfTest::new(Instant::now()).ahead(AHEAD * BLOCK);
    let mut blocks = Blocks::default();
    let mut told = 0;
    let mut silence = true;
    let mut gone = pin!(gone(lost));
    loop {
        let due = test.poll_timeout()?.0;
        let effects = tokio::select! {
            _ = &mut stopped => return None,
            heard = heard.recv() => match heard {
                Some(heard) => {
                    if std::mem::take(&mut silence) {
                        engine.play(vec![0; AHEAD * BLOCK]);
                    }
                    blocks.push(heard);
                    let (back, effects) = feed(test, &mut blocks).await?;
                    test = back;
                    effects
                }
                // A call begins, or the engine ends.
                None => return None,
            },
            () = &mut gone => {
                test.handle(Input::LoudspeakerGone, Instant::now()).into_iter().collect()
            }
            () = tokio::time::sleep_until(due.into()) => {
                test.handle_timeout(Instant::now()).into_iter().collect()
            }
        };
        for effect in effects {
            match effect {
                Effect::Play(block) => engine.play(block.to_vec()),
                Effect::Done(outcome) => return Some(*outcome),
            }
        }
        if test.progress() > told {
            told = test.progress();
            // Whoever shows it gets the next one.
            let _ = news.try_send(News::Progress(told));
        }
    }
}

/// Waits until the loudspeaker is gone. One that was lost before may be opened for the test.
pub async fn gone(mut lost: watch::Receiver<bool>) {
    let opens = lost.wait_for(|lost| !lost);
    if timeout(OPENS, opens).await.is_err() {
        return;
    }
    let known = lost.wait_for(|lost| *lost).await.is_ok();
    if !known {
        // Nobody says so any more as the daemon ends.
        std::future::pending().await
    }
}

/// Hands whole blocks to the test, the last ones on a thread that may take its time.
async fn feed(mut test: SelfTest, blocks: &mut Blocks) -> Option<(SelfTest, Vec<Effect>)> {
    let mut effects = Vec::new();
    while let Some((microphone, cancelled)) = blocks.next() {
        let handle = move |mut test: SelfTest| {
            let input = Input::Heard {
                microphone: &microphone,
                cancelled: cancelled.as_ref(),
            };
            let effect = test.handle(input, Instant::now());
            (test, effect)
        };
        let effect;
        (test, effect) = if test.progress() < NEARLY {
            handle(test)
        } else {
            tokio::task::spawn_blocking(move || handle(test))
                .await
                .ok()?
        };
        effects.extend(effect);
    }
    Some((test, effects))
}

/// What was heard, cut into blocks.
#[derive(Debug, Default)]
struct Blocks {
    microphone: Vec<i16>,
    /// What is cancelled may come a block later; it keeps its place.
    cancelled: Option<Vec<i16>>,
    begun: bool,
}

impl Blocks {
    fn push(&mut self, heard: Heard) {
        self.microphone.extend(heard.microphone);
        self.cancelled = match (self.cancelled.take(), heard.cancelled) {
            (None, Some(first)) if !self.begun => Some(first),
            (Some(mut all), Some(next)) => {
                all.extend(next);
                Some(all)
            }
            (_, _) => None,
        };
        self.begun = true;
    }

    fn next(&mut self) -> Option<(Block, Option<Block>)> {
        if self.cancelled.as_ref().is_some_and(|all| all.len() < BLOCK) {
            return None;
        }
        let microphone = take(&mut self.microphone)?;
        Some((microphone, self.cancelled.as_mut().and_then(take)))
    }
}

fn take(samples: &mut Vec<i16>) -> Option<Block> {
    let block = *samples.first_chunk::<BLOCK>()?;
    samples.drain(..BLOCK);
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(microphone: usize, cancelled: Option<usize>) -> Heard {
        Heard {
            microphone: vec![1; microphone],
            cancelled: cancelled.map(|count| vec![2; count]),
        }
    }

    #[test]
    fn what_is_heard_becomes_blocks_in_step() {
        let mut blocks = Blocks::default();
        blocks.push(heard(BLOCK + 100, Some(0)));
        assert!(blocks.next().is_none());
        blocks.push(heard(BLOCK, Some(BLOCK)));
        assert_eq!(blocks.next(), Some(([1; BLOCK], Some([2; BLOCK]))));
        assert!(blocks.next().is_none());
    }

    #[test]
    fn a_room_that_cancels_no_echo_has_blocks_without() {
        let mut blocks = Blocks::default();
        blocks.push(heard(BLOCK, None));
        assert_eq!(blocks.next(), Some(([1; BLOCK], None)));
        // Whether it cancels changed in the test: what is cancelled is not whole.
        blocks.push(heard(BLOCK, Some(BLOCK)));
        assert_eq!(blocks.next(), Some(([1; BLOCK], None)));
    }

    #[tokio::test]
    async fn a_loudspeaker_that_is_lost_in_the_test_is_gone() {
        let moment = Duration::from_millis(10);
        let lost = watch::Sender::new(true);
        let mut gone = pin!(gone(lost.subscribe()));
        // It may yet be opened.
        assert!(timeout(moment, &mut gone).await.is_err());
        lost.send_replace(false);
        assert!(timeout(moment, &mut gone).await.is_err());
        lost.send_replace(true);
        gone.await;
    }

    #[test]
    fn the_last_result_outlives_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let mut test = SoundTest::load(directory.path());
        assert_eq!(test.shown(), Shown::default());
        let kept = Kept {
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            devices: Devices {
                microphone: Some("Bar".to_owned()),
                loudspeaker: None,
            },
            outcome: Outcome {
                problems: vec![roomd_devices::core::self_test::Problem::NotHeard],
                ..Outcome::default()
            },
        };
        test.keep(&kept);
        test.last = Some(kept);
        let again = SoundTest::load(directory.path());
        assert_eq!(again.shown(), test.shown());
        let result = again.shown().result.unwrap();
        assert_eq!(result.severity, Some(Severity::Error));
        assert_eq!(result.lines[0].code, "self-test-not-heard");
        assert_ne!(result.lines[0].text.de, result.lines[0].text.en);
        assert!(result.lines[0].remedy.is_some());
        std::fs::write(directory.path().join("sound-test.json"), "{").unwrap();
        assert_eq!(SoundTest::load(directory.path()).shown(), Shown::default());
    }
}
