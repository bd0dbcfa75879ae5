// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data channels.
//!
//! The transport takes the first channel with an offer only, and ends the process when a stream is
//! named twice; both are kept from it here.

use std::collections::{BTreeMap, BTreeSet};

use str0m::channel::{self, ChannelData};

use super::Core;
use crate::{DataChannel, DataChannelId, PeerEvent, Reliability};

/// Most channels of a connection, open and waiting.
const MAX_CHANNELS: usize = 64;
/// Longest label and protocol, in bytes.
const MAX_LABEL: usize = 255;
/// Highest SCTP stream that both sides have.
const MAX_STREAM: u16 = 1022;

/// The data channels of a connection.
#[derive(Debug, Default)]
pub(super) struct Channels {
    /// Wait for an m-line that carries them.
    waiting: Vec<DataChannel>,
    /// There is such an m-line.
    negotiated: bool,
    /// SCTP streams named so far.
    streams: BTreeSet<u16>,
    /// Channels opened from here so far.
    opened: usize,
    open: BTreeMap<DataChannelId, channel::ChannelId>,
    next: u32,
}

impl Channels {
    /// What the next offer opens.
    pub(super) fn for_offer(&mut self) -> Vec<channel::ChannelConfig> {
        if self.negotiated {
            return Vec::new();
        }
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(config_of)
            .collect()
    }

    fn id_of(&self, id: channel::ChannelId) -> Option<DataChannelId> {
        let mut open = self.open.iter();
        open.find(|(_, known)| **known == id).map(|(own, _)| *own)
    }
}

impl Core {
    pub(super) fn open_channel(&mut self, config: DataChannel) {
        if !self.may_open(&config) {
            self.dropped.messages += 1;
            return;
        }
        self.channels.opened += 1;
        self.channels.streams.extend(config.negotiated);
        if self.channels.negotiated {
            self.rtc.direct_api().create_data_channel(config_of(config));
        } else {
            self.channels.waiting.push(config);
        }
    }

    fn may_open(&mut self, config: &DataChannel) -> bool {
        let free = config.negotiated.is_none_or(|stream| {
            stream <= MAX_STREAM
                && !self.channels.streams.contains(&stream)
                && self
                    .rtc
                    .direct_api()
                    .channel_id_by_sctp_stream_id(stream)
                    .is_none()
        });
        free && self.channels.opened < MAX_CHANNELS
            && config.label.len() <= MAX_LABEL
            && config.protocol.len() <= MAX_LABEL
    }

    /// A description was applied, or parameters were.
    pub(super) fn channels_negotiated(&mut self, data: bool) {
        self.channels.negotiated |= data;
        if self.channels.negotiated {
            for config in std::mem::take(&mut self.channels.waiting) {
                self.rtc.direct_api().create_data_channel(config_of(config));
            }
        }
    }

    pub(super) fn channel_opened(&mut self, id: channel::ChannelId, label: String) {
        if self.channels.open.len() >= MAX_CHANNELS {
            self.dropped.messages += 1;
            self.rtc.direct_api().close_data_channel(id);
            return;
        }
        let channel = DataChannelId(self.channels.next);
        self.channels.next = self.channels.next.wrapping_add(1);
        self.channels.open.insert(channel, id);
        let label = if label.len() > MAX_LABEL {
            String::new()
        } else {
            label
        };
        self.events
            .push_back(PeerEvent::ChannelOpen { channel, label });
    }

    pub(super) fn message(&mut self, message: ChannelData) {
        match self.channels.id_of(message.id) {
            Some(channel) if self.certified && !self.closing => {
                self.events.push_back(PeerEvent::Message {
                    channel,
                    binary: message.binary,
                    data: message.data,
                });
            }
            Some(_) | None => self.dropped.messages += 1,
        }
    }

    pub(super) fn channel_closed(&mut self, id: channel::ChannelId) {
        if let Some(channel) = self.channels.id_of(id) {
            self.channels.open.remove(&channel);
            self.events.push_back(PeerEvent::ChannelClosed { channel });
        }
    }

    pub(super) fn send_message(&mut self, channel: DataChannelId, binary: bool, data: &[u8]) {
        let known = self.channels.open.get(&channel).copied();
        let open = known.filter(|_| self.certified && !self.closing);
        let sent = open
            .and_then(|id| self.rtc.channel(id))
            .is_some_and(|mut channel| channel.write(binary, data).is_ok_and(|taken| taken));
        if !sent {
            self.dropped.messages += 1;
        }
    }

    pub(super) fn close_channel(&mut self, channel: DataChannelId) {
        if let Some(&id) = self.channels.open.get(&channel) {
            self.rtc.direct_api().close_data_channel(id);
        }
    }
}

fn config_of(config: DataChannel) -> channel::ChannelConfig {
    channel::ChannelConfig {
        label: config.label,
        ordered: config.ordered,
        reliability: match config.reliability {
            Reliability::Reliable => channel::Reliability::Reliable,
            Reliability::Retransmits(retransmits) => {
                channel::Reliability::MaxRetransmits { retransmits }
            }
            Reliability::Lifetime(lifetime) => channel::Reliability::MaxPacketLifetime { lifetime },
        },
        negotiated: config.negotiated,
        protocol: config.protocol,
    }
}
