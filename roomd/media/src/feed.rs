// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Moving pictures on their way to the display.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use roomd_media_core::frame::Planes;
use roomd_media_core::scene::{Scene, TileSource};
use tokio::sync::watch;

/// A picture on its way to the display.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub frame: Arc<dyn Planes>,
    /// Its RTP time, in a received stream.
    pub media: Option<u64>,
    /// When it came.
    pub at: Instant,
}

/// The pictures of one source.
pub(crate) type Feed = watch::Receiver<Option<Picture>>;

/// Waits for a new picture of a source that is on the display.
pub(crate) async fn arrival(feeds: &mut BTreeMap<TileSource, Feed>, scene: &Scene) {
    let visible = |source: &TileSource| scene.tiles.iter().any(|tile| tile.source == *source);
    let mut waiting: Vec<_> = feeds
        .iter_mut()
        .filter(|(source, _)| visible(source))
        .map(|(source, feed)| (*source, Box::pin(feed.changed())))
        .collect();
    let mut new = Vec::new();
    std::future::poll_fn(|context| {
        waiting.retain_mut(|(source, changed)| match changed.as_mut().poll(context) {
            Poll::Ready(Ok(())) => {
                new.push(*source);
                false
            }
            // The source is gone.
            Poll::Ready(Err(_)) => false,
            Poll::Pending => true,
        });
        if new.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    drop(waiting);
    for source in new {
        if let Some(feed) = feeds.get_mut(&source) {
            // Waiting has marked it as seen, and it is yet to be collected.
            feed.mark_changed();
        }
    }
}
