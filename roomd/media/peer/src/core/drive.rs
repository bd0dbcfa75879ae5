// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Polling the transport, and the state that follows from it.

use std::time::{Duration, Instant};

use roomd_conference::PeerState;
use str0m::bwe::BweKind;
use str0m::error::RtcError;
use str0m::stats::{MediaEgressStats, PeerStats};
use str0m::{Event, Input, Output};

use super::silence::is_media;
use super::{Core, PATIENCE, Transmit};
use crate::{PeerEvent, PeerReport, RelayReport};

/// Most rounds at one moment; what is left waits for the next call.
const MAX_ROUNDS: usize = 16;
/// Most outputs in one round.
const MAX_OUTPUTS: usize = 20_000;
/// Most errors of the transport in one round.
const MAX_ERRORS: usize = 64;
/// A path on which nothing arrives for so long is no path: the peer checks it every second.
const SILENCE: Duration = Duration::from_secs(5);
/// How often figures are reported.
const REPORT: Duration = Duration::from_secs(1);
/// The bandwidth is told anew when it differs by so much.
const NOTABLE: f64 = 0.05;
/// Rest after too many errors or rounds.
const REST: Duration = Duration::from_millis(5);

/// Totals at the last report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    at: Option<Instant>,
    received: u64,
    sent: u64,
    pub(super) rtt: Option<Duration>,
    /// The shares of what the peer sent that were lost since, added up, and how many there are.
    lost: (f64, u32),
    /// The share of our sound that is lost, by the peer's last receiver report.
    sound_lost: Option<f32>,
}

/// What is known of the bandwidth towards the peer, in bit/s.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bandwidth {
    /// The mean of the last seconds.
    mean: Option<u64>,
    /// What packets are sent with now: it falls at once, and they wait when more is written.
    pub(super) now: Option<u64>,
    told: Option<u64>,
}

impl Bandwidth {
    /// What is to be told: never more than there is now, and more only when it is so for a while.
    fn news(&mut self) -> Option<u64> {
        let mean = self.mean?;
        let rate = self.now.map_or(mean, |now| now.min(mean));
        let same = |told: u64| rate.abs_diff(told) as f64 <= told as f64 * NOTABLE;
        if self.told.is_some_and(same) {
            return None;
        }
        self.told = Some(rate);
        Some(rate)
    }
}

impl Core {
    /// Polls until the transport waits for a later moment.
    pub(super) fn drive(&mut self, now: Instant) {
        self.media_ends(now);
        self.climb(now);
        for _ in 0..MAX_ROUNDS {
            self.drain(now);
            if self.wake > now || !self.rtc.is_alive() {
                break;
            }
            if self.rtc.handle_input(Input::Timeout(now)).is_err() {
                break;
            }
        }
        if self.wake <= now {
            self.wake = now + REST;
        }
        self.review(now);
    }

