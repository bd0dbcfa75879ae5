// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which panels are connected.

use tokio::sync::watch;

use super::sessions::Kind;

/// The panels of the room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panels {
    /// Connected ones that are wired to the device.
    pub wired: usize,
    /// Connected ones that were paired.
    pub paired: usize,
}

impl Panels {
    const fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Wired => &mut self.wired,
            Kind::Paired => &mut self.paired,
        }
    }
}

/// A panel that is connected, as long as this lives.
#[derive(Debug)]
pub(super) struct Present {
    panels: watch::Sender<Panels>,
    kind: Kind,
}

impl Present {
    pub(super) fn new(panels: watch::Sender<Panels>, kind: Kind) -> Self {
        panels.send_modify(|panels| *panels.of(kind) += 1);
        Self { panels, kind }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let kind = self.kind;
        self.panels.send_modify(|panels| *panels.of(kind) -= 1);
    }
}
