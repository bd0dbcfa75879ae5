// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A touch panel with a button, a presence sensor and a keyboard, played by uinput.

use anyhow::{Result, ensure};

use super::super::Figure;
use super::super::bench::Bench;
use super::super::host::Following;

const SYN: u16 = 0;
const KEY: u16 = 1;
const ABS: u16 = 3;
const SW: u16 = 5;
const BTN_TOUCH: u16 = 0x14a;
const KEY_MICMUTE: u16 = 248;
const SW_FRONT_PROXIMITY: u16 = 0x0b;
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

/// What the devices are called.
pub const TOUCH: &str = "Bench touch";
pub const SENSOR: &str = "Bench sensor";
pub const KEYBOARD: &str = "Bench keyboard";

/// How a description begins: what it is called, and who it is on the USB.
fn head(name: &str, product: u16) -> String {
    format!("# EVEMU 1.3\nN: {name}\nI: 0003 1209 {product:04x} 0100\n")
}

/// A touch screen with a button beside it (linux/input-event-codes.h).
fn description() -> String {
    let parts = [
        head(TOUCH, 2),
        bits("P:", &[DIRECT]),
        bits("B: 00", &[SYN, KEY, ABS]),
        bits("B: 01", &[BTN_TOUCH, KEY_MICMUTE]),
        bits("B: 03", &[ABS_X, ABS_Y]),
        format!("A: 00 0 {UNITS} 0 0 0\nA: 01 0 {UNITS} 0 0 0\n"),
    ];
    parts.concat()
}

/// Finds the node of a device by its name, of the touch panel without one.
pub const NODE: &str = "node() { for input in /sys/class/input/event*; do \
    if [ \"$(cat $input/device/name)\" = \"${1:-Bench touch}\" ]; then \
    echo /dev/input/${input##*/}; return; fi; \
    done; return 1; }\n";

/// Makes the touch panel; it goes with the value.
pub fn device(bench: &Bench) -> Result<Following> {
    play(bench, &description())
}

/// A presence sensor, which sees nobody yet.
pub fn sensor(bench: &Bench) -> Result<Following> {
    let parts = [
        head(SENSOR, 3),
        bits("P:", &[]),
        bits("B: 00", &[SYN, SW]),
        bits("B: 05", &[SW_FRONT_PROXIMITY]),
    ];
    play(bench, &parts.concat())
}

/// It sees somebody from now on, or nobody.
pub fn sees(somebody: bool) -> String {
    format!(
        "{NODE} evemu-event $(node '{SENSOR}') --sync --type EV_SW --code SW_FRONT_PROXIMITY \
         --value {}\n",
        u8::from(somebody)
    )
}

/// A keyboard with these keys.
pub fn keyboard(bench: &Bench, keys: &[u16]) -> Result<Following> {
    let parts = [
        head(KEYBOARD, 4),
        bits("P:", &[]),
        bits("B: 00", &[SYN, KEY]),
        bits("B: 01", keys),
    ];
    play(bench, &parts.concat())
}

/// Holds all of these keys of it but the last, and presses that one so often.
pub fn chord(keys: &[u16], times: usize) -> String {
    format!(
        "{NODE} cat >/tmp/keys <<'END'\n{}END\nevemu-play $(node '{KEYBOARD}') </tmp/keys\n",
        record(keys, times)
    )
}

/// The same as evemu plays it, an event every 40 ms: seconds, type, code, value. It takes a time of zero
/// for none.
fn record(keys: &[u16], times: usize) -> String {
    let Some((last, held)) = keys.split_last() else {
        return String::new();
    };
    let mut events: Vec<(u16, u8)> = held.iter().map(|key| (*key, 1)).collect();
    events.extend([(*last, 1_u8), (*last, 0)].repeat(times));
    events.extend(held.iter().rev().map(|key| (*key, 0)));
    let lines = events.iter().enumerate().map(|(index, (key, value))| {
        let ms = 1000 + 40 * index;
        let at = format!("E: {}.{:03}000", ms / 1000, ms % 1000);
        format!("{at} {KEY:04x} {key:04x} {value}\n{at} 0000 0000 0\n")
    });
    lines.collect()
}

/// Makes a device of a description; it goes with the value.
fn play(bench: &Bench, description: &str) -> Result<Following> {
    let script = format!(
        "cat >/tmp/played <<'END'\n{description}END\nexec stdbuf -oL evemu-device /tmp/played"
    );
    let device = bench.host.follow(&script)?;
    device.wait("/dev/input/event")?;
    bench.host.text("udevadm settle")?;
    Ok(device)
}

/// Unplugs every device, and waits until the one of this name is gone. What plays one does not notice that
/// nobody listens any more.
pub fn unplug(bench: &Bench, name: &str) -> Result<()> {
    let script = format!(
        "{NODE} pkill -x evemu-device || true\n\
         while node '{name}' >/dev/null; do sleep 0.2; done"
    );
    bench.host.text(&script).map(drop)
}

/// Presses a key of the touch panel's box and lets go.
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
    use super::{bits, record};

    #[test]
    fn bits_are_lines_of_eight_bytes() {
        assert_eq!(bits("B: 00", &[0, 1, 3]), "B: 00 0b 00 00 00 00 00 00 00\n");
        let lines = bits("B: 01", &[248]);
        assert_eq!(lines.lines().count(), 4);
        assert!(lines.ends_with("B: 01 00 00 00 00 00 00 00 01\n"));
        assert_eq!(bits("P:", &[]), "P: 00 00 00 00 00 00 00 00\n");
    }

    #[test]
    fn a_chord_ends_with_every_key_up() {
        let record = record(&[29, 111], 2);
        let pressed: Vec<&str> = record.lines().step_by(2).collect();
        assert_eq!(
            pressed,
            [
                "E: 1.000000 0001 001d 1",
                "E: 1.040000 0001 006f 1",
                "E: 1.080000 0001 006f 0",
                "E: 1.120000 0001 006f 1",
                "E: 1.160000 0001 006f 0",
                "E: 1.200000 0001 001d 0",
            ]
        );
    }
}
