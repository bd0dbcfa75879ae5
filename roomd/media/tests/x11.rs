// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The composed picture on a real X server, which goes away in the middle of a call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod bench;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{LIMIT, PICTURE, Room, SOUND, Wire};
use roomd_conference::PeerId;
use roomd_media::{DisplayOutput, EngineCommand, EngineEvent, Settings};
use roomd_media_core::scene::{Picture, Scene};
use roomd_model::FaultCode;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

/// An X server of the test's own; stopped at the end.
struct Server {
    child: Child,
    display: String,
}

impl Server {
    /// On this display, or on a free one.
    fn start(display: Option<&str>) -> Self {
        let mut command = Command::new("Xvfb");
        command.args(display);
        let mut child = command
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", "1920x1080x24"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs Xvfb (Debian: apt install xvfb)");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(!line.trim().is_empty(), "Xvfb does not start");
        let display = format!(":{}", line.trim());
        Self { child, display }
    }

    /// The colour in the middle of the screen: red, green, blue.
    fn middle(&self) -> [u8; 3] {
        let (connection, number) = x11rb::connect(Some(&self.display)).unwrap();
        let root = connection.setup().roots[number].root;
        let image = connection.get_image(ImageFormat::Z_PIXMAP, root, 960, 540, 1, 1, !0);
        let pixel = image.unwrap().reply().unwrap().data;
        [pixel[2], pixel[1], pixel[0]]
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn shows(server: &Server, wanted: [u8; 3]) {
    let end = Instant::now() + LIMIT;
    loop {
        let seen = server.middle();
        if seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 12) {
            return;
        }
        assert!(Instant::now() < end, "the screen shows {seen:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

async fn paint(room: &Room, [red, green, blue]: [u8; 3]) {
    let background = Picture {
        width: 1920,
        height: 1080,
        rgba: [red, green, blue, 255].repeat(1920 * 1080),
    };
    let scene = Scene {
        background: Some(Arc::new(background)),
        ..Scene::default()
    };
    room.engine
        .command(EngineCommand::Scene(Arc::new(scene)))
        .await;
}

async fn missing(room: &mut Room, on: bool) {
    room.wait("a fault", |event| match event {
        EngineEvent::Fault {
            code: FaultCode::DisplayMissing,
            active,
        } => (active == on).then_some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_picture_is_on_the_screen_and_comes_back_with_it() {
    let mut server = Server::start(None);
    let mut room = Room::with(Settings {
        display: DisplayOutput::X11,
        x_display: Some(server.display.clone()),
        ..Room::settings(1, 1000.0)
    });
    missing(&mut room, false).await;
    for colour in [[200, 40, 40], [30, 60, 190]] {
        paint(&room, colour).await;
        shows(&server, colour).await;
    }
    let mut wire = Wire::connect(&mut room, PeerId(1), [SOUND, PICTURE], |sdp| sdp).await;
    wire.verified().await;
    room.sending(true, true).await;
    let second = Duration::from_secs(1);
    assert!(wire.frames(1, 3 * second).await > 10, "picture before");

    server.stop();
    missing(&mut room, true).await;
    wire.frames(1, Duration::from_millis(300)).await;
    assert!(wire.frames(1, second).await > 10, "the call goes on");

    let server = Server::start(Some(&server.display));
    missing(&mut room, false).await;
    shows(&server, [30, 60, 190]).await;
    paint(&room, [220, 220, 40]).await;
    shows(&server, [220, 220, 40]).await;
    room.engine.shutdown().await;
}
