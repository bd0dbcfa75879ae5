// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! A screen of the test's own, whose colours can be read.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use crate::bench::LIMIT;

/// An X server of the test's own; stopped at the end.
pub struct Server {
    child: Child,
    pub display: String,
}

impl Server {
    /// On this display, or on a free one.
    pub fn start(display: Option<&str>) -> Self {
        let mut command = Command::new("Xvfb");
        command.args(display);
        let mut child = command
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", "1920x1080x24"])
            .args(["-screen", "1", "1920x1080x24"])
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

    /// The name of one of its two screens.
    pub fn screen(&self, number: u8) -> String {
        format!("{}.{number}", self.display)
    }

    /// The colour in the middle of a screen: red, green, blue.
    fn middle(&self, number: u8) -> [u8; 3] {
        let (connection, number) = x11rb::connect(Some(&self.screen(number))).unwrap();
        let root = connection.setup().roots[number].root;
        let image = connection.get_image(ImageFormat::Z_PIXMAP, root, 960, 540, 1, 1, !0);
        let pixel = image.unwrap().reply().unwrap().data;
        [pixel[2], pixel[1], pixel[0]]
    }

    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until the first screen has this colour in its middle.
pub async fn shows(server: &Server, wanted: [u8; 3]) {
    screen_shows(server, 0, wanted).await;
}

/// Waits until a screen has this colour in its middle.
pub async fn screen_shows(server: &Server, number: u8, wanted: [u8; 3]) {
    let end = Instant::now() + LIMIT;
    loop {
        let seen = server.middle(number);
        if seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 12) {
            return;
        }
        assert!(Instant::now() < end, "the screen shows {seen:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