    pub(super) fn drain(&mut self, now: Instant) {
        let mut errors = 0;
        for _ in 0..MAX_OUTPUTS {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    let contents: Vec<u8> = transmit.contents.into();
                    if self.silence.lets_through(now) || !is_media(&contents) {
                        self.transmits.push_back(Transmit {
                            source: transmit.source,
                            destination: transmit.destination,
                            contents,
                        });
                    }
                }
                Ok(Output::Event(event)) => self.event(now, event),
                Err(error) => {
                    errors += 1;
                    self.failure(&error);
                    if self.ended || errors >= MAX_ERRORS {
                        break;
                    }
                }
            }
        }
        self.wake = now + REST;
    }

    fn failure(&mut self, error: &RtcError) {
        if self.rtc.is_alive() {
            // A packet that cannot be used; the connection goes on.
            self.dropped.frames += 1;
            return;
        }
        let state = if let RtcError::RemoteSdp(_) = error {
            PeerState::Unverified
        } else {
            PeerState::Failed
        };
        self.end(Some(state));
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the transport's events may grow"
    )]
    fn event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => {
                if self.certificate_matches() {
                    self.certified = true;
                } else {
                    self.rtc.disconnect();
                    self.end(Some(PeerState::Unverified));
                }
            }
            Event::IceConnectionStateChange(state) => {
                self.path = state.is_connected() || (self.path && !state.is_disconnected());
            }
            Event::MediaData(data) => self.frame(now, data),
            Event::SenderFeedback(feedback) => self.sender_report(&feedback),
            Event::KeyframeRequest(request) => self.keyframe_wanted(&request),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                self.bandwidth.mean = Some(estimate.as_u64());
                self.tell_bandwidth();
            }
            Event::ChannelOpen(id, label) => self.channel_opened(id, label),
            Event::ChannelData(data) => self.message(data),
            Event::ChannelClose(id) => self.channel_closed(id),
            Event::PeerStats(stats) => self.report(&stats),
            Event::MediaEgressStats(stats) => self.sent(&stats),
            // The transport repeats this one until it is dropped.
            Event::Closed => {
                self.rtc.disconnect();
                self.end(Some(PeerState::Failed));
            }
            _ => {}
        }
    }

    fn certificate_matches(&self) -> bool {
        let expected = self.expected.as_ref();
        expected.is_some_and(|expected| self.certificate.is(expected))
    }

    /// Notes what the peer's receiver reports say of our sound; pictures are sent again when lost.
    fn sent(&mut self, stats: &MediaEgressStats) {
        let media = self.rtc.media(stats.mid);
        if media.is_some_and(|media| media.kind().is_audio()) && stats.loss.is_some() {
            self.figures.sound_lost = stats.loss;
        }
    }

    fn tell_bandwidth(&mut self) {
        let news = self.bandwidth.news().map(PeerEvent::Bandwidth);
        self.events.extend(news);
    }

    fn report(&mut self, stats: &PeerStats) {
        let pair = stats.selected_candidate_pair.as_ref();
        let rtt = stats.rtt.or_else(|| pair?.current_round_trip_time);
        self.figures.rtt = rtt;
        self.bandwidth.now = stats.bwe_tx.map(|rate| rate.as_u64());
        self.tell_bandwidth();
        let fraction = |loss: f32| f64::from(loss).clamp(0.0, 1.0);
        if let Some(loss) = stats.ingress_loss_fraction.map(fraction) {
            self.figures.lost.0 += loss;
            self.figures.lost.1 += 1;
        }
        let last = self.figures;
        let fresh = |at: Instant| stats.timestamp.saturating_duration_since(at) < REPORT;
        if last.at.is_some_and(fresh) {
            return;
        }
        self.figures = Figures {
            rtt,
            lost: (0.0, 0),
            sound_lost: last.sound_lost,
            at: Some(stats.timestamp),
            received: stats.peer_bytes_rx,
            sent: stats.peer_bytes_tx,
        };
        let Some(at) = last.at else { return };
        let seconds = stats.timestamp.saturating_duration_since(at).as_secs_f64();
        if seconds <= 0.0 || self.state != PeerState::Verified {
            return;
        }
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 * 8.0 / seconds;
        self.events.push_back(PeerEvent::Report(PeerReport {
            rtt,
            loss: (last.lost.1 > 0).then(|| last.lost.0 / f64::from(last.lost.1)),
            sent_loss: last.sound_lost.or(stats.egress_loss_fraction).map(fraction),
            received_bps: rate(stats.peer_bytes_rx, last.received),
            sent_bps: rate(stats.peer_bytes_tx, last.sent),
            // Relays are reached from outside of the core.
            relays: RelayReport::default(),
        }));
    }

    /// Draws the state from what the transport says, and the end from the state.
    fn review(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        if !self.rtc.is_alive() {
            self.end((!self.closing).then_some(PeerState::Failed));
            return;
        }
        if self.closing {
            return;
        }
        let silent = self.heard + SILENCE <= now;
        if self.path && self.certified && !silent {
            self.enter_verified();
        } else if self.state == PeerState::Verified {
            self.patience = Some(now + PATIENCE);
            self.enter(PeerState::Interrupted);
        }
        if self.patience.is_some_and(|until| until <= now) {
            self.rtc.disconnect();
            self.end(Some(PeerState::Failed));
        }
    }

    /// Says that the peer is verified before its first frame is passed on.
    pub(super) fn enter_verified(&mut self) {
        self.patience = None;
        self.enter(PeerState::Verified);
    }

    /// When silence turns into an interruption.
    pub(super) fn silence_due(&self) -> Option<Instant> {
        (self.state == PeerState::Verified).then_some(self.heard + SILENCE)
    }

    fn enter(&mut self, state: PeerState) {
        if self.state != state {
            self.state = state;
            self.events.push_back(PeerEvent::State(state));
        }
    }

    fn end(&mut self, state: Option<PeerState>) {
        if self.ended {
            return;
        }
        self.ended = true;
        if let Some(state) = state {
            self.enter(state);
        }
        self.events.push_back(PeerEvent::Closed);
    }
}
