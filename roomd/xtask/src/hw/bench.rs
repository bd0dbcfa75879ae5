// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What cases work with: a room's shell, and where the room is virtual, its hardware.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use tempfile::TempDir;

use super::bars::{Bars, SERIALS};
use super::host::Host;
use super::image::{self, Image, Purpose};
use super::machine::{self, Build, Machine};
use super::programs;
use crate::project;

const NO_BARS: &str = "a real room has no virtual bars";

/// What a virtual room is made of.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    image: Purpose,
    build: Build,
    has_programs: bool,
}

impl Kind {
    /// For devices alone.
    pub const DEVICES: Self = Self {
        image: image::ROOM,
        build: machine::PLAIN,
        has_programs: false,
    };
    /// With the room's programs.
    pub const ROOM: Self = Self {
        has_programs: true,
        ..Self::DEVICES
    };
    /// With these, and a screen of its own for the panel.
    pub const PANEL: Self = Self {
        image: image::PANEL,
        build: machine::SCREENS,
        has_programs: true,
    };
}

/// A room whose hardware is examined.
pub struct Bench {
    /// Its shell.
    pub host: Host,
    hardware: Option<(Machine, Bars)>,
    // What the machine reads its second disk from.
    _programs: Option<TempDir>,
}

impl Bench {
    /// A virtual room, booted, with nothing plugged yet.
    pub fn start(kind: Kind) -> Result<Self> {
        project::cargo("building the conference bar", &["build", "-p", "usb-bar"])?;
        let image = Image::ready(kind.image)?;
        let folder = tempfile::tempdir()?;
        let disk = kind
            .has_programs
            .then(|| programs::disk(folder.path()))
            .transpose()?;
        let machine = Machine::boot(&image, kind.build, disk.as_deref())?;
        let bars = Bars::start(machine.folder())?;
        let host = Host::local(machine.port, machine.folder(), prelude()?);
        Ok(Self {
            host,
            hardware: Some((machine, bars)),
            _programs: Some(folder),
        })
    }

    /// A real room.
    pub fn real(target: &str) -> Result<Self> {
        let host = Host::real(target, prelude()?);
        host.text("true")
            .with_context(|| format!("cannot reach {target}"))?;
        Ok(Self {
            host,
            hardware: None,
            _programs: None,
        })
    }

    /// The virtual bars.
    pub fn bars(&self) -> Result<&Bars> {
        let (_, bars) = self.hardware.as_ref().context(NO_BARS)?;
        Ok(bars)
    }

    /// Where panel and guests of the virtual room are, there and on this machine's loopback.
    pub fn web(&self) -> Result<u16> {
        let (machine, _) = self.hardware.as_ref().context(NO_BARS)?;
        Ok(machine.web)
    }

    /// What the virtual room's display shows, as a PPM file.
    pub fn display(&self) -> Result<Vec<u8>> {
        self.screen(0)
    }

    /// What the display on an output of the virtual room shows; the first output is 0.
    pub fn screen(&self, output: u32) -> Result<Vec<u8>> {
        let (machine, _) = self.hardware.as_ref().context(NO_BARS)?;
        machine.picture(output)
    }

    /// The folder of this run.
    pub fn folder(&self) -> Result<&Path> {
        let (machine, _) = self.hardware.as_ref().context(NO_BARS)?;
        Ok(machine.folder())
    }

    /// For how long the virtual machine had no processor so far.
    pub fn starved(&self) -> Result<Duration> {
        let (machine, _) = self.hardware.as_ref().context(NO_BARS)?;
        machine.starved()
    }

