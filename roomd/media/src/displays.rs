// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! One display, or two: people on the first, content on the second.

use std::io;
use std::sync::Arc;

use roomd_media_core::outputs::Purposes;
use roomd_media_core::scene::{Scene, TileSource};
use tokio::sync::mpsc;

use crate::display::{Display, DisplayNews, Feed, Place, Screen};
use crate::kms::Kms;
use crate::time::Timeline;
use crate::types::{ContentDisplay, DisplayOutput, Settings};

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
        let kms = Kms::new(Purposes {
            people: settings.display_connector.clone(),
            content: match &settings.content_display {
                Some(ContentDisplay::Kms(connector)) => connector.clone(),
                Some(ContentDisplay::X11(_) | ContentDisplay::Wayland(_)) | None => None,
            },
        });
        let start = |place| Display::start(place, kms.clone(), timeline, news.clone());
        let people = Place {
            screen: Screen::People,
            output: settings.display,
            server: settings.display_server.clone(),
            required: true,
        };
        let content = settings.content_display.as_ref().map(content);
        Ok(Self {
            people: start(people)?,
            content: content.map(start).transpose()?,
        })
    }

    /// Something was plugged into a graphics card, or pulled out. What content lets go of may be what
    /// people need.
    pub(crate) fn plugged(&self) {
        if let Some(content) = &self.content {
            content.plugged();
        }
        self.people.plugged();
    }

    pub(crate) fn content_sleeps(&self, sleeps: bool) {
        if let Some(content) = &self.content {
            content.sleep(sleeps);
        }
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

fn content(display: &ContentDisplay) -> Place {
    let (output, server, required) = match display {
        ContentDisplay::X11(server) => (DisplayOutput::X11, Some(server), true),
        ContentDisplay::Wayland(socket) => (DisplayOutput::Wayland, Some(socket), true),
        // A room that names none may have only one.
        ContentDisplay::Kms(connector) => (DisplayOutput::Kms, None, connector.is_some()),
    };
    Place {
        screen: Screen::Content,
        output,
        server: server.cloned(),
        required,
    }
}
