// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Data packets: they arrive on the connection on which the room receives, and leave on the other.
//!
//! Where frames are encrypted, none is taken or sent: they would pass the server readable.

use std::collections::BTreeMap;

use livekit_protocol as proto;
use prost::Message as _;
use proto::data_packet::Value;
use roomd_conference::{DataChannel, DataChannelId, MediaCommand, PeerId, Reliability};
use roomd_model::Pii;

use super::Connection;
use super::join::MAX_NAME;
use crate::{Data, Event, Identity, wire};

/// The channels' names.
const RELIABLE: &str = "_reliable";
const LOSSY: &str = "_lossy";
/// Longest payload that is sent, in bytes: some receivers take no more than 16 KiB with what is
/// around it.
const MAX_PAYLOAD: usize = 15 * 1024;
/// Longest payload that is taken, in bytes.
const MAX_RECEIVED: usize = 64 * 1024;
/// Most recipients of a packet.
const MAX_RECIPIENTS: usize = 16;
/// Senders whose reliable packets are counted.
const MAX_SENDERS: usize = 500;

/// A data packet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// What it says, at most 15 KiB.
    pub payload: Pii<Vec<u8>>,
    /// Its topic; may be empty.
    pub topic: String,
    /// It must not get lost on the way.
    pub reliable: bool,
    /// Who gets it, at most 16; everybody when empty.
    pub to: Vec<Identity>,
}

/// The channels of packets.
#[derive(Debug, Default)]
pub(super) struct Packets {
    /// Ours, to send on.
    reliable: Option<DataChannelId>,
    lossy: Option<DataChannelId>,
    /// The server's; whether what arrives there cannot get lost.
    arriving: BTreeMap<DataChannelId, bool>,
    sent: u32,
    /// The number of the last reliable packet of each sender.
    received: BTreeMap<String, u32>,
}

impl Packets {
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether a reliable packet was not told before: a server sends some again.
    fn is_news(&mut self, packet: &proto::DataPacket) -> bool {
        if packet.sequence == 0 || packet.participant_sid.is_empty() {
            return true;
        }
        match self.received.get_mut(&packet.participant_sid) {
            Some(last) if packet.sequence <= *last => false,
            Some(last) => {
                *last = packet.sequence;
                true
            }
            None => {
                if self.received.len() >= MAX_SENDERS {
                    self.received.pop_first();
                }
                let sender = packet.participant_sid.clone();
                self.received.insert(sender, packet.sequence);
                true
            }
        }
    }

    /// What a server needs to know to send again what got lost.
    pub(super) fn states(&self) -> Vec<proto::DataChannelReceiveState> {
        let states = self.received.iter();
        states
            .map(|(publisher_sid, last_seq)| proto::DataChannelReceiveState {
                publisher_sid: publisher_sid.clone(),
                last_seq: *last_seq,
            })
            .collect()
    }
}

impl Connection {
    /// Sends a data packet; false when that is not possible now, or never.
    pub fn send_data(&mut self, packet: Packet) -> bool {
        let packets = &mut self.packets;
        let channel = if packet.reliable {
            packets.reliable
        } else {
            packets.lossy
        };
        let (Some(channel), Some(peer)) = (channel, self.publisher.peer) else {
            return false;
        };
        let fits = packet.payload.expose().len() <= MAX_PAYLOAD
            && packet.topic.len() <= MAX_NAME
            && packet.to.len() <= MAX_RECIPIENTS;
        if !fits || self.ended {
            return false;
        }
        let sequence = if packet.reliable {
            packets.sent = packets.sent.wrapping_add(1).max(1);
            packets.sent
        } else {
            0
        };
        let to = packet
            .to
            .iter()
            .map(|identity| identity.expose().to_owned());
        let user = proto::UserPacket {
            payload: packet.payload.into_inner(),
            topic: (!packet.topic.is_empty()).then_some(packet.topic),
            ..proto::UserPacket::default()
        };
        let bytes = proto::DataPacket {
            destination_identities: to.collect(),
            value: Some(Value::User(user)),
            sequence,
            ..proto::DataPacket::default()
        };
        self.media(MediaCommand::SendData {
            peer,
            channel,
            binary: true,
            data: Pii::new(bytes.encode_to_vec()),
        });
        true
    }

    /// Whether packets may be sent.
    pub(super) fn sends_data(&self) -> bool {
        let session = self.session.as_ref();
        self.has_data() && session.is_some_and(|session| session.permissions.data)
    }

    /// Whether packets are taken.
    pub(super) const fn has_data(&self) -> bool {
        self.options.data && self.options.encryption.is_none()
    }

    /// Opens our channels with the next offer.
    pub(super) fn open_data_channels(&mut self) {
        let Some(peer) = self.publisher.peer.filter(|_| self.sends_data()) else {
            return;
        };
        let lossy = DataChannel {
            ordered: false,
            reliability: Reliability::Retransmits(0),
            ..DataChannel::named(LOSSY)
        };
        for channel in [DataChannel::named(RELIABLE), lossy] {
            self.media(MediaCommand::OpenChannel { peer, channel });
        }
    }

    pub(super) fn data_channel_open(&mut self, peer: PeerId, channel: DataChannelId, label: &str) {
        let reliable = match label {
            RELIABLE => true,
            LOSSY => false,
            _ => return,
        };
        if self.subscriber.is(peer) {
            self.packets.arriving.insert(channel, reliable);
        } else if reliable {
            self.packets.reliable = Some(channel);
        } else {
            self.packets.lossy = Some(channel);
        }
    }

    pub(super) fn data_channel_closed(&mut self, peer: PeerId, channel: DataChannelId) {
        if self.subscriber.is(peer) {
            self.packets.arriving.remove(&channel);
        } else {
            let open = |known: &mut DataChannelId| *known == channel;
            self.packets.reliable.take_if(open);
            self.packets.lossy.take_if(open);
        }
    }

    pub(super) fn data_arrived(
        &mut self,
        peer: PeerId,
        channel: DataChannelId,
        data: &Pii<Vec<u8>>,
    ) {
        let arriving = self.packets.arriving.get(&channel).copied();
        let Some(reliable) = arriving.filter(|_| self.subscriber.is(peer) && self.has_data())
        else {
            return;
        };
        let Some(packet) = wire::packet(data.expose()) else {
            return self.bad();
        };
        if reliable && !self.packets.is_news(&packet) {
            return;
        }
        // Of the other kinds nothing is needed here.
        let Some(Value::User(user)) = packet.value else {
            return;
        };
        let topic = user.topic.unwrap_or_default();
        let from = packet.participant_identity;
        if user.payload.len() > MAX_RECEIVED || topic.len().max(from.len()) > MAX_NAME {
            return self.bad();
        }
        self.event(Event::Data(Data {
            from: (!from.is_empty()).then(|| Identity::new(from)),
            topic,
            payload: Pii::new(user.payload),
            reliable,
        }));
    }
}
