// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The two lines to a display: CEC, and the I2C bus of DDC/CI. Drivers block for as long as a line
//! takes, so not on the runtime's own threads.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use roomd_devices_core::display::cec::{self, Message, Outcome, Place};
use roomd_devices_core::display::ddc;
use roomd_devices_core::display::lines::Adapter;
use roomd_devices_core::display::power::Power;

use crate::kernel::DeviceFile;

/// Until a display has done what it was told.
const OBEYS: Duration = Duration::from_millis(500);
/// Until an answer may be read (DDC/CI 1.1 wants 40 ms).
const ANSWERS: Duration = Duration::from_millis(50);

/// What tells whose line an adapter is on; `captures` is what its place in the machine says.
pub(super) async fn whose(node: &Path, captures: bool) -> Adapter {
    let unknown = Adapter {
        captures,
        ..Adapter::default()
    };
    let node = node.to_owned();
    let work = move || {
        let mut adapter = DeviceFile::open_nonblocking(&node).ok()?;
        let connector = cec::connector(&mut adapter);
        Some(Adapter {
            connector,
            input: cec::input(&mut adapter),
            // What belongs to a graphics card's connector leads to a display, whatever stands beside it.
            captures: captures && connector.is_none(),
        })
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.ok().flatten().unwrap_or(unknown)
}

/// Takes a place on the CEC line; `input` is the display's own word for where the room is plugged in.
/// An error is words for operators.
pub(super) async fn take_place(
    node: &Path,
    name: &str,
    input: Option<u16>,
) -> Result<Place, String> {
    let (node, name) = (node.to_owned(), name.to_owned());
    let work = move || {
        let mut events = DeviceFile::open_nonblocking(&node).map_err(|e| e.to_string())?;
        let known = cec::input(&mut events);
        let mut adapter = DeviceFile::open(&node).map_err(|e| e.to_string())?;
        let input = match (known, input) {
            (Some(input), _) => input,
            (None, Some(input)) => {
                cec::set_input(&mut adapter, input).map_err(|e| format!("{e:?}"))?;
                input
            }
            (None, None) => return Err("the display has no CEC".to_owned()),
        };
        cec::take_place(&mut adapter, &name, input).map_err(|e| format!("{e:?}"))
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(error.to_string()))
}

/// Says something over CEC.
pub(super) async fn say(node: &Path, place: Place, message: Message) -> Outcome {
    let node = node.to_owned();
    let work = move || match DeviceFile::open(&node) {
        Ok(mut adapter) => cec::say(&mut adapter, place, message),
        Err(_) => Outcome::Failed,
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Outcome::Failed)
}

/// Sets a display's power over DDC/CI; returns how it says that it is.
pub(super) async fn set_power(bus: &Path, power: Power) -> Option<Power> {
    let write = |frame: Vec<u8>| {
        let bus = bus.to_owned();
        let work = move || -> io::Result<DeviceFile> {
            let mut bus = DeviceFile::open(&bus)?;
            bus.speak_to(ddc::ADDRESS)?;
            bus.file().write_all(&frame)?;
            Ok(bus)
        };
        tokio::task::spawn_blocking(work)
    };
    write(ddc::set_power(power)).await.ok()?.ok()?;
    tokio::time::sleep(OBEYS).await;
    let mut bus = write(ddc::ask_power()).await.ok()?.ok()?;
    tokio::time::sleep(ANSWERS).await;
    let read = move || {
        let mut answer = [0; ddc::ANSWER];
        bus.file().read_exact(&mut answer).ok()?;
        ddc::power(&answer)
    };
    tokio::task::spawn_blocking(read).await.ok()?
}

/// Has a display show an input over DDC/CI; returns whether the line took it.
pub(super) async fn show(bus: &Path, input: u8) -> bool {
    let bus = bus.to_owned();
    let work = move || -> io::Result<()> {
        let mut bus = DeviceFile::open(&bus)?;
        bus.speak_to(ddc::ADDRESS)?;
        bus.file().write_all(&ddc::set_input(input))
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.is_ok_and(|written| written.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        number: 4,
        input: 0x1000,
    };

    #[tokio::test]
    async fn lines_that_are_not_there_say_so() {
        for node in ["/dev/no-such-line", "/dev/null"] {
            let node = Path::new(node);
            assert!(take_place(node, "Raum", Some(0x1000)).await.is_err());
            assert!(take_place(node, "Raum", None).await.is_err());
            assert_eq!(set_power(node, Power::On).await, None);
            assert!(!show(node, 17).await);
            let unknown = Adapter::default();
            assert_eq!(whose(node, false).await, unknown);
            assert!(whose(node, true).await.captures);
            let said = say(node, PLACE, Message::Standby).await;
            assert!(
                matches!(said, Outcome::Failed | Outcome::Nobody),
                "{said:?}"
            );
        }
    }
}
