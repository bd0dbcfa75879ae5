// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Debian's headless Chromium, driven through the browser agent (kiosk/tests/agent).

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::lines::Lines;
use super::wait::PATIENCE;
use crate::kiosk;

/// A browser process with its own empty profile.
pub struct Browser {
    agent: Lines,
}

/// How a browser starts.
#[derive(Default)]
pub struct Options<'a> {
    /// The room's key, as base64 of the SHA-256 of its SPKI: the only one that is trusted.
    pub pinned_key: &'a str,
    /// A Y4M file that stands for the camera.
    pub video: Option<&'a Path>,
    /// A WAV file that stands for the microphone.
    pub audio: Option<&'a Path>,
    /// What the guest shares when asked: `window` or `browser`.
    pub display_media: Option<&'a str>,
    /// Addresses of the machine are hidden behind random names, as in an ordinary browser that
    /// was not allowed the camera.
    pub hidden_addresses: bool,
    /// The X server that shows its window; without one it has none.
    pub display: Option<&'a str>,
    /// Further command-line switches.
    pub arguments: &'a [&'a str],
}

impl Browser {
    /// Starts a browser.
    pub fn launch(options: &Options<'_>) -> Result<Self> {
        let program = kiosk::directory().join("tests/agent/agent.mjs");
        let agent = Lines::start("browser", &program, |node| {
            node.envs(options.display.map(|display| ("DISPLAY", display)));
            Ok(())
        })?;
        let mut browser = Self { agent };
        browser.call(json!({
            "command": "launch",
            "pinnedKeys": [options.pinned_key],
            "fakeVideo": options.video,
            "fakeAudio": options.audio,
            "displayMedia": options.display_media,
            "hiddenAddresses": options.hidden_addresses,
            "args": options.arguments,
            "headed": options.display.is_some(),
        }))?;
        Ok(browser)
    }

    /// Opens a page.
    pub fn open(&mut self, page: &str, url: &str, options: Value) -> Result<()> {
        let mut command = json!({ "command": "newPage", "page": page, "url": url });
        if let (Some(command), Value::Object(options)) = (command.as_object_mut(), options) {
            command.extend(options);
        }
        self.call(command).map(drop)
    }

    /// Touches what the selector names, once it can be touched.
    pub fn click(&mut self, page: &str, selector: &str) -> Result<()> {
        self.call(json!({ "command": "click", "page": page, "selector": selector }))
            .map(drop)
    }

    /// Types into a field.
    pub fn fill(&mut self, page: &str, selector: &str, text: &str) -> Result<()> {
        let command =
            json!({ "command": "fill", "page": page, "selector": selector, "value": text });
        self.call(command).map(drop)
    }

    /// Waits until what the selector names is visible.
    pub fn wait_for(&mut self, page: &str, selector: &str) -> Result<()> {
        let command = json!({
            "command": "waitFor", "page": page, "selector": selector,
            "timeout": PATIENCE.as_millis() as u64,
        });
        self.call(command).map(drop)
    }

    /// Evaluates JavaScript in the page.
    pub fn evaluate(&mut self, page: &str, expression: &str) -> Result<Value> {
        self.call(json!({ "command": "eval", "page": page, "expression": expression }))
    }

    /// Writes what the page shows as PNG.
    pub fn screenshot(&mut self, page: &str, path: &Path) -> Result<()> {
        self.call(json!({ "command": "screenshot", "page": page, "path": path }))
            .map(drop)
    }

    /// Accessibility violations of the page, by axe.
    pub fn accessibility(&mut self, page: &str) -> Result<Vec<Value>> {
        let reply = self.call(json!({ "command": "axe", "page": page }))?;
        Ok(reply.as_array().cloned().unwrap_or_default())
    }

    /// Closes a page without a goodbye, as a crash or a lost network does.
    pub fn close_page(&mut self, page: &str) -> Result<()> {
        self.call(json!({ "command": "closePage", "page": page }))
            .map(drop)
    }

    /// The browser's processes, without the agent.
    pub fn processes(&self) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        let mut open = vec![self.agent.id()];
        while let Some(parent) = open.pop() {
            let tasks = format!("/proc/{parent}/task");
            for task in std::fs::read_dir(tasks).into_iter().flatten().flatten() {
                let children = std::fs::read_to_string(task.path().join("children"));
                for child in children.unwrap_or_default().split_whitespace() {
                    let child = child.parse().context("a process id is no number")?;
                    found.push(child);
                    open.push(child);
                }
            }
        }
        Ok(found)
    }

    /// Sends one command to the agent and gives its result.
    pub fn call(&mut self, command: Value) -> Result<Value> {
        self.agent.call(command)
    }
}
