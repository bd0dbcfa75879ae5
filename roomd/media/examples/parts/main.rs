// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What `./x bench` and `./x lab sixteen` start beside a browser, each in a process of its own.
//!
//! ```text
//! parts far                           sends pictures to whoever connects, and takes its own
//! parts room FAR STREAMS [DISPLAY]    the engine, connected to a far end
//! parts limit FAR STREAMS DECODER     decodes the same pictures and does nothing else
//! parts eye DISPLAY WIDTH HEIGHT      how old pictures are when they appear on an X screen
//! parts stage                         the engine as a browser's other end
//! ```
//!
//! FAR is `address:port`, DISPLAY an X server, DECODER an element of GStreamer. Each writes JSON, one
//! object a line, and ends with its standard input.
#![allow(
    clippy::print_stdout,
    reason = "the programs that start this one read its output"
)]

mod clip;
mod eye;
mod far;
mod grid;
mod limit;
mod room;
mod stage;
mod web;

use anyhow::{Context, Result, bail};
use serde_json::Value;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u32>().context("a number is expected");
    match words[..] {
        ["far"] => run(far::run()),
        ["room", far, streams] => run(room::run(far, number(streams)?, None)),
        ["room", far, streams, display] => run(room::run(far, number(streams)?, Some(display))),
        ["limit", far, streams, decoder] => limit::run(far, number(streams)?, decoder),
        ["eye", display, width, height] => eye::run(display, number(width)?, number(height)?),
        ["stage"] => run(stage::run()),
        _ => bail!("see the first lines of this program"),
    }
}

fn run(part: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(part)
}

/// Tells whoever started the program.
fn tell(value: &Value) {
    println!("{value}");
}

/// Ends the process with its standard input, whatever it does then.
fn end_with_input() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
}
