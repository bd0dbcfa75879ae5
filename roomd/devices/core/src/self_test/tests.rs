// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A simulated room: what is measured against what is true.

use std::f64::consts::PI;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// A room with two clocks. Nothing of it is a real device.
#[derive(Clone, Debug)]
struct Room {
    delay_ms: f64,
    /// Amplitude of the direct path.
    gain: f64,
    /// Later paths: how much later in samples, and amplitude.
    reflections: Vec<(f64, f64)>,
    /// Root mean square of the noise, of full scale 1.
    noise: f64,
    drift_ppm: f64,
    /// How much of the echo is left by the canceller, as amplitude.
    left: Option<f64>,
    /// At this sample the microphone loses so many.
    lost: Option<(usize, usize)>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            delay_ms: 83.4,
            gain: 0.25,
            reflections: vec![(310.0, 0.4), (775.5, -0.25), (2400.0, 0.1)],
            noise: 0.0005,
            drift_ppm: 0.0,
            left: None,
            lost: None,
        }
    }
}

const REACH: usize = 8;
const PHASES: usize = 1024;

/// A windowed sinc for each place between two samples.
static KERNELS: LazyLock<Vec<[f64; 2 * REACH]>> = LazyLock::new(|| {
    let factor = |phase: usize, tap: usize| {
        let x = phase as f64 / PHASES as f64 + REACH as f64 - 1.0 - tap as f64;
        let angle = PI * x;
        let sinc = if x == 0.0 { 1.0 } else { angle.sin() / angle };
        sinc * (0.5 + 0.5 * (angle / REACH as f64).cos())
    };
    let kernel = |phase| std::array::from_fn(|tap| factor(phase, tap));
    (0..=PHASES).map(kernel).collect()
});

struct Noise(u64);

impl Noise {
    /// Normal enough: the sum of twelve.
    fn next(&mut self) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            sum += (self.0 >> 40) as f64 / f64::from(1 << 24);
        }
        sum
    }
}

impl Room {
    /// What is played, between two samples.
    fn played(played: &[i16], at: f64) -> f64 {
        let whole = at.floor();
        let phase = ((at - whole) * PHASES as f64).round() as usize;
        let first = whole as i64 - REACH as i64 + 1;
        let part = |(n, factor): (i64, &f64)| {
            let sample = usize::try_from(n).ok().and_then(|n| played.get(n));
            sample.map_or(0.0, |s| f64::from(*s) * factor)
        };
        (first..).zip(&KERNELS[phase]).map(part).sum()
    }

    fn sample(&self, played: &[i16], at: usize) -> f64 {
        let at = match self.lost {
            Some((from, count)) if at >= from => at + count,
            Some(_) | None => at,
        };
        let here = at as f64 / (1.0 + self.drift_ppm * 1e-6) - self.delay_ms * 48.0;
        let mut sum = Self::played(played, here);
        for (later, gain) in &self.reflections {
            sum += gain * Self::played(played, here - later);
        }
        sum * self.gain
    }

    fn test(&self) -> Outcome {
        let now = Instant::now();
        let mut test = SelfTest::new(now);
        let mut played: Vec<i16> = Vec::new();
        let mut noise = Noise(7);
        let mut at = 0;
        loop {
            let mut microphone = [0; BLOCK];
            let mut cancelled = [0; BLOCK];
            for n in 0..BLOCK {
                let echo = self.sample(&played, at + n);
                let noise = self.noise * 32768.0 * noise.next();
                microphone[n] = (echo + noise).round() as i16;
                cancelled[n] = (echo * self.left.unwrap_or(1.0) + noise).round() as i16;
            }
            at += BLOCK;
            let input = Input::Heard {
                microphone: &microphone,
                cancelled: self.left.map(|_| &cancelled),
            };
            match test.handle(input, now) {
                Some(Effect::Play(block)) => played.extend_from_slice(&*block),
                Some(Effect::Done(outcome)) => {
                    assert_eq!(at, signal::END);
                    return *outcome;
                }
                None => panic!("the test says nothing"),
            }
        }
    }

