// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! `./x fuzz`: looks for input that does harm, from the corpora of roomd-fuzz on.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::project;

/// Counters for libFuzzer; plain code generation, so that the stable compiler makes them.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// An input that takes longer has hung, in seconds.
const HUNG: u32 = 25;
/// In megabytes; more is a leak.
const MEMORY: u32 = 1536;
/// Longest input, in bytes.
const LONGEST: u32 = 16_384;

/// Fuzzes one target for so many seconds. What is new goes to a folder below `target/fuzz`, so that
/// the corpus holds only what somebody chose; `minimise` adds the fewest that reach as much.
pub fn run(target: &str, seconds: u32, minimise: bool) -> Result<()> {
    let corpus = project::root().join("roomd/fuzz/corpus").join(target);
    if !corpus.is_dir() {
        bail!("no target is named {target}: {}", names()?.join(", "));
    }
    let found = folder("found", target)?;
    let harmful = folder("harmful", target)?;
    let program = build()?;
    let mut command = Command::new(program);
    command
        .current_dir(project::root())
        .env("ROOMD_FUZZ_TARGET", target)
        .arg(format!("-artifact_prefix={}/", harmful.display()))
        .arg(format!("-timeout={HUNG}"))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-max_len={LONGEST}"));
    if minimise {
        command.arg("-set_cover_merge=1").arg(&corpus).arg(&found);
    } else {
        command
            .arg(format!("-max_total_time={seconds}"))
            .arg("-print_final_stats=1")
            .arg(&found)
            .arg(&corpus);
    }
    project::run(&format!("fuzzing {target}"), &mut command)
}

fn build() -> Result<PathBuf> {
    let place = project::target().join("fuzz");
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = Command::new("cargo");
    command
        .current_dir(project::root())
        .env("RUSTFLAGS", INSTRUMENTATION)
        // What is built once needs no state for the next time, which is large.
        .env("CARGO_INCREMENTAL", "0")
        .args(["build", "--locked", "--package", "roomd-fuzz"])
        .args(["--bin", "fuzz", "--features", "libfuzzer"])
        // Apart from build scripts, which must not be instrumented.
        .args(["--target", &triple, "--target-dir"])
        .arg(&place);
    project::run("building the fuzzer", &mut command)?;
    Ok(place.join(triple).join("debug/fuzz"))
}

fn folder(kind: &str, target: &str) -> Result<PathBuf> {
    let path = project::target().join("fuzz").join(kind).join(target);
    std::fs::create_dir_all(&path)?;
    Ok(path)
}

fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(project::root().join("roomd/fuzz/corpus"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
