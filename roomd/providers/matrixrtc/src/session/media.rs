// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The media servers, what they tell, and the keys of what goes over them.

use std::time::{Duration, Instant};

use roomd_conference::{
    ChannelEvent, Ended, Event, FrameKeyMaterial, FrameScheme, LocalSource, MediaEvent, Output,
};
use roomd_livekit::{
    Connection, Ended as ServerEnded, Event as ServerEvent, Options, Output as ServerOutput,
    Publish, TrackRefusal,
};
use roomd_matrix_port::{Ask, Recipient};
use roomd_model::{FaultCode, Now, Pii, Secret, StreamTrouble};
use url::Url;

use super::account::Purpose;
use super::keys::{OwnKey, TheirKey};
use super::people::Mode;
use super::servers::{Granted, Place, Server, State};
use super::{MatrixRtcSession, Stage};

/// How long the room's own server is tried before the meeting counts as out of reach.
const PATIENCE: Duration = Duration::from_secs(15);
/// The same in the call, where the others may still be there.
const PATIENCE_INSIDE: Duration = Duration::from_secs(120);

impl MatrixRtcSession {
    /// Asks for tokens where a server is due.
    pub(super) fn drive_servers(&mut self, now: Now) {
        let is_due = |server: &Server| server.due.is_some_and(|at| at <= now.mono);
        if !self.servers.all.iter().any(is_due) {
            return;
        }
        let (Some(room), Some(me)) = (&self.room, &self.me) else {
            return;
        };
        let Some((token, _)) = self.open_id.as_ref().filter(|(_, until)| *until > now.mono) else {
            // When the answer is there, they are still due.
            self.open_id = None;
            if !self.awaits_open_id() {
                self.ask(Ask::OpenIdToken, Purpose::OpenId);
            }
            return;
        };
        for server in self.servers.all.iter_mut().filter(|server| is_due(server)) {
            match server.ask(&self.ids, &room.room, me, token) {
                Some((channel, open)) => self.outputs.push_back(Output::Channel(channel, open)),
                None => server.due = None,
            }
        }
    }

    /// A token service answers.
    pub(super) fn granted(&mut self, index: usize, event: &ChannelEvent, now: Now) {
        if matches!(
            event,
            ChannelEvent::Opened | ChannelEvent::Text(_) | ChannelEvent::Binary(_)
        ) {
            return;
        }
        let Some(server) = self.servers.all.get_mut(index) else {
            return;
        };
        let (own, granted) = (server.own, server.granted(event));
        match granted {
            // The service of a member could lead the room anywhere.
            Granted::Token { url, .. } if !self.servers.may_reach(&url) => {
                self.bad += 1;
                self.lost(index, now);
            }
            Granted::Token { url, token } => self.connect(index, url, token, now),
            Granted::OtherForm => {
                if let Some(server) = self.servers.all.get_mut(index) {
                    server.state = State::Waiting;
                    server.due = Some(now.mono);
                }
            }
            Granted::Refused if own && !self.told.joined => {
                self.fail(FaultCode::TokenRefused);
            }
            Granted::Refused | Granted::Down => {
                // It may be the token of the homeserver that is not taken.
                self.open_id = None;
                self.lost(index, now);
            }
        }
    }

    fn connect(&mut self, index: usize, url: Url, token: Secret, now: Now) {
        if !self.is_to_connect(index, Place::new(&url, &token), now.mono) {
            return;
        }
        let mut options = Options::new(Pii::new(url), token);
        options.jitter = self.random.number();
        options.encryption = match self.mode {
            Some(Mode::Each) => Some(FrameScheme::ElementCall),
            Some(Mode::Shared) => Some(FrameScheme::LiveKitShared),
            Some(Mode::Plain) | None => None,
        };
        let Some(server) = self.servers.all.get_mut(index) else {
            return;
        };
        if server.own {
            let (microphone, camera) = self.sending;
            let publish = |source, sends: bool| Publish {
                source,
                muted: !sends,
            };
            options.publish = vec![
                publish(LocalSource::Microphone, microphone),
                publish(LocalSource::Camera, camera),
            ];
            let content = self.content.then(|| publish(LocalSource::Content, true));
            options.publish.extend(content);
        }
        let connection = Connection::new(options, self.ids.clone(), now);
        server.state = State::Connected {
            connection: Box::new(connection),
            joined: false,
        };
        self.give_keys(index);
    }

