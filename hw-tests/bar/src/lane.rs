// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The pace of an isochronous endpoint: one packet each millisecond, transfers one behind the other.

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::{Reply, Submit};

/// What a packet takes. All isochronous endpoints have it as their interval.
pub const PACKET: Duration = Duration::from_millis(1);
/// No driver keeps more transfers open on one endpoint; three endpoints stay within what the shell
/// sends at once.
const MOST_OPEN: usize = 40;
/// A host that was away for longer does not get all of that at once.
const LATEST: Duration = Duration::from_millis(200);

/// The open transfers of one endpoint.
#[derive(Debug, Default)]
pub struct Lane {
    open: VecDeque<Submit>,
    /// When the first packet of the first open transfer begins.
    next: Duration,
}

impl Lane {
    /// Takes a transfer; refuses it when there are too many, or when it has no packets.
    pub fn submit(&mut self, submit: Submit, now: Duration) -> Result<(), Submit> {
        if self.open.len() >= MOST_OPEN || submit.packets.is_empty() {
            return Err(submit);
        }
        if self.open.is_empty() {
            self.next = self.next.max(now);
        }
        self.open.push_back(submit);
        Ok(())
    }

    /// Gives up a transfer.
    pub fn unlink(&mut self, sequence: u32) -> bool {
        let before = self.open.len();
        self.open.retain(|submit| submit.sequence != sequence);
        self.open.len() < before
    }

    /// When the first open transfer is over.
    pub fn due(&self) -> Option<Duration> {
        let first = self.open.front()?;
        let packets = u32::try_from(first.packets.len()).unwrap_or(u32::MAX);
        Some(self.next + PACKET * packets)
    }

    /// A transfer that is over, and when its first packet began.
    pub fn take(&mut self, now: Duration) -> Option<(Submit, Duration)> {
        let due = self.due().filter(|due| *due <= now)?;
        let began = self.next;
        self.next = due.max(now.saturating_sub(LATEST));
        Some((self.open.pop_front()?, began))
    }
}

/// The reply to a transfer whose packets the device fills: `fill` gets the room in a packet and when it
/// goes out.
pub fn filled(
    submit: &Submit,
    began: Duration,
    mut fill: impl FnMut(usize, Duration, &mut Vec<u8>),
) -> Reply {
    let mut data = Vec::with_capacity(submit.length);
    let mut at = began;
    let mut packets = Vec::with_capacity(submit.packets.len());
    for (offset, length) in &submit.packets {
        let before = data.len();
        fill(*length, at, &mut data);
        data.truncate(before.saturating_add(*length));
        // More than the transfer has room for would not be understood.
        data.truncate(submit.length.max(before));
        packets.push((*offset, *length, data.len() - before));
        at += PACKET;
    }
    Reply::Done {
        sequence: submit.sequence,
        status: 0,
        actual: data.len(),
        data,
        packets,
    }
}

/// The reply to a transfer that the host filled.
pub fn emptied(submit: &Submit) -> Reply {
    let packets = submit.packets.iter();
    Reply::Done {
        sequence: submit.sequence,
        status: 0,
        actual: submit.data.len(),
        data: Vec::new(),
        packets: packets
            .map(|(offset, length)| (*offset, *length, *length))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(sequence: u32, packets: usize) -> Submit {
        Submit {
            sequence,
            inwards: true,
            length: packets * 8,
            packets: (0..packets).map(|at| (at * 8, 8)).collect(),
            ..Submit::default()
        }
    }

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn transfers_end_one_behind_the_other() {
        let mut lane = Lane::default();
        lane.submit(transfer(1, 10), ms(100)).unwrap();
        lane.submit(transfer(2, 10), ms(101)).unwrap();
        assert_eq!(lane.due(), Some(ms(110)));
        assert!(lane.take(ms(109)).is_none());
        assert_eq!(
            lane.take(ms(111)).map(|(s, at)| (s.sequence, at)),
            Some((1, ms(100)))
        );
        assert_eq!(lane.due(), Some(ms(120)));
    }

    #[test]
    fn a_host_that_was_away_is_not_flooded() {
        let mut lane = Lane::default();
        for sequence in 0..4 {
            lane.submit(transfer(sequence, 10), ms(0)).unwrap();
        }
        assert!(lane.take(ms(5000)).is_some());
        assert_eq!(lane.due(), Some(ms(4810)));
    }

    #[test]
    fn a_transfer_that_was_taken_back_never_ends() {
        let mut lane = Lane::default();
        lane.submit(transfer(1, 1), ms(0)).unwrap();
        assert!(lane.unlink(1));
        assert!(!lane.unlink(1));
        assert_eq!(lane.due(), None);
    }

    #[test]
    fn no_packet_holds_more_than_its_room() {
        let reply = filled(&transfer(1, 2), ms(0), |_, _, data| data.extend([7; 100]));
        let Reply::Done {
            actual, packets, ..
        } = reply
        else {
            panic!("over")
        };
        assert_eq!((actual, packets), (16, vec![(0, 8, 8), (8, 8, 8)]));
    }
}