    /// The true echo return loss: paths that far apart add their powers.
    fn loss_db(&self) -> f64 {
        let powers: f64 = self.reflections.iter().map(|(_, gain)| gain * gain).sum();
        -20.0 * self.gain.log10() - 10.0 * (1.0 + powers).log10()
    }

    /// With that of rounding: a twelfth of a step, squared.
    fn noise_dbfs(&self) -> f64 {
        let steps = (self.noise * 32768.0).powi(2) + 1.0 / 12.0;
        10.0 * (2.0 * steps / 32768.0_f64.powi(2)).log10()
    }
}

fn close(figure: Option<Figure>, truth: f64, tolerance: f64) {
    let value = figure.unwrap().value;
    assert!(
        (value - truth).abs() <= tolerance,
        "{value} instead of {truth}"
    );
}

fn check(room: &Room) -> Outcome {
    let outcome = room.test();
    assert_eq!(outcome.problems, [], "{room:?}");
    // Until the mark's highest octave is heard, the clocks have gone apart already.
    let apart = room.drift_ppm * 1e-6 * (1926.0 + room.delay_ms);
    close(outcome.delay_ms, room.delay_ms + apart, 0.2);
    close(outcome.drift_ppm, room.drift_ppm, 3.0);
    close(outcome.noise_dbfs, room.noise_dbfs(), 0.3);
    close(outcome.echo_return_loss_db, room.loss_db(), 0.5);
    // The noise sequence is played at 26 dB below full scale by amplitude.
    close(outcome.heard_dbfs, -26.02 + 3.01 - room.loss_db(), 0.5);
    outcome
}

#[test]
fn a_usual_room_is_measured_as_it_is() {
    let outcome = check(&Room::default());
    assert_eq!(outcome.verdict(), Verdict::Good, "{outcome:?}");
    assert_eq!(outcome.echo_return_loss_enhancement_db, None);
}

#[test]
fn clocks_that_differ_by_100_ppm_are_noticed() {
    for drift_ppm in [100.0, -100.0] {
        let outcome = check(&Room {
            drift_ppm,
            ..Room::default()
        });
        assert_eq!(outcome.drift_ppm.unwrap().verdict, Verdict::Doubtful);
    }
}

#[test]
fn what_the_canceller_takes_off_is_measured() {
    // 36.5 dB, together with the loss of 11 more than 46.
    let room = Room {
        left: Some(0.015),
        noise: 0.000_03,
        ..Room::default()
    };
    let outcome = check(&room);
    close(outcome.echo_return_loss_enhancement_db, 36.5, 0.5);
    assert_eq!(outcome.verdict(), Verdict::Good, "{outcome:?}");
    let outcome = check(&Room {
        left: Some(0.5),
        ..room
    });
    close(outcome.echo_return_loss_enhancement_db, 6.0, 0.5);
    let figure = outcome.echo_return_loss_enhancement_db.unwrap();
    assert_eq!(figure.verdict, Verdict::Bad);
}

#[test]
fn a_late_loudspeaker_is_found_and_one_beyond_the_range_said() {
    let outcome = check(&Room {
        delay_ms: 2900.0,
        ..Room::default()
    });
    assert_eq!(outcome.delay_ms.unwrap().verdict, Verdict::Bad);
    let outcome = Room {
        delay_ms: 3400.0,
        ..Room::default()
    }
    .test();
    assert_eq!(outcome.problems, [Problem::NotRecognised]);
    assert_eq!(outcome.delay_ms, None);
}

#[test]
fn bad_rooms_get_their_problem() {
    let check = |room: Room, problem| {
        let outcome = room.test();
        assert_eq!(outcome.problems, [problem], "{outcome:?}");
        assert_eq!(outcome.verdict(), Verdict::Bad);
        outcome
    };
    let usual = Room::default;
    let silent = Room {
        gain: 0.0,
        noise: 0.0,
        ..usual()
    };
    let outcome = check(silent, Problem::MicrophoneSilent);
    assert_eq!(outcome.noise_dbfs, None);
    let dumb = Room {
        gain: 0.0,
        ..usual()
    };
    let outcome = check(dumb, Problem::NotHeard);
    assert_eq!(outcome.noise_dbfs.unwrap().verdict, Verdict::Good);
    let noisy = Room {
        gain: 0.001,
        noise: 0.1,
        ..usual()
    };
    let outcome = check(noisy, Problem::TooNoisy);
    assert_eq!(outcome.noise_dbfs.unwrap().verdict, Verdict::Bad);
    let loud = Room {
        gain: 8.0,
        ..usual()
    };
    let outcome = check(loud, Problem::Clipping);
    close(outcome.delay_ms, 83.4, 0.2);
    let lossy = Room {
        lost: Some((300_000, 480)),
        ..usual()
    };
    let outcome = check(lossy, Problem::Interrupted);
    assert_eq!(outcome.drift_ppm, None);
}

