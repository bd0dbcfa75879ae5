// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which tracks of a large meeting the room receives.
//!
//! The server sends only what it is asked for. Up to a limit that is all; above it, whoever spoke last
//! comes first, and a picture that is shown stays.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use livekit_protocol as proto;
use roomd_model::StreamKind;

use super::Connection;
use crate::wire::Request;

/// Tracks of each kind that are received at the same time. Together with the m-line of data channels
/// they stay below what one connection of the engine takes.
const MAX_SOUNDS: usize = 36;
const MAX_CAMERAS: usize = 20;
const MAX_SCREENS: usize = 4;

impl Connection {
    /// Asks the server for the tracks that are to be received, and for no others.
    pub(super) fn select_tracks(&mut self) {
        let session = self.session.as_ref();
        let may = session.is_some_and(|session| session.permissions.subscribe);
        if !may || self.signal.up().is_none() {
            return;
        }
        let mut chosen = BTreeSet::new();
        for (kind, most) in [
            (StreamKind::Audio, MAX_SOUNDS),
            (StreamKind::Camera, MAX_CAMERAS),
            (StreamKind::Screen, MAX_SCREENS),
        ] {
            chosen.extend(self.choose(kind, most));
        }
        let mut news = (Vec::new(), Vec::new());
        for (sid, track) in self.roster.tracks_mut() {
            let wanted = chosen.contains(sid);
            if track.subscribed != wanted {
                track.subscribed = wanted;
                track.told_lines = None;
                let list = if wanted { &mut news.0 } else { &mut news.1 };
                list.push(sid.clone());
            }
        }
        for (track_sids, subscribe) in [(news.1, false), (news.0, true)] {
            if !track_sids.is_empty() {
                self.say(Request::Subscription(proto::UpdateSubscription {
                    track_sids,
                    subscribe,
                    ..proto::UpdateSubscription::default()
                }));
            }
        }
    }

    fn choose(&self, kind: StreamKind, most: usize) -> Vec<String> {
        let mut all = Vec::new();
        for (arrived, member) in self.roster.members.iter().enumerate() {
            for (sid, track) in &member.tracks {
                if track.kind == kind && track.refusal.is_none() {
                    let shown = track.lines.is_some_and(|lines| lines > 0);
                    let rank = (shown, member.spoke, track.subscribed, Reverse(arrived));
                    all.push((rank, sid.clone()));
                }
            }
        }
        if all.len() > most {
            all.sort_by(|(one, _), (other, _)| other.cmp(one));
            all.truncate(most);
        }
        all.into_iter().map(|(_, sid)| sid).collect()
    }

    /// The tracks that the server was asked for.
    pub(super) fn selected(&mut self) -> Vec<String> {
        let tracks = self.roster.tracks_mut();
        let selected = tracks.filter(|(_, track)| track.subscribed);
        selected.map(|(sid, _)| sid.clone()).collect()
    }
}
