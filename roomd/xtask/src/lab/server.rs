// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A server's process: started, watched while it becomes ready, stopped, and started again.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::wait;

/// How long a server may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How much of a log an error tells.
const LAST_LINES: usize = 20;

/// Ends with the value.
pub struct Server {
    name: String,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// Starts what the command says. What it writes goes to `NAME.log` in the folder.
    pub fn start(
        name: &str,
        command: Command,
        folder: &Path,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self> {
        let mut server = Self {
            name: name.to_owned(),
            command,
            log: folder.join(format!("{name}.log")),
            child: None,
        };
        server.resume(is_ready)?;
        Ok(server)
    }

    /// Starts it again, after it was stopped or killed.
    pub fn resume(&mut self, is_ready: impl Fn() -> bool) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        self.child = Some(child);
        let mut ended = None;
        wait::until(&self.name, || {
            ended = self.child.as_mut().and_then(|child| child.try_wait().ok()?);
            Ok((ended.is_some() || is_ready()).then_some(()))
        })
        .with_context(|| self.last_lines())?;
        if let Some(status) = ended {
            bail!("{} ended with {status}:\n{}", self.name, self.last_lines());
        }
        Ok(())
    }

    /// Ends it as systemd does.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        end(child);
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        self.child.take().into_iter().for_each(end);
    }

    /// What it wrote so far.
    pub fn log(&self) -> Result<String> {
        let bytes = std::fs::read(&self.log)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn last_lines(&self) -> String {
        let log = self.log().unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
