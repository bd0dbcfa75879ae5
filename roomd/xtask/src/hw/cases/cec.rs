// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A display behind HDMI-CEC: vivid's capture plays the television, its output the room.

use anyhow::{Result, ensure};

use super::super::Figure;
use super::super::bench::Bench;
use super::capture::VIVID;

/// Connects the room's output to the television's input.
pub const CONNECT: &str = "\
v4l2-ctl -d $input -c hdmi_000_0_is_connected_to=2
cec-ctl -d $(cec cap) --tv >/dev/null
cec-ctl -d $(cec out) --playback >/dev/null
";

/// Wakes it, says where the picture comes from, sends it to standby; the television's log tells.
pub fn display(bench: &mut Bench) -> Result<Figure> {
    let television = bench.host.follow(&format!(
        "{VIVID} {CONNECT} exec stdbuf -oL cec-follower -v -m -d $(cec cap) 2>&1"
    ))?;
    television.wait("Initial Event")?;
    let send = |message: &str| {
        bench.host.text(&format!(
            "{VIVID} cec-ctl -s -d $(cec out) --to 0 {message}"
        ))
    };
    let mut heard = 0;
    for (message, told) in [
        ("--image-view-on", "IMAGE_VIEW_ON"),
        ("--active-source phys-addr=1.0.0.0", "ACTIVE_SOURCE"),
        ("--standby", "STANDBY"),
    ] {
        send(message)?;
        television.wait(told)?;
        heard += 1;
    }
    let status = send("--give-device-power-status")?;
    ensure!(
        status.contains("REPORT_POWER_STATUS"),
        "the display does not answer: {status}"
    );
    Ok(Figure {
        value: f64::from(heard),
        unit: "messages heard",
    })
}
