// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Whole calls in virtual time: packets that come late, early, in bursts or not at all, and what is
//! heard of them.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use roomd_model::StreamId;

use super::source::{CAPACITY, LIMIT};
use super::{BLOCK, Fitted, Mixer};
use crate::jitter::{Config, JitterBuffer, Playout};

const A: StreamId = StreamId(1);
const PACKET: usize = 960;
/// How long a packet is under way.
const TRANSIT: f64 = 40.0;
const START: u64 = 1 << 33;

struct Dice(u32);

impl Dice {
    /// From 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 24)
    }
}

/// A tone that repeats after 1200 samples.
fn tone() -> Vec<i16> {
    let omega = std::f64::consts::TAU * 440.0 / 48_000.0;
    let sample = |n| (f64::from(n) * omega).sin() * 8000.0;
    (0..1200).map(|n| sample(n).round() as i16).collect()
}

/// Ten seconds of voice: syllables of a gliding pitch, hisses, and pauses with some noise.
fn speech() -> Vec<i16> {
    let mut dice = Dice(1);
    let (mut phase, mut hiss) = (0.0, 0.0);
    let sample = |n: u32| {
        let time = f64::from(n) / 48_000.0;
        let (syllable, within) = (n / 12_000, f64::from(n % 12_000) / 12_000.0);
        phase += (140.0 + 45.0 * (time * 2.3).sin()) / 48_000.0;
        hiss += (dice.roll() - 0.5 - hiss) * 0.3;
        let envelope = (within * std::f64::consts::PI).sin().powi(2);
        let (voiced, hissed) = match syllable % 8 {
            3 => (0.0, envelope * 3000.0),
            7 => (0.0, 30.0),
            _ => (envelope * 6000.0, 30.0),
        };
        let harmonic = |k: u32| (std::f64::consts::TAU * phase * f64::from(k)).sin() / f64::from(k);
        let voice: f64 = (1..=16).map(harmonic).sum();
        (voice * voiced + hiss * hissed).round() as i16
    };
    (0..480_000).map(sample).collect()
}

/// What was heard of a call, block by block.
#[derive(Default)]
struct Heard {
    sound: Vec<i16>,
    /// The media time of each block's begin.
    media: Vec<Option<u64>>,
    queued: Vec<usize>,
    fitted: Vec<Fitted>,
}

impl Heard {
    fn block(&mut self, mixer: &mut Mixer) {
        let media = mixer.playing().next();
        self.media.push(media.map(|(_, media)| media - START));
        let mut block = [0; BLOCK];
        mixer.mix(&mut block);
        self.sound.extend(block);
        self.queued.push(mixer.queued(A));
        self.fitted.extend(mixer.fitted().map(|(_, fitted)| fitted));
    }

    /// From capture until it is heard, in milliseconds: the most in a second of the call.
    fn delay(&self, second: usize) -> f64 {
        let blocks = second * 100..(second + 1) * 100;
        let delay = |n: usize| Some(n as f64 * 10.0 - self.media[n]? as f64 / 48.0);
        blocks.filter_map(delay).fold(f64::MIN, f64::max)
    }

    fn total(&self) -> Fitted {
        *self.fitted.last().unwrap()
    }

    fn seconds(&self, from: usize, to: usize) -> &[i16] {
        &self.sound[from * 48_000..to * 48_000]
    }
}

/// Plays a sound again and again. Each packet comes when `arrival` says, told when it was sent, in
/// milliseconds.
fn call(sound: &[i16], seconds: usize, mut arrival: impl FnMut(f64) -> f64) -> Heard {
    let mut packets: Vec<(f64, usize)> = (0..seconds * 50)
        .map(|number| (arrival((number + 1) as f64 * 20.0) + TRANSIT, number))
        .collect();
    packets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut packets = packets.into_iter().peekable();
    let mut mixer = Mixer::default();
    mixer.add(A);
    let mut heard = Heard::default();
    for block in 0..seconds * 100 {
        while let Some((_, number)) = packets.next_if(|next| next.0 <= block as f64 * 10.0) {
            let media = number * PACKET;
            mixer.push_at(A, &packet(sound, media), START + media as u64);
        }
        heard.block(&mut mixer);
    }
    heard
}

fn packet(sound: &[i16], media: usize) -> Vec<i16> {
    let begin = media % sound.len();
    let sound = sound[begin..].iter().chain(sound.iter().cycle());
    sound.take(PACKET).copied().collect()
}

/// The greatest step from sample to sample.
fn step(sound: &[i16]) -> i32 {
    let step = |w: &[i16]| (i32::from(w[1]) - i32::from(w[0])).abs();
    sound.windows(2).map(step).max().unwrap()
}