#[test]
fn noise_as_loud_as_the_echo_costs_figures_but_no_delay() {
    // The echo is 3 dB below the noise.
    let room = Room {
        noise: 0.02,
        ..Room::default()
    };
    let outcome = check(&room);
    assert_eq!(outcome.heard_dbfs.unwrap().verdict, Verdict::Bad);
    // And 20 dB below it.
    let outcome = Room {
        noise: 0.15,
        ..Room::default()
    }
    .test();
    close(outcome.delay_ms, 83.4, 0.5);
    assert_eq!(outcome.echo_return_loss_db, None);
}

#[test]
fn a_microphone_that_goes_ends_the_test() {
    let now = Instant::now();
    let gone = |effect: Option<Effect>, problem| {
        let outcome = Outcome::of(problem);
        assert_eq!(effect, Some(Effect::Done(Box::new(outcome))));
    };
    let heard = Input::Heard {
        microphone: &[5; BLOCK],
        cancelled: None,
    };
    let mut test = SelfTest::new(now);
    assert!(matches!(test.handle(heard, now), Some(Effect::Play(_))));
    let (until, _) = test.poll_timeout().unwrap();
    assert_eq!(test.handle_timeout(now), None);
    gone(test.handle_timeout(until), Problem::MicrophoneGone);
    assert_eq!(test.poll_timeout(), None);
    assert_eq!(test.handle(heard, now), None);
    assert_eq!(test.progress(), 100);
    let mut test = SelfTest::new(now);
    gone(
        test.handle(Input::MicrophoneGone, now),
        Problem::MicrophoneGone,
    );
    let mut test = SelfTest::new(now);
    gone(
        test.handle(Input::LoudspeakerGone, now),
        Problem::LoudspeakerGone,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_room_is_measured_as_it_is(
        delay_ms in 5.0..1500.0,
        gain in 0.02..1.5,
        noise in 0.0001..0.001,
        drift_ppm in -300.0..300.0,
        reflections in proptest::collection::vec((200.0..4000.0, -0.5..0.5), 0..4),
    ) {
        // Paths at the same place add their amplitudes, and their loss is no sum of powers.
        let mut apart = reflections;
        apart.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
        apart.dedup_by(|a, b| (a.0 - b.0).abs() < 400.0);
        check(&Room {
            delay_ms, gain, noise, drift_ppm,
            reflections: apart,
            ..Room::default()
        });
    }

    #[test]
    fn whatever_is_heard_the_test_ends(
        samples in proptest::collection::vec(any::<i16>(), 1..2000),
        silence in 0_usize..1250,
        cancelled: bool,
    ) {
        let now = Instant::now();
        let mut test = SelfTest::new(now);
        let mut source = samples.iter().cycle();
        for count in 1_usize.. {
            let mut block = [0; BLOCK];
            if count > silence {
                block.fill_with(|| source.next().copied().unwrap_or(0));
            }
            let input = Input::Heard { microphone: &block, cancelled: cancelled.then_some(&block) };
            match test.handle(input, now) {
                Some(Effect::Play(_)) => prop_assert!(count < 1250),
                Some(Effect::Done(outcome)) => {
                    prop_assert_eq!(count, 1250);
                    for (_, figure) in outcome.figures() {
                        prop_assert!(figure.is_none_or(|f| f.value.is_finite()));
                    }
                    break;
                }
                None => prop_assert!(false, "it says nothing"),
            }
        }
    }
}
