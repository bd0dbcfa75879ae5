// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A touch panel and buttons, played by uinput.

use anyhow::{Result, ensure};

use super::super::Figure;
use super::super::bench::Bench;
use super::super::host::Following;

const SYN: u16 = 0;
const KEY: u16 = 1;
const ABS: u16 = 3;
const BTN_TOUCH: u16 = 0x14a;
const KEY_MICMUTE: u16 = 248;
const ABS_X: u16 = 0;
const ABS_Y: u16 = 1;
/// From one edge of the panel to the other.
const UNITS: u16 = 4095;
/// A direct device: the finger touches what it sees.
const DIRECT: u16 = 1;

/// Bits by their numbers, in lines of eight bytes as evemu describes a device.
fn bits(mark: &str, bits: &[u16]) -> String {
    let mut bytes = [0_u8; 96];
    for bit in bits {
        bytes[usize::from(bit / 8)] |= 1 << (bit % 8);
    }
    let used = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(8, |last| last + 1);
    let lines = bytes[..used.next_multiple_of(8)].chunks(8).map(|line| {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{mark} {}\n", hex.join(" "))
    });
    lines.collect()
}

/// A touch screen with a button beside it (linux/input-event-codes.h).
fn description() -> String {
    let parts = [
        "# EVEMU 1.3\nN: Bench touch\nI: 0003 1209 0002 0100\n".to_owned(),
        bits("P:", &[DIRECT]),
        bits("B: 00", &[SYN, KEY, ABS]),
        bits("B: 01", &[BTN_TOUCH, KEY_MICMUTE]),
        bits("B: 03", &[ABS_X, ABS_Y]),
        format!("A: 00 0 {UNITS} 0 0 0\nA: 01 0 {UNITS} 0 0 0\n"),
    ];
    parts.concat()
}

/// Finds the node of the device.
pub const NODE: &str = "node() { for input in /sys/class/input/event*; do \
    if [ \"$(cat $input/device/name)\" = 'Bench touch' ]; then echo /dev/input/${input##*/}; return; fi; \
    done; return 1; }\n";

/// Makes the device; it goes with the value.
pub fn device(bench: &Bench) -> Result<Following> {
    let script = format!(
        "cat >/tmp/touch <<'END'\n{}END\nexec stdbuf -oL evemu-device /tmp/touch",
        description()
    );
    let device = bench.host.follow(&script)?;
    device.wait("/dev/input/event")?;
    bench.host.text("udevadm settle")?;
    Ok(device)
}

/// Presses a key of it and lets go.
pub fn press(key: &str) -> String {
    let send =
        |value| format!("evemu-event $(node) --sync --type EV_KEY --code {key} --value {value}\n");
    [NODE.to_owned(), send(1), send(0)].concat()
}

/// Puts a finger on the panel, at a share of its width and height, and lifts it.
pub fn touch([x, y]: [f64; 2]) -> String {
    let event = |more: &str, kind: &str, code: &str, value: u16| {
        format!("evemu-event $(node) {more} --type {kind} --code {code} --value {value}\n")
    };
    let units = |share: f64| (share.clamp(0.0, 1.0) * f64::from(UNITS)) as u16;
    [
        NODE.to_owned(),
        event("", "EV_ABS", "ABS_X", units(x)),
        event("", "EV_ABS", "ABS_Y", units(y)),
        event("--sync", "EV_KEY", "BTN_TOUCH", 1),
        event("--sync", "EV_KEY", "BTN_TOUCH", 0),
    ]
    .concat()
}

/// A finger in the middle of the panel, then the button.
pub fn touch_and_keys(bench: &mut Bench) -> Result<Figure> {
    let _device = device(bench)?;
    let kind = bench.host.text(&format!("{NODE} udevadm info $(node)"))?;
    ensure!(
        kind.contains("ID_INPUT_TOUCHSCREEN=1"),
        "udev does not take it for a touch panel"
    );
    let events = bench
        .host
        .follow(&format!("{NODE} exec stdbuf -oL evtest $(node)"))?;
    events.wait("Testing")?;
    let send = |kind: &str, code: &str, value: u16| {
        format!("evemu-event $(node) --sync --type {kind} --code {code} --value {value}\n")
    };
    bench.host.text(
        &[
            NODE.to_owned(),
            send("EV_ABS", "ABS_X", 2048),
            send("EV_KEY", "BTN_TOUCH", 1),
            send("EV_KEY", "BTN_TOUCH", 0),
            send("EV_KEY", "KEY_MICMUTE", 1),
            send("EV_KEY", "KEY_MICMUTE", 0),
        ]
        .concat(),
    )?;
    let expected = [
        "(ABS_X), value 2048",
        "(BTN_TOUCH), value 1",
        "(BTN_TOUCH), value 0",
        "(KEY_MICMUTE), value 1",
    ];
    for line in expected {
        events.wait(line)?;
    }
    Ok(Figure {
        value: expected.len() as f64,
        unit: "events",
    })
}

#[cfg(test)]
mod tests {
    use super::bits;

    #[test]
    fn bits_are_lines_of_eight_bytes() {
        assert_eq!(bits("B: 00", &[0, 1, 3]), "B: 00 0b 00 00 00 00 00 00 00\n");
        let lines = bits("B: 01", &[248]);
        assert_eq!(lines.lines().count(), 4);
        assert!(lines.ends_with("B: 01 00 00 00 00 00 00 00 01\n"));
    }
}
