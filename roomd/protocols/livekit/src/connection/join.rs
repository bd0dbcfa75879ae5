// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How a connection begins, what it may do, and how it ends.

use std::collections::BTreeMap;

use livekit_protocol as proto;
use proto::DisconnectReason as Reason;
use proto::leave_request::Action;
use roomd_conference::{IceServer, LocalSource};
use roomd_model::{Now, Pii, Secret};

use super::Connection;
use super::reconnect::Cause;
use crate::wire::Request;
use crate::{Ended, Event, Identity, Joined, Permissions, Quality};

/// What is taken of a server's STUN and TURN servers.
const MAX_ICE_URLS: usize = 16;
const MAX_ICE_TEXT: usize = 1024;
/// Longest token, in bytes.
const MAX_TOKEN: usize = 32 * 1024;
/// Longest mark of the server's own frames, in bytes.
const MAX_MARK: usize = 64;
/// Longest name of anybody and anything, in bytes.
pub(super) const MAX_NAME: usize = 512;
/// Longest metadata, in bytes.
pub(super) const MAX_METADATA: usize = 16 * 1024;

/// What joining gave.
#[derive(Debug)]
pub(super) struct Session {
    /// The server's name for us, which a resumed connection keeps.
    pub(super) sid: String,
    pub(super) identity: Identity,
    pub(super) permissions: Permissions,
    pub(super) metadata: Pii<String>,
    /// How well the server hears the room.
    pub(super) quality: Quality,
    pub(super) ice_servers: Vec<IceServer>,
    /// What the server's own frames end with.
    pub(super) mark: Vec<u8>,
    /// The server takes VP8.
    pub(super) takes_pictures: bool,
}

/// A change of what the others know of the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The name; as before when empty.
    pub name: Pii<String>,
    /// The metadata; as before when empty.
    pub metadata: Pii<String>,
    /// The attributes that change; an empty value removes one.
    pub attributes: BTreeMap<String, Pii<String>>,
}

impl Permissions {
    /// Whether the token lets the room send this.
    #[must_use]
    pub const fn allows(self, source: LocalSource) -> bool {
        match source {
            LocalSource::Microphone => self.microphone,
            LocalSource::Camera => self.camera,
            LocalSource::Content => self.content,
        }
    }

    pub(super) fn of(permission: Option<&proto::ParticipantPermission>) -> Self {
        // A server that says nothing says no when it is asked.
        let Some(permission) = permission else {
            return Self {
                subscribe: true,
                microphone: true,
                camera: true,
                content: true,
                data: true,
                update: true,
            };
        };
        let sources = &permission.can_publish_sources;
        let sends = |source: proto::TrackSource| {
            permission.can_publish && (sources.is_empty() || sources.contains(&(source as i32)))
        };
        Self {
            subscribe: permission.can_subscribe,
            microphone: sends(proto::TrackSource::Microphone),
            camera: sends(proto::TrackSource::Camera),
            content: sends(proto::TrackSource::ScreenShare),
            data: permission.can_publish_data,
            update: permission.can_update_metadata,
        }
    }
}

impl Connection {
    /// Changes what the others know of the room; answered by [`Event::Updated`] under the number that
    /// is returned. None while the server cannot be reached.
    pub fn update(&mut self, update: Update) -> Option<u32> {
        let request_id = self.fresh_request();
        let attributes = update.attributes.into_iter();
        let request = Request::UpdateMetadata(proto::UpdateParticipantMetadata {
            metadata: update.metadata.into_inner(),
            name: update.name.into_inner(),
            attributes: attributes.map(|(k, v)| (k, v.into_inner())).collect(),
            request_id,
        });
        (self.session.is_some() && self.say(request)).then_some(request_id)
    }

    /// The server lets the room in.
    pub(super) fn joined(&mut self, join: proto::JoinResponse, now: Now) {
        let participant = join.participant.unwrap_or_default();
        let Some(session) = Session::of(&participant, join.room.as_ref()) else {
            // Also where the server names another address: the room goes to no other host than the
            // one that it was given.
            self.bad();
            return self.resume(Cause::Signal, now);
        };
        self.drop_media();
        let takes = |codec: &proto::Codec| codec.mime.eq_ignore_ascii_case("video/vp8");
        let codecs = &join.enabled_publish_codecs;
        let session = Session {
            ice_servers: self.ice_servers(join.ice_servers),
            mark: Some(join.sif_trailer)
                .filter(|mark| mark.len() <= MAX_MARK)
                .unwrap_or_default(),
            takes_pictures: codecs.is_empty() || codecs.iter().any(takes),
            ..session
        };
        let joined = Joined {
            identity: session.identity.clone(),
            permissions: session.permissions,
            metadata: session.metadata.clone(),
        };
        self.session = Some(session);
        self.signal.greeted(now.mono);
        self.signal
            .set_pings(join.ping_interval, join.ping_timeout, now.mono);
        self.reached(now);
        self.event(Event::Joined(joined));
        self.replace_participants(join.other_participants);
    }