    /// Whether a server that gave a token for this place gets a connection of its own: not where another
    /// one of ours serves it. The own server's is never given up, for it sends; that of a server that
    /// was never joined is, for its token may be none.
    fn is_to_connect(&mut self, index: usize, place: Place, now: Instant) -> bool {
        let other = self.servers.connected_to(&place, index);
        let Some(server) = self.servers.all.get_mut(index) else {
            return false;
        };
        let (own, number) = (server.own, server.number);
        server.place = Some(place.clone());
        if let Some(other) = other {
            let there = self.servers.all.get(other);
            let there = there.filter(|there| !own && (there.own || there.is_joined()));
            if let Some(with) = there.map(|there| there.number) {
                if let Some(server) = self.servers.all.get_mut(index) {
                    server.share(with);
                }
                self.bind_people();
                return false;
            }
            self.give_way(other, number, now);
        }
        self.servers.release(number, Some(&place), now);
        self.bind_people();
        true
    }

    /// Closes a server's connection: that of the server of this number serves it.
    fn give_way(&mut self, index: usize, to: u32, now: Instant) {
        let Some(server) = self.servers.all.get_mut(index) else {
            return;
        };
        let number = server.number;
        let mut said = Vec::new();
        if let Some(connection) = server.connection() {
            connection.leave();
            said.extend(std::iter::from_fn(|| connection.poll_output()));
        }
        server.share(to);
        for output in said {
            self.server_said(number, output);
        }
        self.people.forget_server(number);
        self.servers.release(number, None, now);
        self.bind_people();
    }

    /// The keys that are known already.
    fn give_keys(&mut self, index: usize) {
        let Some(connection) = self.servers.all.get_mut(index).and_then(Server::connection) else {
            return;
        };
        if let (Some(Mode::Shared), Some(password)) = (self.mode, &self.setup.password) {
            connection.set_shared_key(0, &FrameKeyMaterial::Passphrase(password.clone()));
        }
        if let Some(key) = self.keys.used() {
            connection.set_own_key(
                key.index.into(),
                FrameKeyMaterial::Bytes(key.bytes.to_vec()),
            );
        }
        for member in &self.members {
            for (number, key) in self.keys.of(&member.device) {
                let material = FrameKeyMaterial::Bytes(key.bytes.clone());
                connection.set_key(&member.identity, number.into(), material);
            }
        }
    }

    /// Encrypts with this key from now on.
    pub(super) fn use_key(&mut self, key: &OwnKey) {
        for connection in self.servers.connections() {
            connection.set_own_key(
                key.index.into(),
                FrameKeyMaterial::Bytes(key.bytes.to_vec()),
            );
        }
    }

    /// Opens with a key that has arrived, once its membership is seen.
    pub(super) fn apply_key(&mut self, from: &Recipient, index: u8, key: &TheirKey) {
        let member = self.members.iter().find(|member| member.device == *from);
        let Some(identity) = member.map(|member| member.identity.clone()) else {
            return;
        };
        for connection in self.servers.connections() {
            let material = FrameKeyMaterial::Bytes(key.bytes.clone());
            connection.set_key(&identity, index.into(), material);
        }
    }

    /// Opens with the keys of those whose membership came after them.
    pub(super) fn apply_keys(&mut self) {
        for index in 0..self.servers.all.len() {
            self.give_keys(index);
        }
    }

    /// Listens to the servers that the others send to.
    pub(super) fn listen(&mut self, now: Instant) {
        if self.stay.is_none() {
            return;
        }
        let services = self
            .members
            .iter()
            .filter_map(|member| member.service.as_ref());
        let services: Vec<_> = services.collect();
        let mut gone = self.servers.listen(&services, now);
        for server in &mut gone {
            let number = server.number;
            if let Some(connection) = server.connection() {
                connection.leave();
                while let Some(output) = connection.poll_output() {
                    self.server_said(number, output);
                }
            }
            self.people.forget_server(number);
            self.servers.release(number, None, now);
        }
    }

