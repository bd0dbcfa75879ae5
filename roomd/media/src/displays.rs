// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One display, or two: people on the first, content on the second.

use std::io;
use std::sync::Arc;

use roomd_media_core::scene::{Scene, TileSource};
use tokio::sync::mpsc;

use crate::display::{Display, DisplayNews, Feed, Screen};
use crate::time::Timeline;
use crate::types::Settings;

/// Handles of the displays' threads.
#[derive(Clone, Debug)]
pub(crate) struct Displays {
    pub people: Display,
    pub content: Option<Display>,
}

impl Displays {
    pub(crate) fn start(
        settings: &Settings,
        timeline: Timeline,
        news: &mpsc::Sender<DisplayNews>,
    ) -> io::Result<Self> {
        let people = Display::start(
            Screen::People,
            settings.display,
            settings.display_server.clone(),
            timeline,
            news.clone(),
        )?;
        let content = settings.content_display.as_ref().map(|second| {
            let server = second.server.clone();
            Display::start(
                Screen::Content,
                second.output,
                server,
                timeline,
                news.clone(),
            )
        });
        Ok(Self {
            people,
            content: content.transpose()?,
        })
    }

    /// Connects a source, or disconnects it.
    pub(crate) fn feed(&self, source: TileSource, feed: Option<Feed>) {
        if let Some(content) = &self.content {
            content.feed(source, feed.clone());
        }
        self.people.feed(source, feed);
    }

    pub(crate) fn content_scene(&self, scene: Arc<Scene>) {
        if let Some(content) = &self.content {
            content.scene(scene);
        }
    }

    /// Composes so often at the most.
    pub(crate) fn pace(&self, pictures_per_second: u32) {
        self.people.pace(pictures_per_second);
        if let Some(content) = &self.content {
            content.pace(pictures_per_second);
        }
    }

    /// Compositions that were missed since the last call.
    pub(crate) fn take_missed(&self) -> u32 {
        let content = self.content.as_ref().map_or(0, Display::take_missed);
        self.people.take_missed().saturating_add(content)
    }

    pub(crate) fn stop(&self) {
        self.people.stop();
        if let Some(content) = &self.content {
            content.stop();
        }
    }
}
