// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room on D-Bus, for operators and programs on the device: `org.roomd.Room1`.
//!
//! `DBUS.md` beside this crate documents the interface. The bus is a convenience: without one the
//! room works, and when one goes away the room comes back to it.

mod adjust;
mod diagnosis;
mod error;
mod object;
mod properties;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use zbus::Connection;
use zbus::connection::Builder;
use zbus::fdo;
use zbus::names::InterfaceName;
use zbus::object_server::SignalEmitter;

use self::object::Room1;
use self::properties::Projection;
use crate::Room;

/// The name on the bus.
pub const NAME: &str = "org.roomd.Room1";
/// The object.
pub const PATH: &str = "/org/roomd/Room1";
/// The interface.
pub const INTERFACE: &str = "org.roomd.Room1";

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Which bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bus {
    /// The system's; what a device uses.
    #[default]
    System,
    /// The session's, for development.
    Session,
    /// Another one, by D-Bus address such as `unix:path=/run/bus`.
    Address(String),
}

impl FromStr for Bus {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "system" => Self::System,
            "session" => Self::Session,
            address => Self::Address(address.to_owned()),
        })
    }
}

/// Offers the room on the bus until `shutdown` is ready, whatever the bus does meanwhile.
pub async fn serve(bus: Bus, room: Room, shutdown: impl Future<Output = ()> + Send) {
    tokio::select! {
        () = stay(&bus, &room) => {}
        () = shutdown => {}
    }
}

async fn stay(bus: &Bus, room: &Room) {
    let mut wait = FIRST_WAIT;
    let mut warned = false;
    while room.alive() {
        match connect(bus, room).await {
            Ok(connection) => {
                tracing::info!("on the bus as {NAME}");
                (wait, warned) = (FIRST_WAIT, false);
                if let Err(error) = announce(&connection, room).await {
                    tracing::warn!(%error, "the bus went away");
                }
            }
            // Said once, not every minute: a device without a bus is in order.
            Err(error) if !warned => {
                tracing::warn!(%error, "no bus; roomctl will not reach this room");
                warned = true;
            }
            Err(error) => tracing::debug!(%error, "still no bus"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn connect(bus: &Bus, room: &Room) -> zbus::Result<Connection> {
    let builder = match bus {
        Bus::System => Builder::system(),
        Bus::Session => Builder::session(),
        Bus::Address(address) => Builder::address(address.as_str()),
    };
    builder
        .max_queued(NonZeroUsize::new(64).unwrap_or(NonZeroUsize::MIN))
        .method_timeout(Duration::from_secs(20))
        .serve_at(PATH, Room1::new(room.clone()))
        .name(NAME)
        .build()
        .await
}

/// Tells the bus of every change until the connection or the room ends.
async fn announce(connection: &Connection, room: &Room) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(connection, PATH)?;
    let mut states = room.state();
    let mut told = Projection::of(&states.borrow_and_update());
    loop {
        tokio::select! {
            () = connection.closed() => return Ok(()),
            changed = states.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let next = Projection::of(&states.borrow_and_update());
                let changes = told.changes(&next);
                if !changes.is_empty() {
                    tell(&emitter, changes).await?;
                }
                told = next;
            }
        }
    }
}

async fn tell(
    emitter: &SignalEmitter<'_>,
    changes: HashMap<&str, zbus::Variant<'_>>,
) -> zbus::Result<()> {
    let interface = InterfaceName::from_static_str(INTERFACE)?;
    fdo::Properties::properties_changed(emitter, interface, changes, (&[][..]).into()).await
}
