// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Echo cancellation in a simulated room: what is left of the far end, and what is taken off the
//! person in the room. The figures are printed; each has a bound.

mod fourier;
mod measure;
mod simulation;

use std::time::{Duration, Instant};

use measure::{attenuation, decibels, erle, power, seconds, truth};
use roomd_voice::{Mode, VoiceProcessor};
use simulation::{Dice, RATE, convolve, drifted, impulse_response, noise, speech};

const BLOCK: usize = 480;
const SECONDS: usize = 20;
/// When the person in the room speaks too.
const DOUBLE_TALK: std::ops::Range<f64> = 13.0..19.0;

/// What is played, and what of it and of the room the microphone takes.
struct Room {
    far: Vec<f32>,
    echo: Vec<f32>,
    near: Vec<f32>,
    hiss: Vec<f32>,
    ppm: f64,
    /// Blocks of the microphone that are lost.
    lost: std::ops::Range<usize>,
}

impl Room {
    /// The loudspeaker's buffers and the way through the air take 80 ms.
    fn new(reverberation: usize, ppm: f64) -> Self {
        let far = speech(1, 120.0, SECONDS);
        let response = impulse_response(3, 80 * RATE / 1000, reverberation);
        let echo = drifted(&convolve(&far, &response), ppm);
        let mut near = speech(7, 190.0, SECONDS);
        let speaks = seconds(DOUBLE_TALK);
        near[..speaks.start].fill(0.0);
        near[speaks.end..].fill(0.0);
        let hiss = noise(9, -70.0, far.len());
        Self {
            far,
            echo,
            near,
            hiss,
            ppm,
            lost: 0..0,
        }
    }

    fn microphone(&self, with_echo: bool) -> Vec<f32> {
        let echo = if with_echo { 1.0 } else { 0.0 };
        let parts = self.echo.iter().zip(&self.near).zip(&self.hiss);
        parts.map(|((e, n), h)| echo * e + n + h).collect()
    }

    /// Runs the call: the mixer's blocks on the machine's clock, the microphone's on its own, each
    /// up to 3 ms late.
    fn run(&self, voice: &mut VoiceProcessor, with_echo: bool) -> Vec<f32> {
        let (start, mut dice) = (Instant::now(), Dice::new(11));
        let microphone = whole(&self.microphone(with_echo));
        let far = if with_echo {
            whole(&self.far)
        } else {
            vec![0; self.far.len()]
        };
        let period = Duration::from_millis(10);
        let (mut rendered, mut cleaned) = (0, Vec::new());
        for (index, block) in microphone.chunks(BLOCK).enumerate() {
            let ends = (index + 1) as f64 * 0.01 * (1.0 + self.ppm * 1e-6);
            let at = start + Duration::from_secs_f64(ends + 0.003 * dice.unit());
            if self.lost.contains(&index) {
                cleaned.extend([0; BLOCK]);
                continue;
            }
            while start + period * rendered <= at {
                let from = rendered as usize * BLOCK;
                if let Some(block) = far.get(from..from + BLOCK) {
                    voice.render(block, start + period * rendered);
                }
                rendered += 1;
            }
            voice.capture(block, at, &mut cleaned);
        }
        assert_eq!(cleaned.len(), microphone.len());
        cleaned
            .iter()
            .map(|sample| f32::from(*sample) / 32768.0)
            .collect()
    }
}

fn whole(sound: &[f32]) -> Vec<i16> {
    sound
        .iter()
        .map(|v| (v * 32767.0).clamp(-32767.0, 32767.0) as i16)
        .collect()
}

struct Figures {
    /// Second 2 to 4, and from then on.
    early: f64,
    settled: f64,
    /// While both speak.
    loss: f64,
    truth_before: f64,
    truth: f64,
    drift: f64,
    delay: Duration,
}

/// Measures the canceller alone; a processor that hears no echo gives what it should have made of
/// the person in the room.
fn measure(reverberation: usize, ppm: f64) -> Figures {
    let room = Room::new(reverberation, ppm);
    let mut voice = VoiceProcessor::new(Mode::EchoOnly);
    let cleaned = room.run(&mut voice, true);
    let report = voice.report();
    let wanted = room.run(&mut VoiceProcessor::new(Mode::EchoOnly), false);
    let both = seconds(14.0..19.0);
    let (wanted, during) = (&wanted[both.clone()], &cleaned[both.clone()]);
    let figures = Figures {
        early: erle(&room.echo, &cleaned, 2.0..4.0),
        settled: erle(&room.echo, &cleaned, 6.0..13.0),
        loss: attenuation(wanted, &room.echo[both.clone()], during),
        truth_before: decibels(power(&room.near[both.clone()]) / power(&room.echo[both])),
        truth: truth(wanted, during),
        drift: report.drift,
        delay: report.delay,
    };
    println!(
        "reverberation {reverberation:3} ms, drift {ppm:4} ppm: ERLE {:.1} dB (2-4 s), {:.1} dB (6-13 s); \
         both speak: {:.1} dB taken off, truth {:.1} dB before, {:.1} dB after; \
         found {:.1} ppm, {:?}",
        figures.early,
        figures.settled,
        figures.loss,
        figures.truth_before,
        figures.truth,
        figures.drift,
        figures.delay,
    );
    figures
}

