// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Calls over networks that lose, delay, reorder, stop and narrow.

use std::time::{Duration, Instant};

use roomd_conference::{MediaKind, Offer, PeerState, SdpKind};
use roomd_peer::PeerCommand;

use crate::conformance::Check;
use crate::net::{A, B, Link, Net, picture, sound};

const SECOND: Duration = Duration::from_secs(1);
const PICTURE: Duration = Duration::from_millis(40);

pub(crate) const CHECKS: &[Check] = &[
    (
        "loss costs sound its share and pictures little",
        loss_costs_sound_its_share_and_pictures_little,
    ),
    (
        "a long way delays and breaks nothing",
        a_long_way_delays_and_breaks_nothing,
    ),
    (
        "what overtakes is put in order",
        what_overtakes_is_put_in_order,
    ),
    (
        "two seconds without network are over at once",
        two_seconds_without_network_are_over_at_once,
    ),
    (
        "the estimate follows the bandwidth",
        the_estimate_follows_the_bandwidth,
    ),
    (
        "a way that is wide again is used soon",
        a_way_that_is_wide_again_is_used_soon,
    ),
    (
        "a narrower way freezes pictures for less than a second",
        a_narrower_way_freezes_pictures_for_less_than_a_second_at_any_moment,
    ),
    (
        "a long way that loses freezes pictures for less than two seconds",
        a_long_way_that_loses_freezes_pictures_for_less_than_two_seconds,
    ),
    (
        "pictures are back within two seconds after a bad time",
        pictures_are_back_within_two_seconds_after_a_bad_time,
    ),
    (
        "a call stands soon after its answer",
        a_call_stands_soon_after_its_answer,
    ),
];

/// A sends to B like a room: sound, and pictures of a size that the estimate allows, with a keyframe
/// when one is asked for. B asks for one when it cannot show what arrives.
struct Call {
    net: Net,
    lines: [String; 2],
    /// When pictures could be shown at B.
    shown: Vec<Instant>,
    seen: usize,
    whole: bool,
    tick: u64,
    /// What A was told, every 20 ms.
    estimates: Vec<u64>,
    /// When A was asked for a keyframe that it has not sent yet.
    wanted: bool,
    heard: usize,
    /// Tenths of the estimate that it sends.
    share: u64,
}

impl Call {
    fn over(net: Net, change: impl Fn(&mut Link)) -> Self {
        let (mut net, lines) = net.called();
        net.links.iter_mut().for_each(change);
        Self {
            net,
            lines,
            shown: vec![],
            seen: 0,
            whole: false,
            tick: 0,
            estimates: vec![],
            wanted: true,
            heard: 0,
            share: 7,
        }
    }

    fn go(&mut self, duration: Duration) {
        let until = self.net.now + duration;
        while self.net.now < until {
            for end in [A, B] {
                let frame = sound(self.net.now, self.net.start);
                let mid = self.lines[0].clone();
                self.net.command(end, PeerCommand::Write { mid, frame });
            }
            if self.tick.is_multiple_of(2) {
                self.send_picture();
            }
            self.tick += 1;
            self.estimates.push(self.told());
            self.net.run(Duration::from_millis(20));
            self.look();
        }
    }

    /// The estimate that A was told last, in bit/s.
    fn told(&self) -> u64 {
        let last = self.net.ends[A].bandwidth.last();
        last.copied().unwrap_or(500_000)
    }

    fn send_picture(&mut self) {
        let asked = self.net.ends[A].keyframes_wanted.len();
        self.wanted |= asked > self.heard;
        self.heard = asked;
        let mut frame = picture(self.net.now, self.net.start, self.wanted);
        self.wanted = false;
        let estimate = self.told();
        // What sound, headers and repetitions leave, 25 times a second; at most 2.5 Mbit/s.
        let bytes = (estimate * self.share / 10)
            .saturating_sub(60_000)
            .min(2_500_000)
            / 25
            / 8;
        let mut payload = frame.payload.to_vec();
        payload.resize(usize::try_from(bytes).unwrap().max(400), 0x5a);
        frame.payload = payload.into();
        let mid = self.lines[1].clone();
        self.net.command(A, PeerCommand::Write { mid, frame });
    }

    fn look(&mut self) {
        let frames = &self.net.ends[B].frames[self.seen..];
        self.seen += frames.len();
        let mut ask = false;
        for (_, frame) in frames.iter().filter(|(mid, _)| *mid == self.lines[1]) {
            self.whole = frame.keyframe || (self.whole && frame.contiguous);
            ask |= !self.whole;
            if self.whole {
                self.shown.push(frame.at);
            }
        }
        if ask {
            let mid = self.lines[1].clone();
            self.net
                .command(B, PeerCommand::RequestKeyframe { mid, rid: None });
        }
    }

    /// The longest time without a picture at B since that moment.
    fn longest_freeze(&self, since: Instant) -> Duration {
        let shown = self.shown.iter().copied().filter(|&at| at >= since);
        let ends: Vec<Instant> = [since]
            .into_iter()
            .chain(shown)
            .chain([self.net.now])
            .collect();
        ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
    }

