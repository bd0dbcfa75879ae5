// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The virtual machine: QEMU, which emulates the processor, so that it runs wherever the tests do.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::image::{self, Image};
use crate::lab::room::free_port;
use crate::project;

/// When a boot counts as failed; it takes half a minute on two idle cores.
const PATIENCE: Duration = Duration::from_secs(300);
/// What the guest's init writes last.
const READY: &str = "room ready";
const LAST_LINES: usize = 30;
/// What roomd keeps over a power cut fits in it.
const KEPT: &str = "32M";
/// The graphics card's name in QEMU.
const CARD: &str = "card";
/// What the monitor writes before each command.
const PROMPT: &str = "(qemu) ";

/// What it is built of, beside what every virtual room has.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// In MiB.
    memory: u32,
    /// Of the graphics card. There is a display on the first; the others' cables are the cases' concern.
    outputs: u32,
}

/// For devices and for roomd.
pub const PLAIN: Build = Build {
    memory: 1536,
    outputs: 2,
};
/// For a browser on a screen of its own.
pub const SCREENS: Build = Build {
    memory: 3072,
    outputs: 2,
};

/// A running one; ends with the value.
pub struct Machine {
    child: Child,
    folder: TempDir,
    /// Where its SSH is, on this machine's loopback.
    pub port: u16,
    /// Where its panel and guests are, there and here.
    pub web: u16,
    /// How long the last boot took.
    pub boot: Duration,
    boots: usize,
}

impl Machine {
    /// Boots the image, with the room's programs where there are any.
    pub fn boot(image: &Image, build: Build, programs: Option<&Path>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("roomd-hw-").tempdir()?;
        let key = make_key(folder.path())?;
        let initrd = folder.path().join("initrd");
        std::fs::write(&initrd, image.initrd(&key)?)?;
        let (port, web) = (free_port()?, free_port()?);
        project::say("booting the virtual room");
        let mut command = emulator(image, build, folder.path(), port, web);
        if let Some(programs) = programs {
            let kept = folder.path().join("kept.ext4");
            image::empty_disk(&kept, KEPT)?;
            for (disk, snapshot) in [(programs, "on"), (kept.as_path(), "off")] {
                let drive = format!(
                    "file={},if=virtio,format=raw,snapshot={snapshot}",
                    disk.display()
                );
                command.arg("-drive").arg(drive);
            }
        }
        let log = std::fs::File::create(folder.path().join("qemu.log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start QEMU")?;
        let mut machine = Self {
            child,
            folder,
            port,
            web,
            boot: Duration::ZERO,
            boots: 0,
        };
        machine.wait()?;
        eprintln!(
            "    booting the virtual room: {}",
            project::seconds(machine.boot)
        );
        Ok(machine)
    }

    /// Where keys and logs are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Takes its power away for a moment, and waits until it is ready again.
    pub fn reset(&mut self) -> Result<()> {
        self.order("system_reset")?;
        self.wait()
    }

    /// What the display on an output shows, as a PPM file. The first output is 0.
    pub fn picture(&self, output: u32) -> Result<Vec<u8>> {
        let file = self.path(&format!("display-{output}.ppm"));
        self.order(&format!("screendump {} {CARD} {output}", file.display()))?;
        std::fs::read(&file).context("QEMU made no picture of the display")
    }

    /// Gives QEMU's monitor an order.
    fn order(&self, order: &str) -> Result<()> {
        let mut monitor =
            UnixStream::connect(self.path("monitor")).context("QEMU has no monitor")?;
        monitor.write_all(format!("{order}\n").as_bytes())?;
        // It has done so when it asks for the next one.
        let mut heard = Vec::new();
        let mut byte = [0];
        while String::from_utf8_lossy(&heard).matches(PROMPT).count() < 2 {
            monitor
                .read_exact(&mut byte)
                .context("QEMU's monitor went away")?;
            heard.extend(byte);
        }
        Ok(())
    }

    /// For how long it wanted a processor and got none, since it was started: the most of its threads.
    pub fn starved(&self) -> Result<Duration> {
        let tasks = PathBuf::from(format!("/proc/{}/task", self.child.id()));
        let mut most = 0;
        for task in std::fs::read_dir(tasks).context("QEMU has ended")? {
            // Time on a processor, time of waiting for one, both in nanoseconds, and turns
            // (Documentation/scheduler/sched-stats.rst of the Linux kernel). A thread may have ended.
            let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let waited = text
                .split_whitespace()
                .nth(1)
                .and_then(|word| word.parse().ok());
            most = most.max(waited.unwrap_or(0));
        }
        Ok(Duration::from_nanos(most))
    }

    fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        self.boots += 1;
        loop {
            let console = std::fs::read(self.path("console.log")).unwrap_or_default();
            let console = String::from_utf8_lossy(&console).into_owned();
            if console.matches(READY).count() >= self.boots {
                break;
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let lines: Vec<&str> = console.lines().collect();
                let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
                let own = std::fs::read_to_string(self.path("qemu.log")).unwrap_or_default();
                bail!(
                    "the virtual room does not boot:\n{}\n{own}",
                    last.join("\n")
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.boot = begun.elapsed();
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::env::var_os("ROOMD_LAB_KEEP").is_some() {
            self.folder.disable_cleanup(true);
            eprintln!("kept {}", self.folder.path().display());
        }
    }
}

fn emulator(image: &Image, build: Build, folder: &Path, port: u16, web: u16) -> Command {
    let path = |name: &str| folder.join(name).display().to_string();
    // It ends with this program, whatever ends that. Whoever works at this machine comes first.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "chrt"]);
    command.args([
        "--idle",
        "0",
        "nice",
        "-n",
        "19",
        "ionice",
        "-c3",
        "qemu-system-x86_64",
    ]);
    command.args([
        "-accel",
        "tcg,thread=multi",
        "-machine",
        "q35",
        "-cpu",
        "max",
    ]);
    command.args(["-smp", "2", "-m", &build.memory.to_string()]);
    command.args(["-nodefaults", "-no-user-config"]);
    command
        .args(["-display", "none", "-serial"])
        .arg(format!("file:{}", path("console.log")));
    command
        .arg("-monitor")
        .arg(format!("unix:{},server,nowait", path("monitor")));
    command
        .arg("-kernel")
        .arg(image.kernel())
        .arg("-initrd")
        .arg(path("initrd"));
    // Emulation has no use for what protects against speculation; the rest is for a quick boot.
    command.args([
        "-append",
        "console=ttyS0 quiet mitigations=off net.ifnames=0 panic=-1 systemd.unit=bench.target",
    ]);
    let root = format!(
        "file={},if=virtio,format=raw,snapshot=on",
        image.disk().display()
    );
    command.arg("-drive").arg(root);
    let network =
        format!("user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22,hostfwd=tcp:127.0.0.1:{web}-:{web}");
    command.arg("-netdev").arg(network);
    command.args(["-device", "virtio-net-pci,netdev=net,romfile="]);
    command.args(["-device", "virtio-rng-pci"]);
    // A graphics card, and a display on its first output that says what it is.
    command.arg("-device").arg(format!(
        "virtio-gpu-pci,id={CARD},max_outputs={},xres=1920,yres=1080",
        build.outputs
    ));
    command
}

/// A key for this run alone; gives the public half.
fn make_key(folder: &Path) -> Result<String> {
    let key = folder.join("key");
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f"])
        .arg(&key)
        .output()
        .context("cannot start ssh-keygen")?;
    if !output.status.success() {
        bail!("ssh-keygen: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::read_to_string(folder.join("key.pub")).context("no key was made")
}
