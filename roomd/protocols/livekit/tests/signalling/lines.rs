// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What comes out of a connection, as a line to compare.

use livekit_protocol as proto;
use prost::Message as _;
use proto::signal_request::Message as Request;
use roomd_conference::{ChannelCommand, Endpoint, MediaCommand, StreamBinding};
use roomd_livekit::{Event, Output, Track};

/// None for what only keeps the channel alive.
pub fn line(output: &Output) -> Option<String> {
    Some(match output {
        Output::Channel(_, ChannelCommand::Open(Endpoint::WebSocket { url, bearer })) => {
            assert!(bearer.is_some());
            format!("open {}", url.expose())
        }
        Output::Channel(_, ChannelCommand::Open(Endpoint::Http(request))) => {
            assert!(request.bearer.is_some());
            format!("get {}", request.url.expose())
        }
        Output::Channel(_, ChannelCommand::Binary(bytes)) => {
            let request = proto::SignalRequest::decode(bytes.expose().as_slice()).unwrap();
            return said(&request.message.unwrap());
        }
        Output::Channel(_, ChannelCommand::Close) => "close".into(),
        Output::Channel(_, command) => format!("{command:?}"),
        Output::Media(command) => media(command),
        Output::Event(event) => happened(event),
    })
}

fn said(request: &Request) -> Option<String> {
    Some(match request {
        Request::PingReq(_) => return None,
        Request::Offer(offer) => format!("> offer {}", offer.id),
        Request::Answer(answer) => format!("> answer {}", answer.id),
        Request::AddTrack(add) => format!(
            "> add {} {} {}x{} layers {} encryption {} {}",
            add.name,
            add.cid,
            add.width,
            add.height,
            add.layers.len(),
            add.encryption,
            if add.muted { "muted" } else { "live" }
        ),
        Request::Mute(mute) => format!("> mute {} {}", mute.sid, mute.muted),
        Request::Subscription(update) => {
            format!(
                "> subscribe {} {}",
                update.subscribe,
                update.track_sids.join(" ")
            )
        }
        Request::TrackSetting(settings) => format!(
            "> show {} {}x{}{}",
            settings.track_sids.join(" "),
            settings.width,
            settings.height,
            if settings.disabled { " disabled" } else { "" }
        ),
        Request::SyncState(state) => format!(
            "> sync offer {:?} answer {:?} publish {:?} subscription {:?}",
            state.offer.as_ref().map(|offer| offer.id),
            state.answer.as_ref().map(|answer| answer.id),
            state
                .publish_tracks
                .iter()
                .map(|t| &t.cid)
                .collect::<Vec<_>>(),
            state
                .subscription
                .as_ref()
                .map(|s| (s.subscribe, &s.track_sids)),
        ),
        Request::Leave(leave) => format!("> leave {}", leave.reason),
        other => format!("> {other:?}"),
    })
}

fn media(command: &MediaCommand) -> String {
    match command {
        MediaCommand::RemoteDescription { peer, kind, .. } => {
            format!("peer {} remote {kind:?}", peer.0)
        }
        MediaCommand::Offer { peer, offer } => format!(
            "peer {} offers {} stops {:?}{}",
            peer.0,
            offer.add.len(),
            offer.stop,
            if offer.restart { " restarts" } else { "" }
        ),
        MediaCommand::OpenPeer { peer, ice_servers } => {
            format!("peer {} opens with {} servers", peer.0, ice_servers.len())
        }
        MediaCommand::ClosePeer { peer } => format!("peer {} closes", peer.0),
        MediaCommand::Publish { peer, mid, source } => {
            format!("peer {} publishes {source:?} on {mid}", peer.0)
        }
        MediaCommand::Hold { peer, mid, held } => format!("peer {} holds {mid} {held}", peer.0),
        MediaCommand::Want { peer, mid, sizes } => {
            format!("peer {} wants of {mid} {sizes:?}", peer.0)
        }
        MediaCommand::Bind { peer, streams } => {
            let one = |binding: &StreamBinding| {
                format!(" {}={:?}#{}", binding.mid, binding.kind, binding.stream.0)
            };
            let all: String = streams.iter().map(one).collect();
            format!("peer {} binds{all}", peer.0)
        }
        MediaCommand::Encrypt { peer, encryption } => format!(
            "peer {} encrypts {:?} mark {:?}",
            peer.0, encryption.scheme, encryption.server_mark
        ),
        MediaCommand::SendingKey { peer, index, .. } => {
            format!("peer {} sends key {index}", peer.0)
        }
        MediaCommand::StreamKey { stream, index, .. } => format!("stream {} key {index}", stream.0),
        MediaCommand::ForgetStreamKey { stream, index } => {
            format!("stream {} forgets {index}", stream.0)
        }
        MediaCommand::OpenChannel { peer, channel } => {
            format!("peer {} channel {}", peer.0, channel.label)
        }
        other => format!("{other:?}"),
    }
}

fn happened(event: &Event) -> String {
    match event {
        Event::Joined(joined) => format!("* joined as {}", joined.identity.expose()),
        Event::Participant(p) => {
            let mut line = format!("* {}", p.identity.expose());
            for (on, what) in [
                (p.microphone, " microphone"),
                (p.camera, " camera"),
                (p.sharing, " sharing"),
                (p.speaking, " speaking"),
            ] {
                line.push_str(if on { what } else { "" });
            }
            line
        }
        Event::ParticipantLeft(identity) => format!("* {} left", identity.expose()),
        Event::TrackAdded(track) => format!("* added {}", of(track)),
        Event::TrackChanged(track) => format!("* changed {}", of(track)),
        Event::TrackRemoved { stream } => format!("* removed {}", stream.0),
        Event::TrackRefused {
            identity,
            source,
            reason,
        } => format!("* refused {} {source:?} {reason:?}", identity.expose()),
        other => format!("* {other:?}"),
    }
}

fn of(track: &Track) -> String {
    format!(
        "{} {} {:?}{}{}{}",
        track.stream.0,
        track.identity.expose(),
        track.source,
        if track.encrypted { " encrypted" } else { "" },
        if track.muted { " muted" } else { "" },
        if track.paused { " paused" } else { "" },
    )
}
