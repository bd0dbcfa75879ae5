// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the media engine says of the two WebRTC connections, and what both have in common.

use livekit_protocol as proto;
use roomd_conference::{FrameEncryption, MediaCommand, MediaEvent, PeerId, PeerState};
use roomd_model::{Now, Pii};
use serde_json::json;

use super::Connection;
use super::reconnect::Cause;
use crate::Ended;
use crate::wire::Request;

/// The server's candidates that wait for its description.
const MAX_CANDIDATES: usize = 64;
/// Longest candidate, in bytes.
const MAX_CANDIDATE: usize = 1024;

impl Connection {
    /// Whether it is about one of this connection's peers or streams.
    pub(super) fn concerns(&self, event: &MediaEvent) -> bool {
        match event {
            MediaEvent::LocalDescription { peer, .. }
            | MediaEvent::LocalCandidate { peer, .. }
            | MediaEvent::DescriptionRefused { peer }
            | MediaEvent::AddressesChanged { peer }
            | MediaEvent::Peer { peer, .. }
            | MediaEvent::ChannelOpen { peer, .. }
            | MediaEvent::Data { peer, .. }
            | MediaEvent::ChannelClosed { peer, .. }
            | MediaEvent::Quality { peer, .. } => {
                self.publisher.is(*peer) || self.subscriber.is(*peer)
            }
            MediaEvent::Stream { stream, .. }
            | MediaEvent::Opened { stream }
            | MediaEvent::Trouble { stream, .. }
            | MediaEvent::Speaking { stream, .. } => self.subscriber.has_stream(*stream),
        }
    }

    pub(super) fn media_event(&mut self, event: &MediaEvent, now: Now) {
        match event {
            MediaEvent::LocalDescription { peer, kind, sdp } => {
                if self.publisher.is(*peer) {
                    self.publisher_described(*kind, sdp, now);
                } else {
                    self.subscriber_described(*kind, sdp);
                }
            }
            MediaEvent::LocalCandidate { peer, candidate } => self.trickle_out(*peer, candidate),
            // The two sides disagree on what was negotiated.
            MediaEvent::DescriptionRefused { .. } => self.rejoin(Cause::Media, now),
            // The server restarts ICE where it makes the offers, but only for a resumed connection.
            MediaEvent::AddressesChanged { .. } if self.signal.up().is_some() => {
                self.resume(Cause::Media, now);
            }
            MediaEvent::Peer { peer, state } => self.peer_state(*peer, *state, now),
            MediaEvent::ChannelOpen {
                peer,
                channel,
                label,
            } => self.data_channel_open(*peer, *channel, label),
            MediaEvent::ChannelClosed { peer, channel } => {
                self.data_channel_closed(*peer, *channel);
            }
            MediaEvent::Data {
                peer,
                channel,
                data,
                ..
            } => self.data_arrived(*peer, *channel, data),
            // An attempt under way begins with the addresses of its own time. What streams do, the
            // owner hears itself, and of the network the server's figures say more.
            MediaEvent::AddressesChanged { .. }
            | MediaEvent::Stream { .. }
            | MediaEvent::Opened { .. }
            | MediaEvent::Trouble { .. }
            | MediaEvent::Speaking { .. }
            | MediaEvent::Quality { .. } => {}
        }
    }

    fn peer_state(&mut self, peer: PeerId, state: PeerState, now: Now) {
        let known = if self.publisher.is(peer) {
            &mut self.publisher.state
        } else {
            &mut self.subscriber.state
        };
        *known = state;
        match state {
            PeerState::Unverified => return self.end(Ended::NotVerified),
            PeerState::Failed => return self.media_failed(now),
            PeerState::Connecting | PeerState::Verified | PeerState::Interrupted => {}
        }
        let states = [self.publisher.state, self.subscriber.state];
        if states.contains(&PeerState::Interrupted) {
            self.interrupted.get_or_insert(now.mono);
        } else {
            self.interrupted = None;
        }
    }

    /// A connection will not come back.
    fn media_failed(&mut self, now: Now) {
        // Unless everything begins anew already.
        if self.signal.up().is_some() || !self.joins() {
            self.rejoin(Cause::Media, now);
        }
    }

