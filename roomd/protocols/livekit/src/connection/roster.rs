// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Who takes part, and what they send.

use std::collections::BTreeMap;

use livekit_protocol as proto;
use proto::participant_info::{Kind as WireKind, State};
use roomd_model::{Pii, StreamId, StreamKind};

use super::join::{MAX_METADATA, MAX_NAME};
use super::remote::RemoteTrack;
use crate::{Identity, Ids, Kind, Participant, Quality, Source, Track, TrackRefusal};

/// Participants that are followed; those above are not there for the room.
const MAX_PARTICIPANTS: usize = 500;
/// Tracks of one participant.
const MAX_TRACKS: usize = 16;
/// Attributes of one participant.
const MAX_ATTRIBUTES: usize = 64;

/// Who takes part, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Roster {
    pub(super) members: Vec<Member>,
    /// Who left and was not spoken of yet.
    pub(super) left: Vec<Identity>,
    /// How often somebody began to speak.
    spoken: u64,
}

/// Somebody who takes part.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) sid: String,
    version: u32,
    /// What the server says, and what follows from it.
    pub(super) info: Participant,
    pub(super) tracks: BTreeMap<String, RemoteTrack>,
    /// As the owner was told.
    pub(super) told: Option<Participant>,
    /// When they last began to speak, counted by [`Roster::spoken`].
    pub(super) spoke: u64,
}

impl Roster {
    /// Everybody whom the owner knows of.
    pub(super) fn told(&self) -> impl Iterator<Item = &Participant> {
        self.members
            .iter()
            .filter_map(|member| member.told.as_ref())
    }

    pub(super) fn has(&self, identity: &Identity) -> bool {
        let is = |member: &Member| member.info.identity == *identity;
        self.members.iter().any(is)
    }

    pub(super) fn member(&mut self, sid: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.sid == sid)
    }

    pub(super) fn remote(&mut self, sid: &str) -> Option<&mut RemoteTrack> {
        let mut tracks = self.members.iter_mut();
        tracks.find_map(|member| member.tracks.get_mut(sid))
    }

    pub(super) fn tracks_mut(&mut self) -> impl Iterator<Item = (&String, &mut RemoteTrack)> {
        self.members.iter_mut().flat_map(|m| m.tracks.iter_mut())
    }

    /// A track as the owner sees it, with its stream or a fresh one; none for one that is not taken.
    pub(super) fn track(&self, sid: &str, stream: Option<StreamId>, ids: &Ids) -> Option<Track> {
        let mut members = self.members.iter();
        let (member, track) = members.find_map(|member| Some((member, member.tracks.get(sid)?)))?;
        if track.refusal.is_some() || !track.subscribed {
            return None;
        }
        Some(Track {
            stream: stream.unwrap_or_else(|| ids.stream()),
            identity: member.info.identity.clone(),
            kind: track.kind,
            source: track.source,
            encrypted: track.encrypted,
            muted: track.muted,
            paused: track.paused,
        })
    }

    /// Takes what the server says of somebody; false when there are too many.
    pub(super) fn take(&mut self, info: proto::ParticipantInfo, encrypts: bool) -> bool {
        let known = self.members.iter().position(|m| m.sid == info.sid);
        let Some(index) = known else {
            return self.add(info, encrypts);
        };
        let member = &mut self.members[index];
        // Messages of several nodes overtake each other.
        if info.version >= member.version {
            member.take(info, encrypts);
        }
        true
    }

    fn add(&mut self, info: proto::ParticipantInfo, encrypts: bool) -> bool {
        // Whoever comes back may come before the news that they went.
        let same = |member: &Member| member.info.identity.expose() == info.identity;
        let told = self.members.iter().position(same).map(|index| {
            let old = self.members.remove(index);
            old.told
        });
        if self.members.len() >= MAX_PARTICIPANTS {
            return false;
        }
        let mut member = Member {
            sid: info.sid.clone(),
            version: 0,
            info: Participant::unknown(Identity::new(info.identity.clone())),
            tracks: BTreeMap::new(),
            told: told.flatten(),
            spoke: 0,
        };
        member.take(info, encrypts);
        self.members.push(member);
        true
    }

    pub(super) fn remove(&mut self, sid: &str) {
        if let Some(index) = self.members.iter().position(|member| member.sid == sid) {
            let member = self.members.remove(index);
            if member.told.is_some() {
                self.left.push(member.info.identity);
            }
        }
    }

    /// Somebody begins or stops to speak.
    pub(super) fn speaks(&mut self, sid: &str, speaking: bool) {
        let spoken = self.spoken + 1;
        let Some(member) = self.member(sid) else {
            return;
        };
        let begins = speaking && !member.info.speaking;
        member.info.speaking = speaking;
        if begins {
            member.spoke = spoken;
            self.spoken = spoken;
        }
    }

    pub(super) fn set_quality(&mut self, sid: &str, quality: Quality) {
        if let Some(member) = self.member(sid) {
            member.info.quality = quality;
        }
    }
}