/// The greatest second difference of a sound: a click has far more of it than a voice.
fn bend(sound: &[i16]) -> i32 {
    let bend = |w: &[i16]| (i32::from(w[0]) - 2 * i32::from(w[1]) + i32::from(w[2])).abs();
    sound.windows(3).map(bend).max().unwrap()
}

/// The frequency of a tone, from where it crosses zero.
fn hertz(sound: &[i16]) -> f64 {
    let rises = |(n, w): (usize, &[i16])| {
        let (one, two) = (f64::from(w[0]), f64::from(w[1]));
        (one < 0.0 && two >= 0.0).then(|| n as f64 + one / (one - two))
    };
    let rises: Vec<f64> = sound.windows(2).enumerate().filter_map(rises).collect();
    (rises.len() - 1) as f64 / (rises[rises.len() - 1] - rises[0]) * 48_000.0
}

/// Uneven by 15 ms; what is sent in the 11th second waits until 200 ms of it are late.
fn spike(dice: &mut Dice) -> impl FnMut(f64) -> f64 + '_ {
    move |sent| {
        let held = if (10_000.0..10_200.0).contains(&sent) {
            10_200.0 - sent
        } else {
            0.0
        };
        sent + held.max(dice.roll() * 15.0)
    }
}

#[test]
fn after_a_delay_spike_a_tone_is_back_in_time_and_stays_a_tone() {
    let tone = tone();
    let heard = call(&tone, 30, spike(&mut Dice(7)));
    let (before, after) = (heard.delay(9), heard.delay(11));
    println!("{before:.0} ms, {after:.0} ms after the spike");
    assert!(before < TRANSIT + 20.0 + 15.0 + 35.0, "{before}");
    assert!(after > before + 80.0, "{after}: the spike is no test");
    for second in 16..30 {
        let delay = heard.delay(second);
        assert!(delay < before + 15.0, "{delay} ms in second {second}");
    }
    let total = heard.total();
    println!("{total:?}");
    assert!(total.skipped == 0 && total.missing > 0 && total.compressed > 4000);
    // Nothing of the run-out, the return, or the pieces left out is heard as a click.
    let (steps, bends) = (step(&heard.sound[9600..]), bend(&heard.sound[9600..]));
    println!(
        "steps {steps} of {}, bends {bends} of {}",
        step(&tone),
        bend(&tone)
    );
    assert!(f64::from(steps) < f64::from(step(&tone)) * 1.1, "{steps}");
    assert!(bends < bend(&tone) * 2, "{bends}");
    // A cut of 140 ms, as a measure.
    let naive = [&tone[..1030], &tone[1030 - 60..]].concat();
    assert!(bend(&naive) > bend(&tone) * 4, "{}", bend(&naive));
    for second in (5..30).filter(|second| *second != 10) {
        let hertz = hertz(heard.seconds(second, second + 1));
        assert!(
            (hertz / 440.0 - 1.0).abs() < 0.005,
            "{hertz} Hz in second {second}"
        );
    }
}

#[test]
fn after_a_delay_spike_a_voice_is_back_in_time_without_a_click() {
    let speech = speech();
    let heard = call(&speech, 30, spike(&mut Dice(3)));
    let (before, after) = (heard.delay(9), heard.delay(11));
    println!(
        "{before:.0} ms, {after:.0} ms after the spike, {:?}",
        heard.total()
    );
    assert!(after > before + 80.0, "{after}: the spike is no test");
    for second in 16..30 {
        let delay = heard.delay(second);
        assert!(delay < before + 20.0, "{delay} ms in second {second}");
    }
    assert_eq!(heard.total().skipped, 0);
    let (steps, bends) = (step(&heard.sound), bend(&heard.sound));
    println!(
        "steps {steps} of {}, bends {bends} of {}",
        step(&speech),
        bend(&speech)
    );
    assert!(f64::from(steps) < f64::from(step(&speech)) * 1.2, "{steps}");
    assert!(f64::from(bends) < f64::from(bend(&speech)) * 1.2, "{bends}");
}

#[test]
fn a_clock_that_is_off_is_followed_for_10_minutes_without_a_gap() {
    for (sound, name) in [(tone(), "tone"), (speech(), "speech")] {
        for ppm in [-200.0, -100.0, 100.0, 200.0] {
            // What is sent fast is sent after fewer of our milliseconds.
            let mut dice = Dice(5);
            let heard = call(&sound, 600, |sent| {
                sent * (1.0 - ppm / 1e6) + dice.roll() * 4.0
            });
            let (total, most) = (heard.total(), heard.queued[100..].iter().max().unwrap());
            let added = total.stretched as f64 - total.compressed as f64;
            let off = added / 48.0 + ppm / 1e6 * 600e3;
            println!("{name}, {ppm} ppm: {total:?}, at most {most} queued, {off:.1} ms off");
            assert_eq!((total.missing, total.skipped), (0, 0));
            assert!(*most < 7 * BLOCK / 2 + PACKET, "{most} are queued");
            assert!(off.abs() < 40.0, "{off} ms are not accounted for");
            assert!(bend(&heard.sound[9600..]) <= bend(&sound) * 3 / 2);
        }
    }
}