    /// The server has moved the room to another one.
    pub(super) fn moved(&mut self, moved: proto::RoomMovedResponse) {
        let participant = moved.participant.unwrap_or_default();
        let Some(fresh) = Session::of(&participant, moved.room.as_ref()) else {
            return self.bad();
        };
        self.refresh_token(moved.token);
        let Some(session) = &mut self.session else {
            return;
        };
        session.sid = fresh.sid;
        session.identity = fresh.identity;
        session.permissions = fresh.permissions;
        session.metadata = fresh.metadata;
        let joined = Joined {
            identity: session.identity.clone(),
            permissions: session.permissions,
            metadata: session.metadata.clone(),
        };
        self.event(Event::Joined(joined));
        self.replace_participants(moved.other_participants);
    }

    pub(super) fn refresh_token(&mut self, token: String) {
        if token.is_empty() || token.len() > MAX_TOKEN {
            return self.bad();
        }
        self.token = Secret::new(token);
    }

    pub(super) fn room_changed(&mut self, room: Option<proto::Room>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let metadata = room.unwrap_or_default().metadata;
        if *session.metadata.expose() != metadata && metadata.len() <= MAX_METADATA {
            session.metadata = Pii::new(metadata);
            let event = Event::RoomMetadata(session.metadata.clone());
            self.event(event);
        }
    }

    /// What the server says of the room itself.
    pub(super) fn own_participant(&mut self, info: &proto::ParticipantInfo) {
        let Some(session) = &mut self.session else {
            return;
        };
        let permissions = Permissions::of(info.permission.as_ref());
        if info.permission.is_some() && permissions != session.permissions {
            session.permissions = permissions;
            self.event(Event::Permissions(permissions));
            self.allowed_again(permissions);
        }
    }

    /// The server ends the connection, or wants another one.
    pub(super) fn left_by_server(&mut self, leave: &proto::LeaveRequest, now: Now) {
        let action = Action::try_from(leave.action).unwrap_or(Action::Disconnect);
        let again = leave.can_reconnect || action != Action::Disconnect;
        match Reason::try_from(leave.reason).unwrap_or(Reason::UnknownReason) {
            Reason::DuplicateIdentity => self.end(Ended::DuplicateIdentity),
            Reason::ParticipantRemoved => self.end(Ended::Removed),
            Reason::RoomDeleted | Reason::RoomClosed => self.end(Ended::RoomClosed),
            // It greets nobody for whom there is no place.
            Reason::JoinFailure if self.signal.is_greeting() && self.joins() => {
                self.end(Ended::Full);
            }
            Reason::ServerShutdown if action == Action::Resume => {
                self.resume(Cause::Shutdown, now);
            }
            Reason::ServerShutdown => self.rejoin(Cause::Shutdown, now),
            _ if action == Action::Resume => self.resume(Cause::Media, now),
            Reason::StateMismatch
            | Reason::JoinFailure
            | Reason::Migration
            | Reason::SignalClose
            | Reason::ConnectionTimeout
            | Reason::MediaFailure => self.rejoin(Cause::Signal, now),
            _ if again => self.rejoin(Cause::Signal, now),
            Reason::UnknownReason
            | Reason::ClientInitiated
            | Reason::UserUnavailable
            | Reason::UserRejected
            | Reason::SipTrunkFailure
            | Reason::AgentError => self.end(Ended::Disconnected),
        }
    }

    pub(super) fn say_goodbye(&mut self) {
        self.say(Request::Leave(proto::LeaveRequest {
            reason: Reason::ClientInitiated as i32,
            ..proto::LeaveRequest::default()
        }));
    }

    /// Ends for good.
    pub(super) fn end(&mut self, ended: Ended) {
        self.drop_media();
        self.drop_participants();
        self.hang_up();
        self.event(Event::Ended(ended));
        self.ended = true;
    }

    fn ice_servers(&self, servers: Vec<proto::IceServer>) -> Vec<IceServer> {
        let mut all = self.options.ice_servers.clone();
        for server in servers {
            let text = server.username.len().max(server.credential.len());
            let short = |url: &String| url.len() <= MAX_ICE_TEXT && text <= MAX_ICE_TEXT;
            for url in server.urls.into_iter().filter(short).take(MAX_ICE_URLS) {
                let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
                all.push(IceServer {
                    url,
                    username: given(&server.username).map(Pii::new),
                    credential: given(&server.credential).map(Secret::new),
                });
            }
        }
        all.truncate(MAX_ICE_URLS);
        all
    }
}

impl Session {
    fn of(participant: &proto::ParticipantInfo, room: Option<&proto::Room>) -> Option<Self> {
        let usable = |name: &str| !name.is_empty() && name.len() <= MAX_NAME;
        if !usable(&participant.sid) || !usable(&participant.identity) {
            return None;
        }
        let metadata = room.map(|room| room.metadata.clone()).unwrap_or_default();
        Some(Self {
            sid: participant.sid.clone(),
            identity: Identity::new(participant.identity.clone()),
            permissions: Permissions::of(participant.permission.as_ref()),
            metadata: Pii::new(if metadata.len() <= MAX_METADATA {
                metadata
            } else {
                String::new()
            }),
            quality: Quality::Unknown,
            ice_servers: Vec::new(),
            mark: Vec::new(),
            takes_pictures: true,
        })
    }
}