    /// Sound that arrived at an end since that moment: how many frames, and the longest gap.
    fn heard_since(&self, end: usize, since: Instant) -> (usize, Duration) {
        let frames = self.net.ends[end].frames.iter();
        let at: Vec<Instant> = frames
            .filter(|(mid, frame)| *mid == self.lines[0] && frame.at >= since)
            .map(|(_, frame)| frame.at)
            .collect();
        let gap = at.windows(2).map(|pair| pair[1] - pair[0]).max();
        (at.len(), gap.unwrap_or(Duration::MAX))
    }

    /// Mean of the estimate over the last seconds, in bit/s.
    fn estimate(&self, seconds: usize) -> f64 {
        let all = &self.estimates;
        let tail = &all[all.len().saturating_sub(seconds * 50)..];
        tail.iter().sum::<u64>() as f64 / tail.len() as f64
    }

    fn assert_verified(&self) {
        for end in &self.net.ends {
            assert_eq!(end.states, [PeerState::Verified]);
        }
    }
}

fn loss_costs_sound_its_share_and_pictures_little(net: Net) {
    for (loss, freeze) in [(0.01, 500), (0.05, 1000), (0.10, 2000)] {
        let mut call = Call::over(net.again(), |link| link.loss = loss);
        let start = call.net.now;
        call.go(20 * SECOND);
        for end in [A, B] {
            let (frames, gap) = call.heard_since(end, start);
            // Sound is not repeated; what was not lost arrives, without waiting for the rest.
            let expected = 1000.0 * (1.0 - loss);
            assert!(frames as f64 > expected - 35.0, "{loss}: {frames}");
            assert!(gap < Duration::from_millis(200), "{loss}: {gap:?}");
        }
        let longest = call.longest_freeze(start + SECOND);
        assert!(
            longest < Duration::from_millis(freeze),
            "{loss}: {longest:?}"
        );
        assert!(call.shown.len() > 470, "{loss}: {}", call.shown.len());
        call.assert_verified();
    }
}

fn a_long_way_delays_and_breaks_nothing(net: Net) {
    let mut call = Call::over(net, |link| link.delay = Duration::from_millis(300));
    let start = call.net.now;
    call.go(15 * SECOND);
    let (frames, gap) = call.heard_since(B, start);
    assert!(frames > 725, "{frames}");
    assert!(gap < Duration::from_millis(100), "{gap:?}");
    assert!(call.longest_freeze(start + SECOND) < 3 * PICTURE);
    assert!(call.estimate(5) > 800_000.0, "{}", call.estimate(5));
    call.assert_verified();
}

fn what_overtakes_is_put_in_order(net: Net) {
    let mut call = Call::over(net, |link| link.late = 0.10);
    let start = call.net.now;
    call.go(10 * SECOND);
    call.net.run(SECOND);
    call.look();
    let (frames, gap) = call.heard_since(B, start);
    assert!(frames >= 498, "{frames}");
    assert!(gap < Duration::from_millis(150), "{gap:?}");
    assert_eq!(call.shown.len(), 250, "every picture, none torn");
    for mid in &call.lines {
        let of = call.net.ends[B]
            .frames
            .iter()
            .filter(|(line, _)| line == mid);
        let times: Vec<u64> = of.map(|(_, frame)| frame.rtp_time).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }
    call.assert_verified();
}

fn two_seconds_without_network_are_over_at_once(net: Net) {
    let mut call = Call::over(net, |_| {});
    call.go(8 * SECOND);
    call.net.cut = true;
    call.go(2 * SECOND);
    call.net.cut = false;
    let back = call.net.now;
    call.go(8 * SECOND);
    let first = *call.shown.iter().find(|&&at| at > back).unwrap();
    assert!(first - back < SECOND, "{:?}", first - back);
    let (frames, _) = call.heard_since(B, back);
    assert!(frames > 385, "{frames}");
    assert!(call.longest_freeze(back + 2 * SECOND) < SECOND);
    call.assert_verified();
}

fn the_estimate_follows_the_bandwidth(net: Net) {
    let mut call = Call::over(net, |_| {});
    let full = 2_000_000;
    for (bandwidth, seconds) in [(full, 25), (full / 2, 20), (full, 40)] {
        call.net.links[A].bandwidth = Some(bandwidth);
        let from = call.net.now;
        call.go(seconds * SECOND);
        let share = call.estimate(10) / bandwidth as f64;
        assert!((0.6..1.2).contains(&share), "{bandwidth}: {share}");
        let freeze = call.longest_freeze(from);
        assert!(freeze < SECOND, "{bandwidth}: {freeze:?}");
        // Sound waits in the same queue as pictures, and is lost with them while it is full.
        let (frames, gap) = call.heard_since(B, from);
        assert!(
            frames as f64 > 47.5 * f64::from(seconds),
            "{bandwidth}: {frames}"
        );
        assert!(gap < Duration::from_millis(500), "{bandwidth}: {gap:?}");
    }
    call.assert_verified();
}

