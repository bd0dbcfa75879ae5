// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The voice's thread: it owns the processor that takes the echo out of the microphone's sound.
//!
//! The mixer and the microphone's pipeline keep to the devices' pace and must not wait for each
//! other: each hands its blocks over, with the time, and goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use roomd_voice::{Mode, Report, VoiceProcessor, cancels_echo};
use tokio::sync::{mpsc, watch};

use crate::cards::{Cards, Direction};
use crate::microphone::Samples;
use crate::types::{EchoCancellation, EchoPolicy, Heard};

/// A canceller that fails so often stays off until another device is chosen.
const MOST_FAULTS: u32 = 3;

/// What the thread hears.
#[derive(Debug)]
enum Input {
    Played(Samples, Instant),
    Taken(Samples, Instant),
    Mode(Mode),
    Overhear(Option<mpsc::Sender<Heard>>),
}

/// A handle of the thread; it ends with the last one.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    inputs: SyncSender<Input>,
    report: watch::Receiver<Report>,
}

impl Voice {
    /// Starts it; what is cleaned comes out of `cleaned`.
    pub(crate) fn start(cleaned: mpsc::Sender<Samples>) -> std::io::Result<Self> {
        let (inputs, receiver) = sync_channel(64);
        let (reports, report) = watch::channel(Report::default());
        std::thread::Builder::new()
            .name("voice".to_owned())
            .spawn(move || run(&receiver, &cleaned, &reports))?;
        Ok(Self { inputs, report })
    }

    /// A handle whose thread is the test.
    #[cfg(test)]
    pub(crate) fn overheard(
        patience: std::time::Duration,
    ) -> (Self, impl FnMut() -> Option<(Samples, Instant)>) {
        let (inputs, receiver) = sync_channel(64);
        let (_, report) = watch::channel(Report::default());
        let played = move || match receiver.recv_timeout(patience) {
            Ok(Input::Played(samples, at)) => Some((samples, at)),
            Ok(Input::Taken(..) | Input::Mode(_) | Input::Overhear(_)) | Err(_) => None,
        };
        (Self { inputs, report }, played)
    }

    /// What the loudspeaker plays, handed over now. Never waits: what does not fit is lost, and the
    /// processor puts silence in its place.
    pub(crate) fn played(&self, samples: &[i16], at: Instant) {
        let _ = self.inputs.try_send(Input::Played(samples.to_vec(), at));
    }

    /// What the microphone took. Never waits.
    pub(crate) fn taken(&self, samples: Samples, at: Instant) {
        let _ = self.inputs.try_send(Input::Taken(samples, at));
    }

    /// What is to be done. The thread empties its queue every 10 ms, so this waits for that long at
    /// most.
    pub(crate) fn set_mode(&self, mode: Mode) {
        // The thread is gone only at the end.
        let _ = self.inputs.send(Input::Mode(mode));
    }

    /// Tells somebody what is taken and what becomes of it, or nobody any more. Waits as
    /// [`Self::set_mode`] does.
    pub(crate) fn overhear(&self, heard: Option<mpsc::Sender<Heard>>) {
        // The thread is gone only at the end.
        let _ = self.inputs.send(Input::Overhear(heard));
    }

    /// What was measured lately.
    pub(crate) fn report(&self) -> Report {
        *self.report.borrow()
    }
}

fn run(inputs: &Receiver<Input>, cleaned: &mpsc::Sender<Samples>, reports: &watch::Sender<Report>) {
    let mut processor = VoiceProcessor::default();
    let (mut wanted, mut faults) = (Mode::Off, 0);
    let mut listener = None;
    while let Ok(input) = inputs.recv() {
        let taken = match input {
            Input::Mode(mode) => {
                (wanted, faults) = (mode, 0);
                None
            }
            Input::Overhear(new) => {
                listener = new;
                continue;
            }
            Input::Taken(ref samples, _) if listener.is_some() => Some(samples.clone()),
            Input::Taken(..) | Input::Played(..) => None,
        };
        // A fault in the canceller must not take the room's voice away.
        let handled = catch_unwind(AssertUnwindSafe(|| handle(&mut processor, input)));
        let samples = handled.unwrap_or_else(|_| {
            faults += 1;
            tracing::error!(faults, "the echo canceller failed");
            processor = VoiceProcessor::default();
            // One that fails again and again does more harm than an echo.
            if faults < MOST_FAULTS {
                processor.set_mode(wanted);
            }
            Samples::new()
        });
        let report = processor.report();
        reports.send_replace(report);
        if let (Some(listener), Some(microphone)) = (&listener, taken) {
            let cancelled = (report.mode != Mode::Off).then(|| samples.clone());
            let heard = Heard {
                microphone,
                cancelled,
            };
            // A full queue is a gap, which the test notices.
            let _ = listener.try_send(heard);
        }
        if !samples.is_empty() {
            // A full queue means that nobody takes the sound.
            let _ = cleaned.try_send(samples);
        }
    }
}

fn handle(processor: &mut VoiceProcessor, input: Input) -> Samples {
    let mut cleaned = Samples::new();
    match input {
        Input::Played(samples, at) => processor.render(&samples, at),
        Input::Taken(samples, at) => processor.capture(&samples, at, &mut cleaned),
        Input::Mode(mode) => processor.set_mode(mode),
        Input::Overhear(_) => {}
    }
    cleaned
}

