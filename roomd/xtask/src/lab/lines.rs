// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A program on Node.js that is driven by lines of JSON (kiosk/tests/agent/lines.mjs).

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::wait::PATIENCE;

/// An answer takes no longer than what is waited for.
const REPLY_LIMIT: Duration = Duration::from_secs(PATIENCE.as_secs() + 15);
/// How often it is looked whether a program ended by itself.
const LOOKS: u32 = 60;

/// Ends with the value.
pub struct Lines {
    name: &'static str,
    program: Child,
    /// Its input, whose end is the program's.
    commands: Option<ChildStdin>,
    replies: Receiver<String>,
    next: u64,
}

impl Lines {
    /// Starts `node` with what else the command has; `prepare` adds it.
    pub fn start(
        name: &'static str,
        program: &Path,
        prepare: impl FnOnce(&mut Command) -> Result<()>,
    ) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0);
        prepare(&mut command)?;
        let mut program = command.spawn().context("cannot start node")?;
        let commands = program.stdin.take();
        let output = program.stdout.take().context("node has no output")?;
        let (lines, replies) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            name,
            program,
            commands,
            replies,
            next: 0,
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.program.id()
    }

    /// Sends one command and gives its result.
    pub fn call(&mut self, mut command: Value) -> Result<Value> {
        let name = self.name;
        self.next += 1;
        command["id"] = self.next.into();
        let text = serde_json::to_string(&command)?;
        let commands = self.commands.as_mut().context("no input")?;
        writeln!(commands, "{text}").with_context(|| format!("the {name} is gone"))?;
        loop {
            let line = self
                .replies
                .recv_timeout(REPLY_LIMIT)
                .with_context(|| format!("no reply from the {name} to {text}"))?;
            let Ok(mut reply) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if reply["id"] != self.next {
                continue;
            }
            if let Some(error) = reply["error"].as_str() {
                bail!("{name}: {}: {error}", command["command"]);
            }
            return Ok(reply["ok"].take());
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        drop(self.commands.take());
        for _ in 0..LOOKS {
            if matches!(self.program.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