fn a_way_that_is_wide_again_is_used_soon(net: Net) {
    // A room sends less than it may where the next larger layer does not fit.
    for share in [4, 5, 7] {
        for (narrow, seconds) in [
            (300_000, 6),
            (300_000, 20),
            (300_000, 47),
            (600_000, 23),
            (1_000_000, 31),
        ] {
            let mut call = Call::over(net.again(), |_| {});
            call.share = share;
            call.go(10 * SECOND);
            call.net.links[A].bandwidth = Some(narrow);
            let from = call.net.now + 5 * SECOND;
            call.go(seconds * SECOND);
            assert!(call.estimate(3) < narrow as f64 * 1.2);
            // Looking for more costs those who speak little.
            let (_, gap) = call.heard_since(B, from);
            assert!(gap < SECOND / 2, "{share}, {narrow}, {seconds}: {gap:?}");
            call.net.links[A].bandwidth = None;
            let wide = call.net.now;
            while call.told() < 2_000_000 {
                call.go(SECOND / 5);
                let since = call.net.now - wide;
                assert!(since < 15 * SECOND, "{share}, {narrow}, {seconds}");
            }
            call.assert_verified();
        }
    }
}

fn a_narrower_way_freezes_pictures_for_less_than_a_second_at_any_moment(net: Net) {
    for phase in 0..8 {
        let mut call = Call::over(net.again(), |link| link.bandwidth = Some(2_000_000));
        call.go(15 * SECOND + phase * Duration::from_millis(140));
        call.net.links[A].bandwidth = Some(1_000_000);
        let from = call.net.now;
        call.go(10 * SECOND);
        let freeze = call.longest_freeze(from);
        assert!(freeze < SECOND, "{phase}: {freeze:?}");
        // Missing packets are asked for as before.
        call.net.links[A].bandwidth = None;
        call.go(2 * SECOND);
        call.net.links[A].loss = 0.05;
        let (from, shown) = (call.net.now, call.shown.len());
        call.go(10 * SECOND);
        let freeze = call.longest_freeze(from);
        assert!(freeze < SECOND / 2, "{phase}: {freeze:?}");
        let shown = call.shown.len() - shown;
        assert!(shown > 240, "{phase}: {shown}");
        call.assert_verified();
    }
}

fn a_long_way_that_loses_freezes_pictures_for_less_than_two_seconds(net: Net) {
    for loss in [0.01, 0.03, 0.05] {
        let mut call = Call::over(net.again(), |link| link.delay = Duration::from_millis(300));
        call.go(5 * SECOND);
        call.net.links[A].loss = loss;
        let from = call.net.now;
        call.go(30 * SECOND);
        let freeze = call.longest_freeze(from);
        assert!(freeze < 2 * SECOND, "{loss}: {freeze:?}");
        let (frames, _) = call.heard_since(B, from);
        let expected = 1500.0 * (1.0 - loss);
        assert!(frames as f64 > expected - 45.0, "{loss}: {frames}");
        call.assert_verified();
    }
}

fn pictures_are_back_within_two_seconds_after_a_bad_time(net: Net) {
    for (delay, loss) in [(20, 0.30), (300, 0.10), (300, 0.30)] {
        let mut call = Call::over(net.again(), |link| {
            link.delay = Duration::from_millis(delay)
        });
        call.go(5 * SECOND);
        call.net.links[A].loss = loss;
        call.go(8 * SECOND);
        call.net.links[A].loss = 0.0;
        let end = call.net.now;
        call.go(10 * SECOND);
        let first = *call.shown.iter().find(|&&at| at > end).unwrap();
        assert!(
            first - end < 2 * SECOND,
            "{delay} {loss}: {:?}",
            first - end
        );
        let freeze = call.longest_freeze(end + 2 * SECOND);
        assert!(freeze < SECOND / 2, "{delay} {loss}: {freeze:?}");
        call.assert_verified();
    }
}

/// Signalling is slower than the network, as usual: the answer comes after the first checks.
fn a_call_stands_soon_after_its_answer(mut net: Net) {
    for link in &mut net.links {
        link.delay = Duration::from_millis(5);
    }
    let lines = Offer::of(&[MediaKind::Audio, MediaKind::Video]);
    net.command(A, PeerCommand::Offer(lines));
    let offer = net.ends[A].described[0].1.clone();
    // A firewall lets nothing in before something went out.
    net.cut = true;
    net.describe(B, SdpKind::Offer, offer);
    net.run(Duration::from_millis(30));
    net.cut = false;
    let answer = net.ends[B].described[0].1.clone();
    net.describe(A, SdpKind::Answer, answer);
    net.run(Duration::from_millis(300));
    for end in &net.ends {
        assert_eq!(end.states, [PeerState::Verified]);
    }
}