    /// Makes one of the two connections.
    pub(super) fn open_peer(&mut self) -> PeerId {
        let peer = self.ids.peer();
        let session = self.session.as_ref();
        let ice_servers = session.map(|session| session.ice_servers.clone());
        let mark = session.map(|session| session.mark.clone());
        self.media(MediaCommand::OpenPeer {
            peer,
            ice_servers: ice_servers.unwrap_or_default(),
        });
        if let Some(scheme) = self.options.encryption {
            let encryption = FrameEncryption {
                scheme,
                server_mark: mark.unwrap_or_default(),
            };
            self.media(MediaCommand::Encrypt { peer, encryption });
        }
        if self.has_data() {
            self.media(MediaCommand::TakeData { peer });
        }
        peer
    }

    /// Ends both connections and what came on them; what is to be sent stays known.
    pub(super) fn drop_media(&mut self) {
        self.drop_streams();
        let peers = [self.publisher.reset(), self.subscriber.reset()];
        for peer in peers.into_iter().flatten() {
            self.media(MediaCommand::ClosePeer { peer });
        }
        self.packets.reset();
        self.interrupted = None;
    }

    /// An address of ours, for the server.
    fn trickle_out(&mut self, peer: PeerId, candidate: &Pii<String>) {
        let target = if self.publisher.is(peer) {
            proto::SignalTarget::Publisher
        } else {
            proto::SignalTarget::Subscriber
        };
        // All m-lines share one transport: the first one stands for it.
        let init = json!({"candidate": candidate.expose(), "sdpMLineIndex": 0, "sdpMid": null});
        self.say(Request::Trickle(proto::TrickleRequest {
            candidate_init: init.to_string(),
            target: target as i32,
            r#final: false,
        }));
    }

    /// An address of the server.
    pub(super) fn trickle_in(&mut self, trickle: &proto::TrickleRequest) {
        let Some(candidate) = candidate(&trickle.candidate_init) else {
            if !trickle.r#final {
                self.bad();
            }
            return;
        };
        let publisher = trickle.target == proto::SignalTarget::Publisher as i32;
        let (peer, waiting) = if publisher {
            let described = self.publisher.is_described();
            let peer = self.publisher.peer.filter(|_| described);
            (peer, &mut self.publisher.candidates)
        } else {
            (self.subscriber.peer, &mut self.subscriber.candidates)
        };
        match peer {
            Some(peer) => self.media(MediaCommand::RemoteCandidate { peer, candidate }),
            None if waiting.len() < MAX_CANDIDATES => waiting.push(candidate),
            None => self.bad(),
        }
    }

    /// Gives a connection that has its remote description what came before it.
    pub(super) fn trickle_waiting(&mut self, peer: PeerId) {
        let waiting = if self.publisher.is(peer) {
            &mut self.publisher.candidates
        } else {
            &mut self.subscriber.candidates
        };
        for candidate in std::mem::take(waiting) {
            self.media(MediaCommand::RemoteCandidate { peer, candidate });
        }
    }
}

/// The candidate in what a browser would take; none for one that is empty or too long.
fn candidate(init: &str) -> Option<Pii<String>> {
    if init.len() > 2 * MAX_CANDIDATE {
        return None;
    }
    let init: serde_json::Value = serde_json::from_str(init).ok()?;
    let candidate = init.get("candidate")?.as_str()?;
    let usable = !candidate.is_empty()
        && candidate.len() <= MAX_CANDIDATE
        && !candidate.contains(['\r', '\n']);
    usable.then(|| Pii::from(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_single_lines() {
        let check = |init: &str, wanted: Option<&str>| {
            let found = candidate(init).map(Pii::into_inner);
            assert_eq!(found.as_deref(), wanted, "{init}");
        };
        check(
            r#"{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMid":"0"}"#,
            Some("candidate:1 1 udp 1 192.0.2.1 9 typ host"),
        );
        check(r#"{"candidate":""}"#, None);
        check(r#"{"candidate":"a\nb"}"#, None);
        check(r#"{"candidate":1}"#, None);
        check("[]", None);
        check("", None);
        check(&format!(r#"{{"candidate":"{}"}}"#, "a".repeat(1025)), None);
    }
}
