// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! HDMI capture, played by vivid.

use anyhow::{Result, ensure};

use super::super::Figure;
use super::super::bench::Bench;

/// An HDMI capture whose other end is an HDMI output, each with its CEC adapter, and a webcam. Names
/// are looked up, as numbers depend on what else is there.
pub const VIVID: &str = "\
modprobe vivid n_devs=2 node_types=0x101,0x1 num_inputs=1,1 input_types=0x3,0x0 \
  num_outputs=1,1 output_types=0x1,0x1
udevadm settle
video() { for node in /sys/class/video4linux/*; do
  if [ \"$(cat $node/name)\" = \"$1\" ]; then echo /dev/${node##*/}; return; fi; done; return 1; }
cec() { for cec in /dev/cec*; do
    if cec-ctl -d $cec | grep -q \"Adapter Name *: vivid-000-vid-$1\"; then echo $cec; return; fi; done; return 1; }
input=$(video vivid-000-vid-cap)
output=$(video vivid-000-vid-out)
";

/// The signal's width, or none without a signal.
fn width(bench: &Bench) -> Result<String> {
    bench.host.text(&format!(
        "{VIVID} v4l2-ctl -d $input --query-dv-timings 2>/dev/null | sed -n 's/.*Active width: *//p'"
    ))
}

/// Signal, none, and another again, as the capture card says.
pub fn signal(bench: &mut Bench) -> Result<Figure> {
    let set = |text: &str| {
        bench
            .host
            .text(&format!("{VIVID} v4l2-ctl -d $input -c {text}"))
    };
    set("dv_timings_signal_mode=0")?;
    let first = width(bench)?;
    ensure!(
        first == "1280",
        "the signal is {first:?} pixels wide, not 1280"
    );
    set("dv_timings_signal_mode=1")?;
    let none = width(bench)?;
    ensure!(none == "0", "without a signal, the width is {none:?}");
    let status = bench
        .host
        .text(&format!("{VIVID} v4l2-ctl -d $input --get-input"))?;
    ensure!(status.contains("no signal"), "the input says {status:?}");
    set("dv_timings_signal_mode=0")?;
    let pictures = bench.host.number(&format!(
        "{VIVID} v4l2-ctl -d $input --stream-mmap --stream-count=5 --stream-to=- 2>/dev/null | wc -c"
    ))?;
    ensure!(pictures > 0.0, "the signal is back and no picture comes");
    Ok(Figure {
        value: first.parse()?,
        unit: "pixels wide",
    })
}
