// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Muting, by whomever: the engine holds back first, then the others are told.

use livekit_protocol as proto;
use roomd_conference::{LocalSource, MediaCommand};
use roomd_model::Now;

use super::Connection;
use crate::Event;
use crate::wire::Request;

impl Connection {
    /// Mutes a source that is sent, or ends its mute, that of the server included.
    pub fn set_muted(&mut self, source: LocalSource, muted: bool, now: Now) {
        if let Some(publication) = self.publisher.publications.get_mut(&source) {
            publication.muted = muted;
            publication.silenced &= muted;
        }
        self.advance(now);
    }

    /// Holds back what is muted and tells the server what it does not know.
    pub(super) fn sync_mutes(&mut self) {
        let Some(peer) = self.publisher.peer else {
            return;
        };
        let up = self.signal.up().is_some();
        let mut holds = Vec::new();
        let mut tells = Vec::new();
        for publication in self.publisher.publications.values_mut() {
            let muted = publication.is_muted();
            let Some(line) = &mut publication.line else {
                continue;
            };
            if line.held != muted {
                line.held = muted;
                holds.push((line.mid.clone(), muted));
            }
            if up && line.told_muted != Some(muted) {
                line.told_muted = Some(muted);
                tells.push((line.track.sid.clone(), muted));
            }
        }
        for (mid, held) in holds {
            self.media(MediaCommand::Hold { peer, mid, held });
        }
        for (sid, muted) in tells {
            self.say(Request::Mute(proto::MuteTrackRequest { sid, muted }));
        }
    }

    /// The server does not know any more what it was told.
    pub(super) fn forget_told_mutes(&mut self) {
        let publications = self.publisher.publications.values_mut();
        for line in publications.filter_map(|publication| publication.line.as_mut()) {
            line.told_muted = None;
        }
    }

    /// The server mutes one of our tracks, or would unmute it.
    pub(super) fn muted_by_server(&mut self, mute: &proto::MuteTrackRequest) {
        let Some(source) = self.publisher.source_of(&mute.sid) else {
            return self.bad();
        };
        let Some(publication) = self.publisher.publications.get_mut(&source) else {
            return;
        };
        publication.silenced = mute.muted;
        if !mute.muted {
            // Only a person at the room lets something be sent; the server is told the truth.
            publication.muted = true;
        }
        if let Some(line) = &mut publication.line {
            line.told_muted = Some(mute.muted);
        }
        let muted = mute.muted;
        self.event(Event::MutedByServer { source, muted });
    }
}
