// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the hardware task hears of the room's panels.

use std::path::Path;
use std::time::Instant;

use roomd_devices::core::panel::{Connected, Panels};
use roomd_interfaces::web;
use tokio::sync::watch;

/// What names the wired panel's screen, beside the configuration; the units of a wired panel ask for it too.
const WIRED: &str = "panel.conf";

/// The room's panels, as the web server knows them.
#[derive(Debug)]
pub struct PanelNews {
    /// One is wired to the device.
    wired: bool,
    connected: watch::Receiver<web::Panels>,
}

impl PanelNews {
    /// Panels of a room with this configuration.
    pub fn new(config_path: &Path, connected: watch::Receiver<web::Panels>) -> Self {
        let wired = config_path.with_file_name(WIRED).exists();
        Self { wired, connected }
    }

    /// The panels at the start.
    pub(super) fn panels(&self) -> Panels {
        Panels::new(self.wired, Instant::now())
    }

    /// Waits until one comes or goes. The web server goes with the daemon: then nothing comes any more.
    pub(super) async fn changed(&mut self) {
        if self.connected.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// How many are connected.
    pub(super) fn connected(&mut self) -> Connected {
        let panels = *self.connected.borrow_and_update();
        Connected {
            wired: panels.wired,
            paired: panels.paired,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use roomd_devices::core::panel::Presence;

    use super::*;

    /// What becomes of a panel that never comes.
    fn awaited(folder: &Path) -> Presence {
        let (_sender, connected) = watch::channel(web::Panels::default());
        let mut panels = PanelNews::new(&folder.join("roomd.toml"), connected).panels();
        panels.handle_timeout(Instant::now() + Duration::from_secs(600));
        panels.presence()
    }

    #[test]
    fn a_panel_is_awaited_where_one_is_wired() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(awaited(folder.path()), Presence::Absent);
        std::fs::write(folder.path().join(WIRED), "").unwrap();
        assert_eq!(awaited(folder.path()), Presence::Gone);
    }

    #[tokio::test]
    async fn what_connects_is_heard() {
        let (sender, connected) = watch::channel(web::Panels::default());
        let mut news = PanelNews::new(Path::new("/nowhere/roomd.toml"), connected);
        sender.send_modify(|panels| panels.wired = 1);
        news.changed().await;
        let wired = Connected {
            wired: 1,
            paired: 0,
        };
        assert_eq!(news.connected(), wired);
    }
}
