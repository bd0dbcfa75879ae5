// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The composed picture on a real Wayland compositor, which goes away and comes back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;
mod screen;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bench::{LIMIT, Room};
use roomd_media::{DisplayOutput, Settings};
use screen::{Server, shows};

const SOCKET: &str = "room";

/// A compositor that fills a screen; stopped at the end.
struct Weston(Child);

impl Weston {
    fn start(folder: &Path, screen: &Server) -> Self {
        let child = Command::new("weston")
            .args(["--backend=x11-backend.so", "--use-pixman"])
            .args(["--width=1920", "--height=1080"])
            .args(["--shell=kiosk-shell.so", "--idle-time=0", "--no-config"])
            .arg(format!("--socket={SOCKET}"))
            .env("XDG_RUNTIME_DIR", folder)
            .env("DISPLAY", &screen.display)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs Weston (Debian: apt install weston)");
        let mut weston = Self(child);
        let end = Instant::now() + LIMIT;
        while !folder.join(SOCKET).exists() {
            let status = weston.0.try_wait().unwrap();
            assert!(status.is_none(), "Weston does not start: {status:?}");
            assert!(Instant::now() < end, "Weston makes no socket");
            std::thread::sleep(Duration::from_millis(20));
        }
        weston
    }
}

impl Drop for Weston {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_is_on_the_compositor_and_comes_back_with_it() {
    let screen = Server::start(None);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join(SOCKET);
    let weston = Weston::start(folder.path(), &screen);
    let mut room = Room::with(Settings {
        display: DisplayOutput::Wayland,
        display_server: Some(socket.display().to_string()),
        ..Room::settings(1, 1000.0)
    });
    room.display_missing(false).await;
    for colour in [[200, 40, 40], [30, 60, 190]] {
        room.paint(colour).await;
        shows(&screen, colour).await;
    }
    drop(weston);
    room.display_missing(true).await;
    fs::remove_file(&socket).unwrap();
    let _weston = Weston::start(folder.path(), &screen);
    room.display_missing(false).await;
    shows(&screen, [30, 60, 190]).await;
    room.engine.shutdown().await;
}