    /// A clock that begins now.
    pub fn clock(&self) -> Result<Clock<'_>> {
        Ok(Clock {
            bench: self,
            begun: Instant::now(),
            starved: self.starved()?,
        })
    }

    /// The virtual machine.
    pub fn machine(&mut self) -> Result<&mut Machine> {
        let (machine, _) = self
            .hardware
            .as_mut()
            .context("a real room is no virtual machine")?;
        Ok(machine)
    }

    /// Plugs a bar and waits until its camera, its sound and its keys have their nodes; gives the
    /// milliseconds that this took, by the room's clock, without those for which this machine had no
    /// processor for the virtual one. A bar that is attached stays as it is.
    pub fn attach(&self, serial: &str) -> Result<f64> {
        let (machine, bars) = self.hardware.as_ref().context(NO_BARS)?;
        let state = bars.order(&format!("{serial} plug"))?;
        if state["attached"] == true {
            return Ok(0.0);
        }
        let id = state["bus_id"].as_str().context("a bar without a bus id")?;
        let starved = machine.starved()?;
        let took = self.host.number(&format!(
            "begun=$(now)\n\
             usbip --tcp-port {} attach -r 10.0.2.2 -b {id} 2>/dev/null\n\
             until has_nodes {serial}; do sleep 0.1; done\n\
             echo $(($(now) - begun))",
            bars.port
        ))?;
        let starved = machine.starved()?.saturating_sub(starved).as_millis() as f64;
        Ok((took - starved).max(0.0))
    }

    /// Plugs a bar and waits until this machine sees what the room does with it; gives the
    /// milliseconds that this took, without those for which it had no processor for the virtual one.
    pub fn plug_until(
        &self,
        serial: &str,
        what: &str,
        look: impl Fn(&Value) -> bool,
    ) -> Result<f64> {
        let (machine, bars) = self.hardware.as_ref().context(NO_BARS)?;
        let state = bars.order(&format!("{serial} plug"))?;
        let id = state["bus_id"].as_str().context("a bar without a bus id")?;
        let (starved, begun) = (machine.starved()?, Instant::now());
        self.host.text(&format!(
            "usbip --tcp-port {} attach -r 10.0.2.2 -b {id} 2>/dev/null",
            bars.port
        ))?;
        bars.wait(serial, what, look)?;
        let starved = machine.starved()?.saturating_sub(starved);
        Ok(begun.elapsed().saturating_sub(starved).as_millis() as f64)
    }

    /// Pulls a bar's cable and waits until its nodes are gone.
    pub fn detach(&self, serial: &str) -> Result<()> {
        self.bars()?.order(&format!("{serial} unplug"))?;
        self.host
            .text(&format!("until is_gone {serial}; do sleep 0.1; done"))?;
        Ok(())
    }

    /// Takes out the cameras that an earlier case loaded: they would stand in for a bar's that is pulled
    /// out, and stay in use then.
    pub fn clear(&mut self) -> Result<()> {
        if self.hardware.is_none() {
            return Ok(());
        }
        let cleared = self.host.text(
            "[ -d /sys/module/vivid ] || exit 0\n\
             systemctl stop roomd 2>/dev/null || true\n\
             pkill -x cec-follower || true\n\
             for try in $(seq 50); do modprobe -r vivid 2>/dev/null && exit; sleep 0.1; done\n\
             modprobe -r vivid",
        );
        if let Err(error) = cleared {
            println!("the virtual room begins anew: {error:#}");
            self.reset()?;
        }
        Ok(())
    }

    /// Ends what a failed case may have left: faults, and a host that no longer answers.
    pub fn recover(&mut self) -> Result<()> {
        let Some((_, bars)) = &self.hardware else {
            return Ok(());
        };
        for serial in SERIALS {
            bars.order(&format!("{serial} fault none"))?;
        }
        if self.host.text("true").is_err() {
            self.reset()?;
        }
        Ok(())
    }

    /// Boots the virtual room anew, with nothing plugged.
    fn reset(&mut self) -> Result<()> {
        let (machine, bars) = self.hardware.as_mut().context(NO_BARS)?;
        self.host.disconnect();
        machine.reset()?;
        for serial in SERIALS {
            bars.order(&format!("{serial} unplug"))?;
        }
        Ok(())
    }

    /// Takes the virtual room's power away for a moment.
    pub fn power_cut(&mut self) -> Result<f64> {
        self.host.disconnect();
        let machine = self.machine()?;
        machine.reset()?;
        let took = machine.boot;
        ensure!(
            self.host.text("cat /proc/uptime").is_ok(),
            "the room does not come back"
        );
        Ok(took.as_secs_f64())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.hardware.is_some() {
            self.host.disconnect();
        }
    }
}

/// Time in which the virtual machine had a processor.
pub struct Clock<'a> {
    bench: &'a Bench,
    begun: Instant,
    starved: Duration,
}

impl Clock<'_> {
    /// How much of it has passed.
    pub fn read(&self) -> Result<Duration> {
        let starved = self.bench.starved()?.saturating_sub(self.starved);
        Ok(self.begun.elapsed().saturating_sub(starved))
    }
}

fn prelude() -> Result<String> {
    let path = project::root().join("hw-tests/guest/prelude");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
