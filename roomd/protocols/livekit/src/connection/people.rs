// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the server says of who is there, and what the owner hears of it.

use livekit_protocol as proto;
use proto::participant_info::State;

use super::Connection;
use super::join::MAX_NAME;
use super::roster::Member;
use crate::Event;

impl Connection {
    /// The server says what changed.
    pub(super) fn participants_changed(&mut self, all: Vec<proto::ParticipantInfo>) {
        let encrypts = self.options.encryption.is_some();
        for info in all {
            let usable = |name: &str| !name.is_empty() && name.len() <= MAX_NAME;
            if !usable(&info.sid) {
                self.bad();
                continue;
            }
            let session = self.session.as_ref();
            let own = session.is_some_and(|s| s.identity.expose() == info.identity);
            if session.is_some_and(|session| session.sid == info.sid) {
                self.own_participant(&info);
            } else if info.state == State::Disconnected as i32 {
                // The identity may be missing.
                self.roster.remove(&info.sid);
            } else if own || is_hidden(&info) {
                // Our own former self, and whoever nobody is to see.
            } else if !usable(&info.identity) || !self.roster.take(info, encrypts) {
                self.bad();
            }
        }
    }

    /// The server says who is there; everybody else is not.
    pub(super) fn replace_participants(&mut self, all: Vec<proto::ParticipantInfo>) {
        let stays = |sid: &str| all.iter().any(|info| info.sid == sid);
        let gone = self.roster.members.iter().filter(|m| !stays(&m.sid));
        let same = |member: &Member| {
            let identity = member.info.identity.expose();
            all.iter().any(|info| info.identity == identity)
        };
        // Whoever has the same identity is taken over.
        let gone: Vec<_> = gone.filter(|m| !same(m)).map(|m| m.sid.clone()).collect();
        for sid in gone {
            self.roster.remove(&sid);
        }
        for (_, track) in self.roster.tracks_mut() {
            track.subscribed = false;
            track.told_lines = None;
        }
        self.participants_changed(all);
    }

    /// Tells the owner who left, who came and who changed.
    pub(super) fn tell_participants(&mut self) {
        for identity in std::mem::take(&mut self.roster.left) {
            let back = |member: &Member| member.info.identity == identity;
            if !self.roster.members.iter().any(back) {
                self.event(Event::ParticipantLeft(identity));
            }
        }
        let mut events = Vec::new();
        for member in &mut self.roster.members {
            if member.told.as_ref() != Some(&member.info) {
                member.told = Some(member.info.clone());
                events.push(Event::Participant(member.info.clone()));
            }
            for track in member.tracks.values_mut() {
                if let Some(reason) = track.refusal.filter(|_| !track.refusal_told) {
                    track.refusal_told = true;
                    events.push(Event::TrackRefused {
                        identity: member.info.identity.clone(),
                        source: track.source,
                        reason,
                    });
                }
            }
        }
        self.outputs
            .extend(events.into_iter().map(crate::Output::Event));
    }

    /// Says of everybody that they are gone.
    pub(super) fn drop_participants(&mut self) {
        let roster = std::mem::take(&mut self.roster);
        let told = roster.members.into_iter().filter(|m| m.told.is_some());
        let told = told.map(|member| member.info.identity);
        for identity in roster.left.into_iter().chain(told) {
            self.event(Event::ParticipantLeft(identity));
        }
    }
}

fn is_hidden(info: &proto::ParticipantInfo) -> bool {
    info.permission
        .as_ref()
        .is_some_and(|permission| permission.hidden)
}
