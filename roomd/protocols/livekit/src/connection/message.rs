// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the server says.

use livekit_protocol as proto;
use proto::request_response::{Reason, Request as Answered};
use roomd_model::{Now, Pii};

use super::Connection;
use crate::Event;
use crate::wire::{Request, Response};

impl Connection {
    pub(super) fn message(&mut self, message: Response, now: Now) {
        if self.signal.is_greeting() {
            self.greeting(message, now);
        } else {
            self.news(message, now);
        }
    }

    /// The first message says what became of us.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else there will be is no greeting"
    )]
    fn greeting(&mut self, message: Response, now: Now) {
        match message {
            Response::Join(join) if self.joins() => self.joined(join, now),
            Response::Reconnect(_) if !self.joins() => self.resumed(now),
            Response::Leave(leave) => self.left_by_server(&leave, now),
            _ => self.bad(),
        }
    }

    fn news(&mut self, message: Response, now: Now) {
        match message {
            Response::Answer(answer) => self.answered(answer, now),
            Response::Offer(offer) => self.offered(offer, now),
            Response::Trickle(trickle) => self.trickle_in(&trickle),
            Response::Update(update) => self.participants_changed(update.participants),
            Response::TrackPublished(published) => self.track_published(published, now),
            Response::TrackUnpublished(unpublished) => {
                self.track_unpublished(&unpublished.track_sid);
            }
            Response::Leave(leave) => self.left_by_server(&leave, now),
            Response::Mute(mute) => self.muted_by_server(&mute),
            Response::SpeakersChanged(changed) => self.speakers_changed(&changed.speakers),
            Response::RoomUpdate(update) => self.room_changed(update.room),
            Response::ConnectionQuality(update) => self.quality_changed(&update.updates),
            Response::StreamStateUpdate(update) => self.streams_changed(&update.stream_states),
            Response::SubscribedQualityUpdate(update) => self.qualities_wanted(&update),
            Response::SubscriptionPermissionUpdate(update) => self.permission_changed(&update),
            Response::SubscriptionResponse(response) => self.subscription_failed(&response),
            Response::RefreshToken(token) => self.refresh_token(token),
            Response::PongResp(pong) => self.pong(pong.last_ping_timestamp, now),
            Response::RequestResponse(response) => self.request_answered(response, now),
            Response::RoomMoved(moved) => self.moved(moved),
            // What the room has no use for, or did not ask for.
            Response::Pong(_)
            | Response::TrackSubscribed(_)
            | Response::SubscribedAudioCodecUpdate(_)
            | Response::MediaSectionsRequirement(_)
            | Response::PublishDataTrackResponse(_)
            | Response::UnpublishDataTrackResponse(_)
            | Response::DataTrackSubscriberHandles(_)
            | Response::StoreDataBlobResponse(_)
            | Response::GetDataBlobResponse(_) => {}
            // Only the first message says this.
            Response::Join(_) | Response::Reconnect(_) => self.bad(),
        }
    }

    fn request_answered(&mut self, response: proto::RequestResponse, now: Now) {
        let reason = Reason::try_from(response.reason).unwrap_or(Reason::UnclassifiedError);
        match response.request {
            Some(Answered::AddTrack(request)) => self.track_refused(&request, reason, now),
            Some(Answered::UpdateMetadata(_)) => self.event(Event::Updated {
                request: response.request_id,
                accepted: reason == Reason::Ok,
            }),
            // The others say nothing that is not seen anyway.
            Some(
                Answered::Trickle(_)
                | Answered::Mute(_)
                | Answered::UpdateAudioTrack(_)
                | Answered::UpdateVideoTrack(_)
                | Answered::PublishDataTrack(_)
                | Answered::UnpublishDataTrack(_),
            )
            | None => {}
        }
    }

    /// The server has the room back: it is told what we know, and ICE restarts on both connections,
    /// by the server on the one where it makes the offers.
    fn resumed(&mut self, now: Now) {
        self.signal.greeted(now.mono);
        self.reached(now);
        let last = self.subscriber.last.clone().map(Pii::into_inner);
        let (offer, answer) = last.unzip();
        let published = self.publisher.lines();
        let publish_tracks = published.map(|line| proto::TrackPublishedResponse {
            cid: line.cid.clone(),
            track: Some(line.track.clone()),
        });
        let state = proto::SyncState {
            answer,
            offer,
            publish_tracks: publish_tracks.collect(),
            subscription: Some(proto::UpdateSubscription {
                track_sids: self.selected(),
                subscribe: true,
                ..proto::UpdateSubscription::default()
            }),
            datachannel_receive_states: self.packets.states(),
            ..proto::SyncState::default()
        };
        self.say(Request::SyncState(state));
        self.forget_told_mutes();
        self.forget_told_settings();
        self.restart_publisher();
    }
}
