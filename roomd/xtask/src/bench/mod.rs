// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `./x bench`: what the room costs, side by side with Chromium and with the bare decoder in the same
//! run.
//!
//! A far end sends both receivers the same encoded pictures, on a connection with one m-line for each;
//! both show them at the same places of 1920 by 1080 pixels, which is proved by the pictures' content
//! before anything is measured. Rounds take turns, so that what else the machine does hits all alike.

pub mod cost;
mod delay;
mod figures;
mod receiver;
mod table;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::lab::media_files;
use crate::part::{self, Part, Profile};
use crate::{kiosk, project};

use figures::{Cases, Decoder, Who};
use receiver::{Far, Sample};

/// How often everything is measured.
const ROUNDS: usize = 3;
/// Streams of the cases.
const STREAMS: [u32; 4] = [1, 4, 9, 16];
/// The case whose memory counts.
const FULL: u32 = 9;
/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(6);

/// Measures everything beside Chromium and writes the table, then runs the micro-benchmarks.
pub fn run(report: Option<&Path>) -> Result<()> {
    kiosk::build()?;
    part::build(Profile::Release)?;
    let camera = media_files::room_video()?;
    let far = Far::start()?;
    let mut cases = Cases::default();
    for round in 0..ROUNDS {
        project::say(&format!("round {} of {ROUNDS}", round + 1));
        for streams in STREAMS {
            // Neither is always the one that finds the machine as the other left it.
            let mut order = [Who::Room, Who::Chromium];
            order.rotate_left(round % 2);
            for who in order {
                let sample = receiver::measure(who, &far, streams, &camera)?;
                println!("{streams} streams, {}: {sample}", who.name());
                take(&mut cases, who, streams, &sample);
            }
            limit(&mut cases, &far, streams)?;
        }
        for who in [Who::Room, Who::Chromium] {
            let ages = delay::measure(who, &far)?;
            println!("delay, {}: {:.0} ms", who.name(), figures::median(&ages));
            cases.add("delay on loopback", "ms", who, figures::median(&ages));
        }
    }
    cases.finish();
    let text = table::write(&cases, &far)?;
    println!("{text}");
    if let Some(path) = report {
        table::report(path, &cases)?;
    }
    project::cargo(
        "micro-benchmarks",
        &["bench", "-p", "roomd-media-core", "-p", "roomd-voice"],
    )
}

fn take(cases: &mut Cases, who: Who, streams: u32, sample: &Sample) {
    let received = figures::received(streams);
    cases.add(&received, "% of a core", who, sample.receiving);
    cases.add(&figures::both(streams), "% of a core", who, sample.both);
    cases.sent(who, sample.sent);
    cases.shown(who, sample.shown);
    if streams == FULL {
        cases.add(&figures::memory(streams), "MB", who, sample.memory);
    }
    if streams == 1 {
        cases.add("join, to the first picture", "ms", who, sample.joined);
    }
}

/// The same pictures, only decoded: by libvpx and by FFmpeg, where it is installed.
fn limit(cases: &mut Cases, far: &Far, streams: u32) -> Result<()> {
    for decoder in [Decoder::Libvpx, Decoder::Ffmpeg] {
        if decoder.is_missing() {
            continue;
        }
        let count = streams.to_string();
        let arguments = ["limit", &far.address, &count, decoder.element()];
        let part = Part::start(Profile::Release, &arguments)?;
        part.hear("decodes")?;
        let pid = part.pid();
        let cpu = cost::cpu(|| Ok(vec![pid]), MEASURED)?;
        println!(
            "{streams} streams, only {}: {cpu:.1} % of a core",
            decoder.element()
        );
        cases.add(
            &figures::received(streams),
            "% of a core",
            Who::Limit(decoder),
            cpu,
        );
        cases.add(
            &figures::both(streams),
            "% of a core",
            Who::Limit(decoder),
            cpu,
        );
        if streams == FULL {
            let memory = cost::memory(&[pid]);
            cases.add(&figures::memory(streams), "MB", Who::Limit(decoder), memory);
        }
    }
    Ok(())
}