#[test]
fn after_an_outage_of_2_seconds_most_of_what_comes_at_once_is_skipped() {
    let tone = tone();
    let heard = call(&tone, 25, |sent| {
        if (10_000.0..12_000.0).contains(&sent) {
            12_000.0
        } else {
            sent
        }
    });
    let (before, total) = (heard.delay(9), heard.total());
    println!("{before:.0} ms, {total:?}");
    assert!(*heard.queued.iter().max().unwrap() <= LIMIT);
    assert!((1.2..2.0).contains(&(total.skipped as f64 / 48_000.0)));
    assert!((1.8..2.1).contains(&(total.missing as f64 / 48_000.0)));
    // What was heard last fades, and nothing is heard until there is more.
    assert!(
        heard.sound[10 * 48_000 + 7200..12 * 48_000]
            .iter()
            .all(|s| *s == 0)
    );
    let back = &heard.sound[12 * 48_000 + 4800..];
    assert!(
        back.chunks(480)
            .all(|block| block.iter().any(|s| *s > 7000))
    );
    assert!(bend(&heard.sound[9600..]) < bend(&tone) * 2);
    for second in 14..25 {
        let delay = heard.delay(second);
        assert!(delay < before + 25.0, "{delay} ms in second {second}");
    }
}

/// The time from the first piece that is left out until the surplus is gone, in blocks.
fn compressing(sound: &[i16]) -> usize {
    let heard = call(sound, 30, spike(&mut Dice(7)));
    let (calm, total) = (heard.fitted[1000].compressed, heard.total().compressed);
    assert!(total > calm + 5000, "{calm} {total}");
    let part = |part: u64| {
        let reached = |fitted: &Fitted| fitted.compressed > calm + (total - calm) * part / 10;
        heard.fitted.iter().position(reached).unwrap()
    };
    part(8) - part(0)
}

#[test]
fn silence_is_compressed_fastest() {
    let mut dice = Dice(9);
    let noise: Vec<i16> = (0..48_000)
        .map(|_| (dice.roll() * 40.0 - 20.0) as i16)
        .collect();
    let (zeros, noise, tone) = (
        compressing(&[0; 960]),
        compressing(&noise),
        compressing(&tone()),
    );
    println!("{zeros} and {noise} blocks in silence, {tone} in a tone");
    assert!(zeros.max(noise) * 4 < tone);
}

#[test]
fn the_media_time_is_that_of_what_is_heard() {
    // Noise is like itself at one place alone; its pauses are where most of it is changed.
    let (mut dice, mut low) = (Dice(11), 0.0);
    let noise = |n: u32| {
        low += (dice.roll() - 0.5 - low) * 0.2;
        let loud = if n / 24_000 % 4 == 3 { 60.0 } else { 16_000.0 };
        (low * loud) as i16
    };
    let noise: Vec<i16> = (0..30 * 48_000).map(noise).collect();
    let mut jitter = Dice(7);
    let mut late = spike(&mut jitter);
    let heard = call(&noise, 30, |sent| late(sent * (1.0 - 150e-6)));
    let total = heard.total();
    assert!(total.compressed > 4000 && total.stretched > 0, "{total:?}");
    let mut off = Vec::new();
    let blocks = heard.sound.chunks(BLOCK).zip(&heard.media);
    for (block, media) in blocks.step_by(5) {
        let Some(media) = *media else { continue };
        let media = media as usize;
        if media < 1000 || media + 2000 > noise.len() {
            continue;
        }
        let likeness = |place: usize| {
            let pairs = block.iter().zip(&noise[place..]);
            let product: f64 = pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let power = |s: &[i16]| s.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            product / (power(block) * power(&noise[place..place + BLOCK])).sqrt()
        };
        let places = media - 960..media + 960;
        let best = places
            .max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)))
            .unwrap();
        if likeness(best) > 0.7 {
            off.push(best.abs_diff(media));
        }
    }
    off.sort_unstable();
    let (half, most) = (off[off.len() / 2], off[off.len() - 1]);
    println!(
        "{} blocks: off by {half} samples in half of them, {most} at most",
        off.len()
    );
    assert!(off.len() > 540, "{}", off.len());
    assert!(half == 0 && most <= 720, "{half} {most}");
}

