// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What a test tells the bench, one line each.

use crate::telephony::Key;

/// A line of the control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `bars`: which there are.
    Bars,
    /// `SERIAL ORDER`: something for one of them.
    To(String, Order),
}

/// Something for one bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `state`: what it knows.
    State,
    /// `plug`: a host may have it.
    Plug,
    /// `unplug`: the cable is pulled.
    Unplug,
    /// `press KEY [COUNT]`: a key goes down and up, so many times.
    Press(Key, u32),
    /// `hook on|off`: the receiver is down, or lifted.
    Hook(bool),
    /// `fault NAME`: it misbehaves from now on.
    Fault(String),
}

impl Command {
    /// Reads a line.
    ///
    /// # Errors
    /// What is known, when this is not.
    pub fn parse(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (serial, order) = match words[..] {
            ["bars"] => return Ok(Self::Bars),
            [serial, ref order @ ..] => (serial, order),
            [] => return Err("an empty line".to_owned()),
        };
        let order = match *order {
            ["state"] => Order::State,
            ["plug"] => Order::Plug,
            ["unplug"] => Order::Unplug,
            ["press", name] => Order::Press(key(name)?, 1),
            ["press", name, count] => {
                let count = count
                    .parse()
                    .map_err(|_| format!("`{count}` is no count"))?;
                Order::Press(key(name)?, count)
            }
            ["hook", "on"] => Order::Hook(false),
            ["hook", "off"] => Order::Hook(true),
            ["fault", name] => Order::Fault(name.to_owned()),
            _ => {
                return Err(format!(
                    "`{line}` is no order: bars, or SERIAL with state, plug, unplug, \
                     press KEY [COUNT], hook on|off, fault NAME"
                ));
            }
        };
        Ok(Self::To(serial.to_owned(), order))
    }
}

fn key(name: &str) -> Result<Key, String> {
    match name {
        "mute" => Ok(Key::Mute),
        "volume-up" => Ok(Key::VolumeUp),
        "volume-down" => Ok(Key::VolumeDown),
        _ => Err(format!("`{name}` is no key: mute, volume-up, volume-down")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_orders() {
        let check = |line: &str, order| {
            assert_eq!(
                Command::parse(line),
                Ok(Command::To("A1".into(), order)),
                "{line}"
            );
        };
        check("A1 state", Order::State);
        check("A1 press mute", Order::Press(Key::Mute, 1));
        check(
            " A1  press volume-up 500 ",
            Order::Press(Key::VolumeUp, 500),
        );
        check("A1 hook off", Order::Hook(true));
        check("A1 fault camera=torn", Order::Fault("camera=torn".into()));
        assert_eq!(Command::parse("bars"), Ok(Command::Bars));
    }

    #[test]
    fn what_is_no_order_is_explained() {
        for line in [
            "",
            "A1",
            "A1 press",
            "A1 press door",
            "A1 press mute -1",
            "A1 jump",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }
}
