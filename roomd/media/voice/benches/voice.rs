// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a second of the room's voice costs; a tenth of a second is 10 % of a core.

use std::time::{Duration, Instant};

use divan::Bencher;
use roomd_voice::{Mode, VoiceProcessor};

const BLOCK: usize = 480;

fn main() {
    divan::main();
}

#[divan::bench]
fn second_of_echo_only(bencher: Bencher) {
    second(bencher, Mode::EchoOnly);
}

#[divan::bench]
fn second_of_everything(bencher: Bencher) {
    second(bencher, Mode::Full);
}

fn second(bencher: Bencher, mode: Mode) {
    let mut dice = 1_u32;
    let noise: Vec<i16> = std::iter::repeat_with(|| {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (dice >> 18) as i16 - 8192
    })
    .take(100 * BLOCK)
    .collect();
    let mut voice = VoiceProcessor::new(mode);
    let (mut at, mut cleaned) = (Instant::now(), Vec::new());
    bencher.bench_local(|| {
        for block in noise.chunks(BLOCK) {
            voice.render(block, at);
            at += Duration::from_millis(10);
            cleaned.clear();
            voice.capture(block, at, &mut cleaned);
        }
    });
}