#[test]
fn a_sender_that_is_silent_is_not_late() {
    let speech = speech();
    let mut mixer = Mixer::default();
    mixer.add(A);
    let mut heard = Heard::default();
    // Two seconds of voice, one in which nothing is sent, and so on.
    for block in 0..6000 {
        let media = block / 2 * PACKET;
        if block % 2 == 0 && block % 300 < 200 {
            mixer.push_at(A, &packet(&speech, media), START + media as u64);
        }
        heard.block(&mut mixer);
    }
    let total = heard.total();
    assert_eq!((total.missing, total.skipped), (0, 0), "{total:?}");
    for second in (0..60).filter(|second| second % 3 != 2) {
        let delay = heard.delay(second);
        assert!(delay < 25.0, "{delay} ms in second {second}");
    }
}

#[test]
fn what_the_jitter_buffer_changes_is_neither_cut_nor_missed() {
    let tone = tone();
    let (mut mixer, mut heard) = (Mixer::default(), Heard::default());
    mixer.add(A);
    let config = Config {
        min: Duration::ZERO,
        ..Config::sound(PACKET as u32)
    };
    let mut buffer = JitterBuffer::new(48_000, config);
    let (start, mut dice) = (Instant::now(), Dice(13));
    let at = |ms: f64| start + Duration::from_secs_f64(ms / 1e3);
    let mut packets: Vec<(f64, usize)> = (0..90 * 50)
        .map(|number| {
            let sent = (number + 1) as f64 * 20.0;
            // The network is bad for ten seconds.
            let uneven = if (200..700).contains(&number) {
                120.0
            } else {
                5.0
            };
            (sent + TRANSIT + dice.roll() * uneven, number)
        })
        .collect();
    packets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut packets = packets.into_iter().peekable();
    for tick in 0..90_000 {
        let now = at(f64::from(tick));
        while let Some((arrived, number)) = packets.next_if(|next| next.0 <= f64::from(tick)) {
            buffer.push(START + (number * PACKET) as u64, at(arrived), number, false);
        }
        while let Some(playout) = buffer.poll(now) {
            let (Playout::Frame { rtp_time, .. } | Playout::Lost { rtp_time, .. }) = playout;
            mixer.push_at(A, &packet(&tone, (rtp_time - START) as usize), rtp_time);
        }
        if tick % 10 == 0 {
            heard.block(&mut mixer);
        }
        // Lip-sync: longer in the 60th second, shorter again in the 75th.
        match tick {
            60_000 => buffer.extra_delay(Duration::from_millis(120)),
            75_000 => buffer.extra_delay(Duration::ZERO),
            _ => {}
        }
    }
    let (total, bad) = (heard.total(), heard.fitted[2000]);
    println!("{total:?}, of it while the network was bad {bad:?}");
    let delays = [3, 13, 58, 72, 88].map(|second| heard.delay(second));
    println!("{delays:.0?} ms");
    assert_eq!(total.skipped, 0);
    assert_eq!(total.missing, bad.missing, "missing later");
    assert!(delays[1] > delays[0] + 80.0 && delays[2] < delays[0] + 25.0);
    assert!((100.0..145.0).contains(&(delays[3] - delays[2])));
    assert!(delays[4] < delays[0] + 25.0);
    assert!(bend(heard.seconds(15, 90)) < bend(&tone) * 2);
}

#[derive(Clone, Debug)]
enum Op {
    Push(usize, i16, Option<u64>),
    Mix(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![0..5_usize, 400..1500_usize, Just(PACKET), Just(40_000)];
    let media = prop_oneof![
        Just(None),
        any::<u64>().prop_map(Some),
        (0..9000_u64).prop_map(Some)
    ];
    prop_oneof![
        (size, any::<i16>(), media).prop_map(|(size, seed, media)| Op::Push(size, seed, media)),
        (1..30_usize).prop_map(Op::Mix),
    ]
}

proptest! {
    #[test]
    fn no_sound_of_any_size_and_time_does_harm(ops in proptest::collection::vec(op(), 1..80)) {
        let mut mixer = Mixer::default();
        mixer.add(A);
        let mut pushed = 0;
        for op in ops {
            match op {
                Op::Push(size, seed, media) => {
                    let sample = |n: usize| seed.wrapping_mul(n as i16 | 1).rotate_left(n as u32 % 7);
                    let samples: Vec<i16> = (0..size).map(sample).collect();
                    pushed += size as u64;
                    match media {
                        Some(media) => mixer.push_at(A, &samples, media),
                        None => mixer.push(A, &samples),
                    }
                }
                Op::Mix(count) => for _ in 0..count {
                    mixer.mix(&mut [0; BLOCK]);
                }
            }
            prop_assert!(mixer.queued(A) <= CAPACITY);
            let (_, fitted) = mixer.fitted().next().unwrap();
            prop_assert!(mixer.queued(A) as u64 + fitted.skipped + fitted.compressed
                <= pushed + fitted.stretched);
        }
    }
}