    /// What members send comes from the servers of their memberships; from others, it is not theirs.
    pub(super) fn bind_people(&mut self) {
        let mut moved = Vec::new();
        for member in &self.members {
            let services = member.service.iter().chain(&member.oldest);
            let homes = services.filter_map(|service| self.servers.serving(service));
            let homes = homes.collect();
            moved.extend(self.people.bind(&member.identity, homes, &mut self.random));
        }
        for it in moved {
            self.event(Event::StreamRemoved { stream: it.stream });
            self.event(Event::StreamAdded {
                stream: it.stream,
                participant: it.participant,
                kind: it.kind,
            });
        }
    }

    pub(super) fn send(&mut self, microphone: bool, camera: bool, now: Now) {
        self.sending = (microphone, camera);
        if let Some(connection) = self.servers.own().and_then(Server::connection) {
            connection.set_muted(LocalSource::Microphone, !microphone, now);
            connection.set_muted(LocalSource::Camera, !camera, now);
        }
    }

    /// Shows something from now on, or no longer: a screen of its own to the others.
    pub(super) fn show(&mut self, on: bool, now: Now) {
        self.content = on;
        let Some(connection) = self.servers.own().and_then(Server::connection) else {
            // Whoever connects later begins with it.
            return;
        };
        let source = LocalSource::Content;
        if on {
            let publish = Publish {
                source,
                muted: false,
            };
            connection.publish(publish, now);
        } else {
            connection.unpublish(source, now);
        }
    }

    pub(super) fn want_pictures(&mut self) {
        let pictures = self.people.pictures();
        let (shown, servers) = (&self.shown, &mut self.servers);
        for stream in &pictures {
            self.people.taken(*stream, shown.contains_key(stream));
        }
        for connection in servers.connections() {
            for stream in &pictures {
                connection.want(*stream, shown.get(stream).copied().unwrap_or_default());
            }
        }
    }

    pub(super) fn media(&mut self, event: &MediaEvent, now: Now) {
        match event {
            MediaEvent::Speaking { stream, speaking } => self.people.speaking(*stream, *speaking),
            MediaEvent::Trouble {
                stream,
                trouble: StreamTrouble::Undecryptable,
                active,
            } => {
                self.people.undecryptable(*stream, *active);
                self.doubt_password();
            }
            MediaEvent::Opened { stream } => self.people.opened(*stream),
            MediaEvent::Trouble { .. }
            | MediaEvent::LocalDescription { .. }
            | MediaEvent::LocalCandidate { .. }
            | MediaEvent::DescriptionRefused { .. }
            | MediaEvent::AddressesChanged { .. }
            | MediaEvent::Peer { .. }
            | MediaEvent::Stream { .. }
            | MediaEvent::ChannelOpen { .. }
            | MediaEvent::Data { .. }
            | MediaEvent::ChannelClosed { .. }
            | MediaEvent::Quality { .. } => {}
        }
        for connection in self.servers.connections() {
            if connection.handle_media(event, now) {
                return;
            }
        }
    }

    /// Where nothing of anybody opens, the password is another one than theirs.
    pub(super) fn doubt_password(&mut self) {
        let wrong = self.mode == Some(Mode::Shared) && self.people.opens_nothing();
        if wrong && !self.told.wrong_password {
            self.told.wrong_password = true;
            self.event(Event::PasswordRequired { wrong: true });
        }
    }

    /// Others encrypt with a password that the link should have had: unless somebody does not, who
    /// would then be the one to be believed.
    fn miss_password(&mut self) {
        let lacks = self.mode == Some(Mode::Plain)
            && self.setup.takes_password
            && self.people.send_nothing();
        if lacks && !self.told.password_missing {
            self.told.password_missing = true;
            self.event(Event::PasswordRequired { wrong: false });
        }
    }

    /// A password that is still owed is asked for again after each joining, which may have put the
    /// question out of sight.
    fn remind_of_password(&mut self) {
        let wrong = self.told.wrong_password && self.mode == Some(Mode::Shared);
        let missing = self.told.password_missing && self.mode == Some(Mode::Plain);
        if wrong || missing {
            self.event(Event::PasswordRequired { wrong });
        }
    }