impl Member {
    fn take(&mut self, info: proto::ParticipantInfo, encrypts: bool) {
        self.version = info.version;
        self.info.name = Pii::new(at_most(info.name, MAX_NAME));
        self.info.metadata = Pii::new(at_most(info.metadata, MAX_METADATA));
        let mut left = MAX_METADATA;
        // The wire gives them in no order; a map does.
        let attributes: BTreeMap<_, _> = info.attributes.into_iter().collect();
        let fits = |(key, value): &(String, String)| {
            let rest = left.checked_sub(key.len() + value.len());
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let attributes = attributes.into_iter().filter(fits).take(MAX_ATTRIBUTES);
        self.info.attributes = attributes.map(|(k, v)| (k, Pii::new(v))).collect();
        self.info.kind = kind_of(info.kind);
        self.info.active = info.state == State::Active as i32;
        let mut tracks = BTreeMap::new();
        for track in info.tracks.into_iter().take(MAX_TRACKS) {
            if !track.sid.is_empty() && track.sid.len() <= MAX_NAME {
                let before = self.tracks.remove(&track.sid);
                if let Some(taken) = RemoteTrack::of(&track, before, encrypts) {
                    tracks.insert(track.sid, taken);
                }
            }
        }
        self.tracks = tracks;
        let sends = |wanted: &[Source]| {
            let on = |track: &RemoteTrack| !track.muted && wanted.contains(&track.source);
            self.tracks.values().any(on)
        };
        let unknown = |kind: StreamKind| {
            let on = |track: &RemoteTrack| {
                !track.muted && track.source == Source::Unknown && track.kind == kind
            };
            self.tracks.values().any(on)
        };
        self.info.microphone = sends(&[Source::Microphone]) || unknown(StreamKind::Audio);
        self.info.camera = sends(&[Source::Camera]) || unknown(StreamKind::Camera);
        self.info.sharing = sends(&[Source::Screen]);
        let clear = |track: &RemoteTrack| track.refusal == Some(TrackRefusal::Unencrypted);
        self.info.unencrypted = self.tracks.values().any(clear);
    }
}

impl Participant {
    const fn unknown(identity: Identity) -> Self {
        Self {
            identity,
            name: Pii::new(String::new()),
            metadata: Pii::new(String::new()),
            attributes: BTreeMap::new(),
            kind: Kind::Standard,
            active: false,
            microphone: false,
            camera: false,
            sharing: false,
            unencrypted: false,
            speaking: false,
            quality: Quality::Unknown,
        }
    }
}

fn kind_of(kind: i32) -> Kind {
    match WireKind::try_from(kind) {
        Ok(WireKind::Standard) => Kind::Standard,
        Ok(WireKind::Ingress) => Kind::Ingress,
        Ok(WireKind::Egress) => Kind::Egress,
        Ok(WireKind::Sip) => Kind::Sip,
        Ok(WireKind::Agent) => Kind::Agent,
        Ok(WireKind::Connector | WireKind::Bridge) | Err(_) => Kind::Other,
    }
}

/// The text, or nothing when it is too long: half of it may mean something else.
fn at_most(text: String, bytes: usize) -> String {
    if text.len() <= bytes {
        text
    } else {
        String::new()
    }
}