fn check(reverberation: usize, ppm: f64, early: f64, settled: f64, loss: f64) {
    let figures = measure(reverberation, ppm);
    assert!(
        figures.early >= early,
        "ERLE at first: {:.1} dB",
        figures.early
    );
    assert!(
        figures.settled >= settled,
        "ERLE: {:.1} dB",
        figures.settled
    );
    assert!(
        figures.loss.abs() <= loss,
        "taken off: {:.1} dB",
        figures.loss
    );
    assert!(figures.truth >= 3.0, "truth: {:.1} dB", figures.truth);
    // The reference runs faster than a microphone whose samples last longer.
    assert!(
        (figures.drift - ppm).abs() < 15.0,
        "drift: {:.1} ppm",
        figures.drift
    );
    let delay = figures.delay.as_millis();
    assert!((60..=110).contains(&delay), "delay: {delay} ms");
}

#[test]
fn a_small_room() {
    check(60, 0.0, 35.0, 42.0, 2.0);
}

#[test]
fn a_meeting_room() {
    check(200, 0.0, 25.0, 42.0, 2.0);
}

#[test]
fn a_hall() {
    check(400, 0.0, 18.0, 40.0, 4.0);
}

#[test]
fn a_meeting_room_with_two_devices_that_drift_apart() {
    check(200, 100.0, 25.0, 42.0, 3.5);
}

#[test]
fn a_hall_with_two_devices_that_drift_apart() {
    check(400, -100.0, 18.0, 40.0, 5.5);
}

/// Someone moves the microphone: everything that was learnt is wrong.
#[test]
fn a_way_that_changes_is_learnt_anew() {
    let mut room = Room::new(200, 0.0);
    let moved = convolve(&room.far, &impulse_response(4, 81 * RATE / 1000, 200));
    let at = 8 * RATE;
    room.echo[at..].copy_from_slice(&moved[at..]);
    let cleaned = room.run(&mut VoiceProcessor::new(Mode::EchoOnly), true);
    let (first, then) = (
        erle(&room.echo, &cleaned, 8.0..9.0),
        erle(&room.echo, &cleaned, 10.5..13.0),
    );
    println!("a new way: ERLE {first:.1} dB in the first second, {then:.1} dB after 2.5 s");
    assert!(first >= 4.0, "{first:.1} dB");
    assert!(then >= 25.0, "{then:.1} dB");
}

/// The microphone's driver drops 50 ms.
#[test]
fn lost_samples_are_made_good() {
    let mut room = Room::new(200, 0.0);
    room.lost = 800..805;
    let cleaned = room.run(&mut VoiceProcessor::new(Mode::EchoOnly), true);
    let (before, then) = (
        erle(&room.echo, &cleaned, 6.0..8.0),
        erle(&room.echo, &cleaned, 11.0..13.0),
    );
    println!("50 ms are lost: ERLE {before:.1} dB before, {then:.1} dB three seconds later");
    assert!(before >= 40.0, "{before:.1} dB");
    assert!(then >= 40.0, "{then:.1} dB");
}

/// Noise of a fan at -50 dBFS, and a person at -38 dBFS.
#[test]
fn noise_is_suppressed_and_a_quiet_person_amplified() {
    let mut room = Room::new(200, 0.0);
    room.hiss = noise(9, -50.0, room.far.len());
    for sample in &mut room.near {
        *sample *= 0.25;
    }
    room.echo.fill(0.0);
    let level = |sound: &[f32], range| decibels(power(&sound[seconds(range)]));
    let taken = room.microphone(false);
    let cleaned = room.run(&mut VoiceProcessor::new(Mode::Full), false);
    let noise = level(&cleaned, 6.0..13.0) - level(&taken, 6.0..13.0);
    let voice = level(&cleaned, 16.0..19.0) - level(&taken, 16.0..19.0);
    println!("noise {noise:+.1} dB, voice {voice:+.1} dB");
    assert!(noise <= -3.0, "{noise:.1} dB");
    assert!((3.0..24.0).contains(&voice), "{voice:.1} dB");
    assert!(voice - noise >= 9.0, "{:.1} dB", voice - noise);
}