    /// Joins the media servers anew, encrypted with the password.
    pub(super) fn encrypt_with_password(&mut self, now: Now) {
        self.mode = Some(Mode::Shared);
        for connection in self.servers.connections() {
            connection.leave();
        }
        self.silence_servers();
        for server in &mut self.servers.all {
            server.restart(now.mono);
        }
    }

    /// Passes on what the connections say, until they say nothing more.
    pub(super) fn collect(&mut self, now: Now) {
        let mut index = 0;
        while let Some(server) = self.servers.all.get_mut(index) {
            match server.connection().and_then(Connection::poll_output) {
                Some(ServerOutput::Event(event)) => self.server_event(index, event, now),
                Some(output) => {
                    let number = self.servers.all.get(index).map(|server| server.number);
                    self.server_said(number.unwrap_or_default(), output);
                }
                None => index += 1,
            }
            if self.stage == Stage::Ended {
                return;
            }
        }
    }

    /// Lets the connections say their last words.
    pub(super) fn silence_servers(&mut self) {
        let mut said = Vec::new();
        for server in &mut self.servers.all {
            let number = server.number;
            let connection = server.connection();
            let outputs = connection.map(|it| std::iter::from_fn(|| it.poll_output()));
            said.extend(outputs.into_iter().flatten().map(|output| (number, output)));
        }
        for (number, output) in said {
            self.server_said(number, output);
        }
    }

    fn server_said(&mut self, server: u32, output: ServerOutput) {
        match output {
            ServerOutput::Channel(channel, command) => {
                self.outputs.push_back(Output::Channel(channel, command));
            }
            ServerOutput::Media(command) => self.outputs.push_back(Output::Media(command)),
            ServerOutput::Event(ServerEvent::TrackRemoved { stream }) => {
                self.people.stream_removed(stream);
                self.event(Event::StreamRemoved { stream });
            }
            ServerOutput::Event(ServerEvent::ParticipantLeft(identity)) => {
                self.people.unseen(server, &identity);
            }
            ServerOutput::Event(_) => {}
        }
    }

    fn server_event(&mut self, index: usize, event: ServerEvent, now: Now) {
        let Some(server) = self.servers.all.get_mut(index) else {
            return;
        };
        let (own, number) = (server.own, server.number);
        match event {
            ServerEvent::Joined(_) | ServerEvent::Resumed => {
                server.joined(now.mono);
                self.people.lost(number, false);
                if own {
                    self.joined();
                }
            }
            ServerEvent::Reconnecting { attempt } => self.reconnecting(index, attempt),
            ServerEvent::Participant(seen) => self.people.seen(number, seen, &mut self.random),
            ServerEvent::TrackAdded(track) => {
                let (identity, stream, kind) = (&track.identity, track.stream, track.kind);
                let from = (number, identity);
                let participant = self.people.stream(from, stream, kind, &mut self.random);
                self.event(Event::StreamAdded {
                    stream,
                    participant,
                    kind,
                });
            }
            ServerEvent::TrackRefused {
                reason: TrackRefusal::Encrypted,
                ..
            } => self.miss_password(),
            ServerEvent::MutedByServer {
                source,
                muted: true,
            } => self.event(Event::Muted(source)),
            ServerEvent::PublishFailed { source, .. } => {
                self.event(Event::Muted(source));
                self.event(Event::Fault(FaultCode::SendingRefused));
            }
            ServerEvent::Ended(ended) => self.server_ended(index, ended, now),
            event @ (ServerEvent::TrackRemoved { .. } | ServerEvent::ParticipantLeft(_)) => {
                self.server_said(number, ServerOutput::Event(event));
            }
            ServerEvent::TrackChanged(_)
            | ServerEvent::TrackRefused { .. }
            | ServerEvent::Published { .. }
            | ServerEvent::MutedByServer { .. }
            | ServerEvent::Quality(_)
            | ServerEvent::Permissions(_)
            | ServerEvent::RoomMetadata(_)
            | ServerEvent::Data(_)
            | ServerEvent::Updated { .. } => {}
        }
    }

