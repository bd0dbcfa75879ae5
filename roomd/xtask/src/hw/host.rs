// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's shell, over SSH: the virtual room's or a real one's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long one script may take, in seconds: on a machine with much else to do, emulation is slow.
const LIMIT: u32 = 600;
/// How long to wait for a line of one that goes on.
const PATIENCE: Duration = Duration::from_secs(180);

/// A way in.
#[derive(Debug)]
pub struct Host {
    arguments: Vec<String>,
    /// What every script may call.
    prelude: String,
}

impl Host {
    /// The room of this name, by the rules of the user's own SSH.
    pub fn real(target: &str, prelude: String) -> Self {
        let arguments = ["-o", "BatchMode=yes", "--", target].map(str::to_owned);
        Self {
            arguments: arguments.to_vec(),
            prelude,
        }
    }

    /// The room behind a port of this machine, with a key that was made for it.
    pub fn local(port: u16, folder: &std::path::Path, prelude: String) -> Self {
        let path = |name: &str| -> PathBuf { folder.join(name) };
        let mut arguments = vec!["-F".to_owned(), "none".to_owned()];
        let options = [
            "BatchMode=yes".to_owned(),
            "StrictHostKeyChecking=no".to_owned(),
            "UserKnownHostsFile=/dev/null".to_owned(),
            "LogLevel=ERROR".to_owned(),
            "ConnectTimeout=30".to_owned(),
            "ServerAliveInterval=10".to_owned(),
            "ServerAliveCountMax=6".to_owned(),
            // One handshake, which is dear under emulation, for all commands.
            "ControlMaster=auto".to_owned(),
            "ControlPersist=yes".to_owned(),
            format!("ControlPath={}", path("ssh").display()),
            format!("IdentityFile={}", path("key").display()),
            format!("Port={port}"),
        ];
        for option in options {
            arguments.extend(["-o".to_owned(), option]);
        }
        arguments.extend(["--".to_owned(), "root@127.0.0.1".to_owned()]);
        Self { arguments, prelude }
    }

    /// Ends what commands share, so that a machine that begins anew is asked anew.
    pub fn disconnect(&self) {
        let mut command = Command::new("ssh");
        command.args(["-O", "exit"]).args(&self.arguments);
        // There may be nothing to end.
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }

    fn spawn(&self, limit: u32, script: &str) -> Result<Child> {
        let mut child = Command::new("ssh")
            .args(&self.arguments)
            // The script comes by the input, so that nothing in it needs quoting.
            .arg(format!(
                "timeout -k 5 {limit} sh -euc \"$(cat)\" room </dev/null"
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start ssh")?;
        let mut input = child.stdin.take().context("ssh has no input")?;
        write!(input, "{}\n{script}", self.prelude).context("ssh does not listen")?;
        Ok(child)
    }

    /// What a script writes, when it ends well.
    pub fn bytes(&self, script: &str) -> Result<Vec<u8>> {
        let output = self.spawn(LIMIT, script)?.wait_with_output()?;
        if !output.status.success() {
            let told = [
                &output.stdout[..output.stdout.len().min(2000)],
                &output.stderr,
            ]
            .concat();
            bail!(
                "the room answers {} to\n{}\n{}",
                output.status,
                script.trim(),
                String::from_utf8_lossy(&told).trim()
            );
        }
        Ok(output.stdout)
    }

    /// The same as text.
    pub fn text(&self, script: &str) -> Result<String> {
        let bytes = self.bytes(script)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// The same as a number.
    pub fn number(&self, script: &str) -> Result<f64> {
        let text = self.text(script)?;
        let last = text.lines().last().unwrap_or_default();
        last.trim()
            .parse()
            .with_context(|| format!("`{text}` is no number"))
    }

    /// Runs a script that goes on, and hears its lines.
    pub fn follow(&self, script: &str) -> Result<Following> {
        let mut child = self.spawn(LIMIT, script)?;
        let output = child.stdout.take().context("ssh has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Ok(Following { child, lines })
    }
}

/// A script that goes on; ends with the value.
pub struct Following {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Following {
    /// Waits for a line that contains this, and says when it came.
    pub fn wait(&self, wanted: &str) -> Result<(Instant, String)> {
        let deadline = Instant::now() + PATIENCE;
        let mut last = String::from("nothing");
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok((at, line)) if line.contains(wanted) => return Ok((at, line)),
                Ok((_, line)) => last = line,
                Err(_) => bail!("`{wanted}` was not heard; last was: {last}"),
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
