// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Somebody hears themself as the far side would: runs beside the hardware task, and nothing of it is
//! kept.

use std::pin::pin;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use roomd_api::{Refusal, SelfHear as Shown, SelfHearPhase};
use roomd_devices::core::self_hear::{DelayLine, Effect, Input, Phase, REST, TURN};
use roomd_devices::core::self_test::BLOCK;
use roomd_media::{Engine, EngineCommand, Heard};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::handle::RoomFacts;
use super::sound::{Choice, Chosen};
use super::sound_test::gone;

/// Blocks of silence that wait before what is played: 50 ms, more than a microphone delivers unevenly.
const AHEAD: usize = 5;
/// Blocks of the microphone that wait to be taken: half a second.
const WAITING: usize = 50;

/// Somebody who hears themself, or nobody.
#[derive(Debug)]
pub struct SelfHear {
    running: Option<Running>,
    /// What was missing when it last ended by itself.
    failed: Option<Refusal>,
    /// The last one that was begun; it lets go of the engine before the next one takes it.
    task: Option<JoinHandle<()>>,
    /// The engine has lost the loudspeaker.
    lost: watch::Sender<bool>,
}

#[derive(Debug)]
struct Running {
    shown: Option<Shown>,
    news: mpsc::Receiver<News>,
    /// Ends it when dropped.
    _stop: oneshot::Sender<()>,
}

/// What the task tells.
#[derive(Debug)]
enum News {
    Phase(Option<Shown>),
    /// It ended, as this is missing.
    Failed(Refusal),
}

impl SelfHear {
    /// Nobody.
    pub fn new() -> Self {
        Self {
            running: None,
            failed: None,
            task: None,
            lost: watch::Sender::new(false),
        }
    }

    /// Whether somebody does.
    pub const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Begins.
    pub fn start(&mut self, engine: Engine) {
        let (stop, stopped) = oneshot::channel();
        let (sender, news) = mpsc::channel(4);
        let (before, lost) = (self.task.take(), self.lost.subscribe());
        self.task = Some(tokio::spawn(async move {
            if let Some(before) = before {
                // However it ended.
                let _ = before.await;
            }
            if let Some(missing) = run(&engine, &sender, stopped, lost).await {
                // Whoever stopped it meanwhile does not listen any more.
                let _ = sender.send(News::Failed(missing)).await;
            }
            engine.command(EngineCommand::SelfHear(None)).await;
        }));
        self.failed = None;
        self.running = Some(Running {
            shown: shown(Phase::Starting, Utc::now()),
            news,
            _stop: stop,
        });
    }

    /// Ends it, if somebody does.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Takes whether the engine has lost the loudspeaker.
    pub fn loudspeaker(&self, lost: bool) {
        self.lost.send_replace(lost);
    }

    /// Waits until something about it has changed; for ever while nobody does.
    pub async fn changed(&mut self) {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        match running.news.recv().await {
            Some(News::Phase(shown)) => running.shown = shown,
            Some(News::Failed(missing)) => {
                self.failed = Some(missing);
                self.running = None;
            }
            None => self.running = None,
        }
    }

    /// As a panel shows it.
    pub fn shown(&self) -> Option<Shown> {
        self.running.as_ref()?.shown.clone()
    }

    /// What was missing when it last ended by itself; none where it went well.
    pub const fn failed(&self) -> Option<Refusal> {
        self.failed
    }
}

/// Why nobody can hear themself now; none when somebody can.
pub fn obstacle(
    room: &RoomFacts,
    chosen: Option<&Chosen>,
    tested: bool,
    muted: bool,
) -> Option<Refusal> {
    let names = &room.sound_names;
    let no_microphone = chosen.is_some_and(|chosen| is_absent(&chosen.microphone));
    let no_loudspeaker = chosen.is_some_and(|chosen| is_absent(&chosen.loudspeaker));
    if room.sound.in_call {
        Some(Refusal::InCall)
    } else if tested {
        Some(Refusal::SoundTestRuns)
    } else if no_microphone || names.microphone.is_none() {
        Some(Refusal::MicrophoneMissing)
    } else if muted || room.sound.muted {
        Some(Refusal::MicrophoneMuted)
    } else if no_loudspeaker || names.loudspeaker.is_none() {
        Some(Refusal::LoudspeakerMissing)
    } else {
        None
    }
}

