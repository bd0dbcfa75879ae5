// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The figures for people (roomd/media/BENCHMARKS.md) and for machines.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::figures::{Case, Cases, Decoder, median, range, received};
use super::receiver::Far;
use super::{FULL, MEASURED, ROUNDS};
use crate::project;

const FILE: &str = "roomd/media/BENCHMARKS.md";

/// Writes the table; returns its text.
pub fn write(cases: &Cases, far: &Far) -> Result<String> {
    let text = page(cases, far)?;
    std::fs::write(project::root().join(FILE), &text).context("cannot write the table")?;
    Ok(text)
}

/// Writes the figures as JSON.
pub fn report(path: &Path, cases: &Cases) -> Result<()> {
    let entries: Vec<Value> = cases.cases.iter().map(entry).collect();
    let text = serde_json::to_string_pretty(&entries)? + "\n";
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn entry(case: &Case) -> Value {
    let value = |values: &[f64]| (!values.is_empty()).then(|| rounded(median(values), 1));
    let ratio = |values: &[f64]| (!values.is_empty()).then(|| rounded(median(values), 3));
    let (to_chromium, to_limit) = (case.to_chromium(), case.to_limit());
    let (least, greatest) = range(&to_chromium);
    json!({
        "name": case.name,
        "unit": case.unit,
        "roomd": value(&case.room),
        "chromium": value(&case.chromium),
        "limit": value(case.limit()),
        "ratio_chromium": ratio(&to_chromium),
        "ratio_limit": ratio(&to_limit),
        "spread": rounded(greatest - least, 3),
    })
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

fn page(cases: &Cases, far: &Far) -> Result<String> {
    let mut text = String::from(HEAD);
    writeln!(text, "- Date: {}", chrono::Utc::now().format("%Y-%m-%d"))?;
    writeln!(text, "- Machine: {}", machine()?)?;
    writeln!(text, "- Chromium: {}", said("chromium", &["--version"])?)?;
    let name = received(FULL);
    let full = cases.cases.iter().find(|case| case.name == name);
    let decoder = full.map_or(Decoder::Libvpx, Case::decoder);
    writeln!(
        text,
        "- Limit: libvpx (`vp8dec`) or FFmpeg (`avdec_vp8`), whichever takes less; at {FULL} streams \
         `{}`",
        decoder.element()
    )?;
    writeln!(
        text,
        "- Streams: VP8, 640x360, 30 pictures a second, {:.0} kbit/s each",
        far.bits_per_second / 1000.0
    )?;
    writeln!(
        text,
        "- Rounds: {ROUNDS}, in turn; {} s for each figure",
        MEASURED.as_secs()
    )?;
    text.push_str(
        "\n| case | roomd | Chromium | limit | to Chromium | bar | to the limit | bar |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for case in &cases.cases {
        text.push_str(&row(case));
    }
    let least = |rates: &[Vec<f64>; 2]| [range(&rates[0]).0, range(&rates[1]).0];
    let ([sent_room, sent_browser], [shown_room, shown_browser]) =
        (least(&cases.sent), least(&cases.shown));
    writeln!(
        text,
        "\nWhat was done for it: the layer that was sent the least had {sent_room:.1} pictures a second \
         in roomd and\n{sent_browser:.1} in Chromium; the stream that was shown the least had \
         {shown_room:.1} and {shown_browser:.1}."
    )?;
    Ok(text)
}

fn row(case: &Case) -> String {
    let value = |values: &[f64]| {
        let (least, greatest) = range(values);
        match values {
            [] => "–".to_owned(),
            _ => format!("{:.1} ({least:.1}–{greatest:.1})", median(values)),
        }
    };
    let ratio = |values: &[f64]| {
        let (least, greatest) = range(values);
        match values {
            [] => "–".to_owned(),
            _ => format!("{:.2} ({least:.2}–{greatest:.2})", median(values)),
        }
    };
    let [to_chromium, to_limit] = case.bars();
    format!(
        "| {}, {} | {} | {} | {} | {} | {} | {} | {} |\n",
        case.name,
        case.unit,
        value(&case.room),
        value(&case.chromium),
        value(case.limit()),
        ratio(&case.to_chromium()),
        bar(to_chromium, &case.to_chromium()),
        ratio(&case.to_limit()),
        bar(to_limit, &case.to_limit()),
    )
}

/// What a ratio's median may be at the most, and whether it is more.
fn bar(bar: Option<f64>, ratios: &[f64]) -> String {
    match bar {
        None => "–".to_owned(),
        Some(bar) if median(ratios) > bar => format!("≤ {bar}, missed"),
        Some(bar) => format!("≤ {bar}"),
    }
}

fn machine() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism()?;
    let system = std::fs::read_to_string("/etc/os-release")?;
    let name = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    let name = name.unwrap_or_default().trim_matches('"');
    Ok(format!("{model}, {cores} cores, {name}"))
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

const HEAD: &str = "\
# Benchmarks

What the media engine costs, beside Chromium and beside what cannot be saved. `./x bench` measures and writes
this page, `./x bench --report FILE.json` the same figures for a machine. Nothing of it is a test: figures depend
on the machine, ratios less so.

**How.** A far end sends each receiver the same encoded pictures over a real connection (ICE, DTLS, SRTP, one m-line
for each stream) on loopback, and takes the receiver's own picture in three layers (1280x720, 640x360, 320x180). Both
receivers show the streams at the same places of 1920x1080 pixels, up to nine in their own size and sixteen
smaller. A time code in each picture proves every tile before anything is measured: in roomd's composed picture,
and in a screenshot of the browser. roomd is the engine in a process of its own, built for release, which composes
30 pictures a second and shows them nowhere; Chromium is headless, and all its processes count. Both take their own
picture from the same test picture; roomd draws it, Chromium reads it from a file. The limit is a process that decodes
the same pictures at the same pace on one thread with the fastest decoder, and does nothing else: it receives, composes
and sends nothing. CPU is processor time in per cent of one core, memory is proportional set size (PSS).

**Delay** is the age of a picture when it appears, by its time code: drawn, encoded and sent by the far end, read from
the screen by a third program. For this case alone both receivers have a window on Xvfb. Neither holds pictures back
longer than the network asks for: the browser's jitter buffer has a target of 0 ms, as the room's has.

**Ratios** are of the same round; behind each median stand the least and the greatest.

";
