// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The programs that stand beside a browser in benchmarks and scenarios: roomd/media/examples/parts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::project;

/// How a program was built.
#[derive(Clone, Copy)]
pub enum Profile {
    /// As tests are.
    Debug,
    /// As packages are.
    Release,
}

impl Profile {
    const fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Builds them.
pub fn build(profile: Profile) -> Result<()> {
    let common = ["build", "--workspace", "--example", "parts"];
    match profile {
        // The whole workspace, so that what it is built of is shared with the tests.
        Profile::Debug => project::cargo("building what stands beside a browser", &common),
        Profile::Release => project::cargo(
            "building what is measured",
            &[
                "build",
                "--release",
                "-p",
                "roomd-media",
                "--example",
                "parts",
            ],
        ),
    }
}

/// A running one; ends when dropped.
pub struct Part {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Value>,
}

impl Part {
    /// Starts one.
    pub fn start(profile: Profile, arguments: &[&str]) -> Result<Self> {
        let program = project::target()
            .join(profile.folder())
            .join("examples/parts");
        let mut child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let input = child.stdin.take().context("it has no input")?;
        let output = child.stdout.take().context("it has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(line) = serde_json::from_str(&line) else {
                    continue;
                };
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    /// Waits until it tells something of this name.
    pub fn hear(&self, name: &str) -> Result<Value> {
        // Making the pictures of a benchmark takes the longest.
        let patience = Duration::from_secs(120);
        loop {
            let line = self.lines.recv_timeout(patience);
            let mut line = line.with_context(|| format!("{name} was never told"))?;
            if let Some(value) = line.get_mut(name) {
                return Ok(value.take());
            }
        }
    }

    /// All numbers of this name that it has told since.
    pub fn heard(&self, name: &str) -> Vec<f64> {
        let lines = self.lines.try_iter();
        lines.filter_map(|line| line[name].as_f64()).collect()
    }

    /// Asks it for something.
    pub fn say(&mut self, word: &str) -> Result<()> {
        writeln!(self.input, "{word}").context("it has ended")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gets JSON from a part that serves.
pub fn get(address: &str, path: &str) -> Result<Value> {
    let mut stream = TcpStream::connect(address).context("it does not serve")?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        bail!("no answer to {path}");
    };
    ensure!(head.contains(" 200 "), "{path}: {head}");
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).with_context(|| format!("{path}: {body}"))
}