/// What is to be done with the sound of this microphone, beside this loudspeaker; either is none
/// when there is no such device. Without a loudspeaker there is no echo, and noise all the same.
pub(crate) fn mode(
    policy: &EchoPolicy,
    microphone: Option<&str>,
    loudspeaker: Option<&str>,
    cards: &Cards,
) -> Mode {
    let Some(microphone) = microphone else {
        return Mode::Off;
    };
    match policy.cancellation {
        EchoCancellation::Off => return Mode::Off,
        EchoCancellation::On => return Mode::Full,
        EchoCancellation::Auto => {}
    }
    let taken = cards.find(microphone, Direction::Capture);
    let Some(taken) = taken.filter(|card| cancels_echo(card, &policy.devices)) else {
        return Mode::Full;
    };
    match loudspeaker.and_then(|it| cards.find(it, Direction::Playback)) {
        // It cancels what itself plays, and nothing else: another card's sound it never hears of.
        Some(played) if played.number != taken.number => Mode::EchoOnly,
        // The same, or unknown: a second canceller is worse than none.
        Some(_) | None => Mode::Off,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CARDS: &str = "\
 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xd1044000 irq 126
 1 [Speak          ]: USB-Audio - Jabra SPEAK 510 USB
                      0b0e Jabra SPEAK 510 USB at usb-0000:00:14.0-8, full speed
 2 [Array          ]: USB-Audio - Table Array
                      Table Array at usb-0000:00:14.0-9, full speed
";

    #[test]
    fn there_is_one_canceller_and_never_two() {
        let cards = Cards::from_list(CARDS);
        let check = |cancellation, devices: &[&str], microphone, loudspeaker, wanted| {
            let policy = EchoPolicy {
                cancellation,
                devices: devices.iter().map(|device| (*device).to_owned()).collect(),
            };
            let found = mode(&policy, microphone, loudspeaker, &cards);
            assert_eq!(found, wanted, "{policy:?} {microphone:?} {loudspeaker:?}");
        };
        use EchoCancellation::{Auto, Off, On};
        check(Auto, &[], Some("hw:2"), Some("hw:0"), Mode::Full);
        check(Auto, &[], Some("hw:0"), Some("hw:0"), Mode::Full);
        check(
            Auto,
            &["jabra speak"],
            Some("hw:1"),
            Some("hw:1"),
            Mode::Off,
        );
        check(
            Auto,
            &["speak 510"],
            Some("hw:CARD=Speak"),
            Some("default"),
            Mode::Off,
        );
        check(
            Auto,
            &["jabra speak"],
            Some("hw:1"),
            Some("hw:0"),
            Mode::EchoOnly,
        );
        check(
            Auto,
            &["table array"],
            Some("hw:2"),
            Some("hw:2"),
            Mode::Off,
        );
        check(Auto, &[], Some("hw:2"), None, Mode::Full);
        check(Auto, &["speak 510"], Some("hw:1"), None, Mode::Off);
        check(Off, &[], Some("hw:2"), None, Mode::Off);
        check(Auto, &[], None, Some("hw:0"), Mode::Off);
        check(Off, &[], Some("hw:2"), Some("hw:0"), Mode::Off);
        check(On, &[], Some("hw:1"), Some("hw:1"), Mode::Full);
        check(On, &[], None, Some("hw:1"), Mode::Off);
    }

    /// Noise that is played comes back 70 ms later, with the mixer and the microphone each on a
    /// thread's time of its own.
    #[test]
    fn what_is_played_does_not_come_back() {
        let (sender, mut cleaned) = mpsc::channel(8);
        let voice = Voice::start(sender).unwrap();
        voice.set_mode(Mode::EchoOnly);
        let mut dice = 1_u32;
        let mut played: Vec<Samples> = vec![vec![0; 480]; 7];
        let (start, period) = (Instant::now(), Duration::from_millis(10));
        let (mut echo, mut left) = (0.0, 0.0);
        let power =
            |samples: &[i16]| -> f64 { samples.iter().map(|s| f64::from(*s).powi(2)).sum() };
        for block in 0..800_u32 {
            let noise = || {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (dice >> 20) as i16 - 2048
            };
            played.push(std::iter::repeat_with(noise).take(480).collect());
            let at = start + period * block;
            voice.played(&played[block as usize + 7], at);
            let taken = played[block as usize].clone();
            let before = power(&taken);
            voice.taken(taken, at + period);
            let cleaned = cleaned.blocking_recv().expect("a block");
            assert_eq!(cleaned.len(), 480);
            if block >= 400 {
                (echo, left) = (echo + before, left + power(&cleaned));
            }
        }
        assert!(
            left < echo / 1000.0,
            "{:.1} dB",
            10.0 * (echo / left).log10()
        );
        let report = voice.report();
        assert_eq!(report.mode, Mode::EchoOnly);
        assert!(report.erle > 10.0, "{report:?}");
        voice.set_mode(Mode::Off);
        voice.taken(vec![5; 100], start);
        assert_eq!(cleaned.blocking_recv(), Some(vec![5; 100]));
    }
}
