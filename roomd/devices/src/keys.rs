// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Buttons and sensors over evdev, grabbed, so that nothing else on the machine reads them: neither
//! a console nor a shell.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use evdev::{Device, EventStream, EventType};
use roomd_devices_core::keys::{Code, KeyMap, Press, Presses};
use tokio::sync::mpsc;
use tracing::{info, warn};

/// Presses that wait for the daemon. More are no person's.
const WAITING: usize = 32;

/// An input device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It cannot be opened.
    #[error("cannot open the buttons {0}; the room's user must be in the group `input`")]
    Open(PathBuf, #[source] io::Error),
    /// Another program has it for itself.
    #[error("another program has the buttons {0} for itself; end it")]
    Grab(PathBuf, #[source] io::Error),
}

/// Opens and grabs a device. The channel closes when it is gone; dropping the receiver lets go of it.
/// The kernel lets go too when the daemon dies.
///
/// # Errors
///
/// It cannot be opened, or another program has it.
pub fn spawn(node: &Path, map: KeyMap) -> Result<mpsc::Receiver<Press>, KeysError> {
    let open = |error| KeysError::Open(node.to_owned(), error);
    let mut device = Device::open(node).map_err(open)?;
    device
        .grab()
        .map_err(|error| KeysError::Grab(node.to_owned(), error))?;
    let mut presses = Presses::new(map);
    // A sensor that is on already will not say so again.
    let on = device.get_switch_state().ok();
    let first: Vec<Press> = on
        .iter()
        .flat_map(|switches| switches.iter())
        .filter_map(|switch| presses.handle(Code::Switch(switch.0), 1, Instant::now()))
        .collect();
    let stream = device.into_event_stream().map_err(open)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    for press in first {
        tell(&sender, press);
    }
    tokio::spawn(run(stream, presses, sender, node.to_owned()));
    Ok(receiver)
}

async fn run(
    mut stream: EventStream,
    mut presses: Presses,
    sender: mpsc::Sender<Press>,
    node: PathBuf,
) {
    loop {
        let event = tokio::select! {
            event = stream.next_event() => event,
            () = sender.closed() => return,
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                info!(?node, %error, "the buttons are gone");
                return;
            }
        };
        let code = match event.event_type() {
            EventType::KEY => Code::Key(event.code()),
            EventType::SWITCH => Code::Switch(event.code()),
            _ => continue,
        };
        if let Some(press) = presses.handle(code, event.value(), Instant::now()) {
            tell(&sender, press);
        }
    }
}

fn tell(sender: &mpsc::Sender<Press>, press: Press) {
    if press == Press::Flood {
        warn!("a button sends without end and is ignored until it is quiet");
    }
    // When the daemon is behind by so many, a further press would surprise whoever pressed it.
    let _ = sender.try_send(press);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_button_is_refused() {
        for node in ["/dev/no-such-event", "/dev/null"] {
            let error = spawn(Path::new(node), KeyMap::default()).unwrap_err();
            assert!(matches!(error, KeysError::Open(..)), "{node}: {error}");
        }
    }
}