/// Whether the device of a direction is not there, and nothing stands in for it.
const fn is_absent(choice: &Choice) -> bool {
    choice.card.is_none() && choice.absent.is_some()
}

/// How a phase that begins now is shown.
fn shown(phase: Phase, now: DateTime<Utc>) -> Option<Shown> {
    let (phase, lasts) = match phase {
        Phase::Starting => (SelfHearPhase::Starting, None),
        Phase::Speaking => (SelfHearPhase::Speaking, Some(TURN)),
        Phase::Listening => (SelfHearPhase::Listening, Some(TURN + REST)),
        Phase::Over => return None,
    };
    let lasts = lasts.and_then(|lasts| TimeDelta::from_std(lasts).ok());
    let ends_at = lasts.map(|lasts| now + lasts);
    Some(Shown { phase, ends_at })
}

/// What an encoder would get of it.
fn sent(heard: Heard) -> Vec<i16> {
    // Where the room cancels no echo, the sound is sent as it comes.
    heard.cancelled.unwrap_or(heard.microphone)
}

/// Lets somebody speak, then hear it, unless it is ended before. Returns what was missing for it.
async fn run(
    engine: &Engine,
    news: &mpsc::Sender<News>,
    mut stopped: oneshot::Receiver<()>,
    lost: watch::Receiver<bool>,
) -> Option<Refusal> {
    if !matches!(stopped.try_recv(), Err(TryRecvError::Empty)) {
        // It must not take the place of what was begun since.
        return None;
    }
    let (sender, mut heard) = mpsc::channel(WAITING);
    engine.command(EngineCommand::SelfHear(Some(sender))).await;
    let mut line = DelayLine::new(Instant::now());
    let mut told = line.phase();
    let mut gone = pin!(gone(lost));
    while let Some((due, _)) = line.poll_timeout() {
        let effect = tokio::select! {
            _ = &mut stopped => return None,
            heard = heard.recv() => match heard {
                Some(heard) => line.handle(Input::Heard(&sent(heard)), Instant::now()),
                // A call or a sound test begins, or the engine ends.
                None => return None,
            },
            () = &mut gone => {
                line.handle(Input::LoudspeakerGone, Instant::now());
                return Some(Refusal::LoudspeakerMissing);
            }
            () = tokio::time::sleep_until(due.into()) => {
                if line.handle_timeout(Instant::now()).is_some() {
                    return Some(Refusal::MicrophoneMissing);
                }
                None
            }
        };
        match effect {
            Some(Effect::Play(samples)) => engine.play(samples),
            // What ends it has no further time to wait for.
            Some(Effect::Done) | None => {}
        }
        if line.phase() != told {
            told = line.phase();
            if told == Phase::Listening {
                engine.play(vec![0; AHEAD * BLOCK]);
            }
            // Whoever shows it is told of the end by the closed channel, too.
            let _ = news.try_send(News::Phase(shown(told, Utc::now())));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use roomd_config::Microphone;
    use roomd_devices::mute::RoomSound;

    use super::super::sound::SoundNames;
    use super::super::sound::tests::{plugged, sound};
    use super::*;

    fn room(in_call: bool, muted: bool, devices: [Option<&str>; 2]) -> RoomFacts {
        let [microphone, loudspeaker] = devices.map(|name| name.map(str::to_owned));
        RoomFacts {
            sound: RoomSound {
                in_call,
                muted,
                ..RoomSound::default()
            },
            sound_names: SoundNames {
                microphone,
                loudspeaker,
            },
            ..RoomFacts::default()
        }
    }

    #[test]
    fn each_refusal_says_what_is_in_the_way() {
        let check = |room: RoomFacts, tested, muted, refusal| {
            let found = obstacle(&room, None, tested, muted);
            assert_eq!(found, refusal, "{room:?} {tested} {muted}");
        };
        let both = [Some("hw:1"), Some("hw:0")];
        check(room(false, false, both), false, false, None);
        let in_call = Some(Refusal::InCall);
        check(room(true, true, both), false, false, in_call);
        check(room(true, false, both), true, true, in_call);
        let tested = Some(Refusal::SoundTestRuns);
        check(room(false, false, both), true, false, tested);
        let muted = Some(Refusal::MicrophoneMuted);
        check(room(false, false, both), false, true, muted);
        check(room(false, true, both), false, false, muted);
        let no_microphone = room(false, false, [None, both[1]]);
        check(
            no_microphone,
            false,
            false,
            Some(Refusal::MicrophoneMissing),
        );
        let no_loudspeaker = room(false, false, [both[0], None]);
        check(
            no_loudspeaker,
            false,
            false,
            Some(Refusal::LoudspeakerMissing),
        );
    }

    #[test]
    fn a_card_that_is_pulled_out_is_missing_whatever_the_engine_calls_it() {
        let (mut sound, _proc) = sound(Microphone::Auto).unwrap();
        let room = room(false, false, [Some("hw:1"), Some("hw:1")]);
        sound.refresh(&plugged(true));
        assert_eq!(obstacle(&room, sound.chosen.as_ref(), false, false), None);
        sound.refresh(&[]);
        assert_eq!(
            obstacle(&room, sound.chosen.as_ref(), false, false),
            Some(Refusal::MicrophoneMissing)
        );
    }

    #[test]
    fn a_person_hears_what_an_encoder_would_get() {
        let heard = |cancelled| Heard {
            microphone: vec![1; BLOCK],
            cancelled,
        };
        assert_eq!(sent(heard(Some(vec![2; BLOCK]))), [2; BLOCK]);
        assert!(sent(heard(Some(Vec::new()))).is_empty());
        assert_eq!(sent(heard(None)), [1; BLOCK]);
    }

    #[test]
    fn each_phase_is_shown_with_its_end() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let ends = |phase| {
            let shown = shown(phase, now)?;
            Some((shown.phase, shown.ends_at.map(|at| at - now)))
        };
        let after = |millis| Some(TimeDelta::milliseconds(millis));
        assert_eq!(ends(Phase::Starting), Some((SelfHearPhase::Starting, None)));
        assert_eq!(
            ends(Phase::Speaking),
            Some((SelfHearPhase::Speaking, after(5000)))
        );
        assert_eq!(
            ends(Phase::Listening),
            Some((SelfHearPhase::Listening, after(5500)))
        );
        assert_eq!(ends(Phase::Over), None);
    }

    #[tokio::test]
    async fn what_has_ended_is_shown_no_more() {
        let (sender, news) = mpsc::channel(4);
        let (stop, mut ended) = oneshot::channel();
        let mut hear = SelfHear::new();
        hear.running = Some(Running {
            shown: shown(Phase::Starting, Utc::now()),
            news,
            _stop: stop,
        });
        let speaking = shown(Phase::Speaking, Utc::now());
        sender.try_send(News::Phase(speaking.clone())).unwrap();
        hear.changed().await;
        assert_eq!(hear.shown(), speaking);
        assert!(hear.is_running());
        drop(sender);
        hear.changed().await;
        assert_eq!(hear.shown(), None);
        assert!(!hear.is_running());
        // Whatever still runs is told to end.
        assert_eq!(ended.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(hear.failed(), None);
    }

    #[tokio::test]
    async fn what_was_missing_is_said_until_the_next_one() {
        let (sender, news) = mpsc::channel(4);
        let (stop, _ended) = oneshot::channel();
        let mut hear = SelfHear::new();
        hear.running = Some(Running {
            shown: shown(Phase::Starting, Utc::now()),
            news,
            _stop: stop,
        });
        let missing = Refusal::MicrophoneMissing;
        sender.try_send(News::Failed(missing)).unwrap();
        hear.changed().await;
        assert_eq!((hear.shown(), hear.failed()), (None, Some(missing)));
        assert!(!hear.is_running());
    }
}
