// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Buttons and sensors over evdev, grabbed, so that nothing else on the machine reads them: neither
//! a console nor a shell.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use evdev::{Device, EventStream, EventType};
use roomd_devices_core::keys::{Action, Code, KeyMap, Press, Presses, Standing};
use tokio::sync::{mpsc, watch};
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

/// A device that is open.
#[derive(Debug)]
pub struct Opened {
    /// What the pressed keys do. Closes when the device is gone; dropping it lets go of the device.
    pub presses: mpsc::Receiver<Action>,
    /// How the device stands. One that is gone sees nobody.
    pub standing: watch::Receiver<Standing>,
}

/// Opens and grabs a device. The kernel lets go of it too when the daemon dies.
///
/// # Errors
///
/// It cannot be opened, or another program has it.
pub fn spawn(node: &Path, map: KeyMap) -> Result<Opened, KeysError> {
    let open = |error| KeysError::Open(node.to_owned(), error);
    let mut device = Device::open(node).map_err(open)?;
    device
        .grab()
        .map_err(|error| KeysError::Grab(node.to_owned(), error))?;
    let mut presses = Presses::new(map);
    // A sensor that is on already will not say so again.
    let on = device.get_switch_state().ok();
    for switch in on.iter().flat_map(|switches| switches.iter()) {
        // A switch is nothing but a state.
        let _ = presses.handle(Code::Switch(switch.0), 1, Instant::now());
    }
    let stream = device.into_event_stream().map_err(open)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let (publish, standing) = watch::channel(presses.standing());
    let node = node.to_owned();
    tokio::spawn(async move {
        run(stream, presses, &sender, &publish, &node).await;
        // Before the other channel closes, so that whoever sees that knows.
        publish.send_replace(Standing::default());
    });
    Ok(Opened {
        presses: receiver,
        standing,
    })
}

async fn run(
    mut stream: EventStream,
    mut presses: Presses,
    sender: &mpsc::Sender<Action>,
    publish: &watch::Sender<Standing>,
    node: &Path,
) {
    loop {
        stand(publish, presses.standing());
        let quiet = presses.poll_timeout().map(|(at, _)| at);
        let due = async {
            match quiet {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            event = stream.next_event() => event,
            () = due => {
                presses.handle_timeout(Instant::now());
                continue;
            }
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
            tell(sender, press);
        }
    }
}

fn stand(publish: &watch::Sender<Standing>, standing: Standing) {
    publish.send_if_modified(|known| {
        let differs = *known != standing;
        *known = standing;
        differs
    });
}

fn tell(sender: &mpsc::Sender<Action>, press: Press) {
    match press {
        Press::Do(action) => {
            // When the daemon is behind by so many, a further press would surprise whoever pressed it.
            let _ = sender.try_send(action);
        }
        // How the device stands is told apart, as it must not be lost.
        Press::Flood => warn!("a button sends without end and is ignored until it is quiet"),
        Press::Presence(_) => {}
    }
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