    /// In the call, once its membership stands and its own server has it.
    pub(super) fn joined(&mut self) {
        let stands = self
            .stay
            .as_ref()
            .is_some_and(|stay| stay.event().is_some());
        let served = self.servers.own().is_some_and(|server| server.is_joined());
        if stands && served && (!self.told.joined || self.told.reconnecting) {
            self.told.joined = true;
            self.told.reconnecting = false;
            self.event(Event::Joined);
            self.remind_of_password();
        }
    }

    fn reconnecting(&mut self, index: usize, attempt: u32) {
        let own = self.servers.all.get(index).is_some_and(|server| server.own);
        if own && self.told.joined {
            self.told.reconnecting = true;
            self.event(Event::Reconnecting { attempt });
        }
        if let Some(server) = self.servers.all.get(index) {
            self.people.lost(server.number, true);
        }
    }

    fn server_ended(&mut self, index: usize, ended: ServerEnded, now: Now) {
        let own = self.servers.all.get(index).is_some_and(|server| server.own);
        if matches!(self.stage, Stage::Leaving { .. }) || ended == ServerEnded::Left {
            if let Some(server) = self.servers.all.get_mut(index) {
                server.state = State::Waiting;
                server.due = None;
            }
            return;
        }
        if ended == ServerEnded::DuplicateIdentity
            && let Some(other) = self.servers.replaced_by(index, now.mono)
        {
            return self.replaced(index, other, now);
        }
        // A server of others is tried again, whatever it says.
        if !own {
            return self.lost(index, now);
        }
        let code = match ended {
            ServerEnded::RoomClosed => return self.finish(Ended::Closed),
            ServerEnded::DuplicateIdentity => FaultCode::Replaced,
            ServerEnded::Removed => FaultCode::RemovedFromMeeting,
            ServerEnded::Full => FaultCode::MeetingFull,
            ServerEnded::NotVerified | ServerEnded::Insecure => FaultCode::PeerNotVerified,
            ServerEnded::ClientTooOld => FaultCode::MeetingUnreachable,
            ServerEnded::TokenRefused => {
                if let Some(server) = self.servers.all.get_mut(index) {
                    server.refused = true;
                }
                return self.lost(index, now);
            }
            ServerEnded::Left
            | ServerEnded::NoSuchRoom
            | ServerEnded::ServerShutdown
            | ServerEnded::Unreachable
            | ServerEnded::Lost
            | ServerEnded::Disconnected => return self.lost(index, now),
        };
        self.fail(code);
    }

    /// Another connection of ours took the place of this server's: they are the same LiveKit room. One of
    /// them serves both from here on, the own server's if it is one of them.
    fn replaced(&mut self, index: usize, other: usize, now: Now) {
        let own = self.servers.all.get(index).is_some_and(|server| server.own);
        let (stays, goes) = if own { (index, other) } else { (other, index) };
        let Some(stays) = self.servers.all.get(stays) else {
            return;
        };
        let (number, place) = (stays.number, stays.place.clone());
        self.give_way(goes, number, now.mono);
        if let Some(server) = self.servers.all.get_mut(goes) {
            server.place = place;
        }
        if own {
            self.lost(index, now);
        }
    }

    /// A server is not there; it is tried again, for as long as that makes sense.
    fn lost(&mut self, index: usize, now: Now) {
        let joined = self.told.joined;
        let Some(server) = self.servers.all.get_mut(index) else {
            return;
        };
        server.later(joined, now.mono);
        let (own, attempts) = (server.own, server.attempts);
        let code = if server.tokenless {
            FaultCode::TokenServiceDown
        } else if server.refused {
            FaultCode::TokenRefused
        } else {
            FaultCode::MeetingUnreachable
        };
        let number = server.number;
        let tried = now.mono.saturating_duration_since(server.since);
        self.people.lost(number, true);
        if !own {
            self.servers.release(number, None, now.mono);
            return self.bind_people();
        }
        match (joined, tried) {
            (false, tried) if tried > PATIENCE => self.fail(code),
            (true, tried) if tried > PATIENCE_INSIDE => self.fail(FaultCode::ConnectionLost),
            (true, _) => {
                self.told.reconnecting = true;
                self.event(Event::Reconnecting { attempt: attempts });
            }
            (false, _) => {}
        }
    }
}
