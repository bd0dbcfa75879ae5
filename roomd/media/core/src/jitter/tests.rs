// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use super::*;

const RATE: u64 = 48_000;
const FRAME: u64 = 960;
const START: u64 = 1 << 33;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Frames 20 ms apart whose transit the test chooses; polls every 5 ms.
struct Line {
    buffer: JitterBuffer<u64>,
    start: Instant,
    now: Instant,
    under_way: Vec<(Instant, u64)>,
    played: Vec<(u64, Instant)>,
    lost: Vec<u64>,
}

impl Line {
    fn new(config: Config) -> Self {
        let start = Instant::now();
        let buffer = JitterBuffer::new(48_000, config);
        Self {
            buffer,
            start,
            now: start,
            under_way: vec![],
            played: vec![],
            lost: vec![],
        }
    }

    fn sound() -> Self {
        Self::new(Config::sound(960))
    }

    /// Sends frames with these numbers; the transit of each by its number, none loses it. `drift`
    /// is how much longer the sender's milliseconds are, in millionths.
    fn send(
        &mut self,
        numbers: std::ops::Range<u64>,
        drift: f64,
        transit: impl Fn(u64) -> Option<Duration>,
    ) {
        for number in numbers {
            let sent =
                self.start + Duration::from_secs_f64(number as f64 * 0.02 * (1.0 + drift / 1e6));
            self.run_to(sent);
            if let Some(transit) = transit(number) {
                self.under_way
                    .push((sent + transit, START + number * FRAME));
            }
        }
    }

    fn run_to(&mut self, until: Instant) {
        while self.now < until {
            self.now += ms(5);
            let now = self.now;
            self.under_way.sort_by_key(|frame| frame.0);
            while self.under_way.first().is_some_and(|frame| frame.0 <= now) {
                let (at, rtp_time) = self.under_way.remove(0);
                self.buffer.push(rtp_time, at, rtp_time, false);
            }
            while let Some(playout) = self.buffer.poll(now) {
                match playout {
                    Playout::Frame {
                        frame,
                        rtp_time,
                        due,
                        ..
                    } => {
                        assert_eq!(frame, rtp_time);
                        assert!(due <= now);
                        self.played.push((rtp_time, now));
                    }
                    Playout::Lost { rtp_time, samples } => {
                        assert_eq!(samples, 960);
                        self.lost.push(rtp_time);
                    }
                }
            }
            assert!(self.buffer.next_due().is_none_or(|due| due > now));
        }
    }

    fn finish(&mut self) {
        self.run_to(self.now + Duration::from_secs(2));
        assert!(
            self.played.is_sorted_by(|a, b| a.0 < b.0),
            "in order, never twice"
        );
    }
}

#[test]
fn steady_frames_keep_the_least_delay() {
    let mut line = Line::sound();
    line.send(0..500, 0.0, |_| Some(ms(30)));
    line.finish();
    assert_eq!(line.played.len(), 500);
    assert_eq!(line.lost, []);
    assert_eq!(line.buffer.target_delay(), ms(20));
    assert!(line.buffer.jitter() < ms(1));
}

#[test]
fn a_picture_now_and_then_is_late_and_delays_no_other() {
    let mut line = Line::new(Config::pictures());
    // One in fifty, such as the large ones.
    line.send(0..500, 0.0, |number| {
        Some(ms(if number % 50 == 49 { 50 } else { 30 }))
    });
    line.finish();
    assert_eq!(line.played.len(), 500);
    assert_eq!(line.buffer.counters().late, 0);
    assert_eq!(line.buffer.target_delay(), ms(0));
    // One in ten is more than people take for smooth.
    let mut line = Line::new(Config::pictures());
    line.send(0..500, 0.0, |number| {
        Some(ms(if number % 10 == 9 { 50 } else { 30 }))
    });
    assert!(line.buffer.target_delay() > ms(20));
}

#[test]
fn pictures_are_played_as_they_come_while_the_network_is_calm() {
    let mut buffer = JitterBuffer::new(90_000, Config::pictures());
    let start = Instant::now();
    let arrival = |number: u64, jitter: u64| start + ms(33) * number as u32 + ms(jitter);
    for number in 0..500 {
        let at = arrival(number, number * 7 % 14);
        buffer.push(number * 33 * 90, at, number, true);
        assert!(
            matches!(buffer.poll(at), Some(Playout::Frame { frame, .. }) if frame == number),
            "{number} waits"
        );
    }
    assert_eq!(buffer.target_delay(), ms(0));
    // The sound that belongs to it comes later.
    buffer.extra_delay(ms(50));
    let at = arrival(500, 0);
    buffer.push(500 * 33 * 90, at, 500, true);
    assert!(buffer.poll(at + ms(49)).is_none());
    assert!(buffer.poll(at + ms(51)).is_some());
}

#[test]
fn at_the_border_of_calm_the_delay_does_not_come_and_go() {
    let mut line = Line::new(Config::pictures());
    // One in ten, by turns just more and just less than what is let be.
    let lateness = |number: u64| {
        if (number / 500).is_multiple_of(2) {
            16
        } else {
            14
        }
    };
    line.send(0..500, 0.0, |number| {
        Some(ms(30
            + if number % 10 == 9 {
                lateness(number)
            } else {
                0
            }))
    });
    assert!(line.buffer.target_delay() > ms(20));
    for round in 1..6 {
        line.send(round * 500..(round + 1) * 500, 0.0, |number| {
            Some(ms(30
                + if number % 10 == 9 {
                    lateness(number)
                } else {
                    0
                }))
        });
        assert!(line.buffer.target_delay() > ms(18), "round {round}");
    }
    // It goes when the network is calm beyond doubt, and is not back before it is no longer.
    line.send(3000..5000, 0.0, |number| {
        Some(ms(30 + if number % 10 == 9 { 5 } else { 0 }))
    });
    assert_eq!(line.buffer.target_delay(), ms(0));
    line.send(5000..5500, 0.0, |number| {
        Some(ms(30 + if number % 10 == 9 { 14 } else { 0 }))
    });
    assert_eq!(line.buffer.target_delay(), ms(0));
}

#[test]
fn a_burst_of_jitter_raises_the_delay_at_once_and_lowers_it_slowly() {
    let mut line = Line::sound();
    let jittery = |number: u64| {
        Some(ms(30
            + if number % 7 == 3 {
                90
            } else {
                number * 13 % 20
            }))
    };
    line.send(0..500, 0.0, |_| Some(ms(30)));
    line.send(500..1000, 0.0, jittery);
    let raised = line.buffer.target_delay();
    assert!((ms(90)..ms(130)).contains(&raised), "{raised:?}");
    // Only what came before the buffer knew better was late.
    let late = line.buffer.counters().late;
    assert!(late <= 2, "{late}");
    line.send(1000..1200, 0.0, |_| Some(ms(30)));
    assert!(line.buffer.target_delay() > raised - ms(10));
    line.send(1200..2600, 0.0, |_| Some(ms(30)));
    assert!(
        line.buffer.target_delay() < ms(30),
        "{:?}",
        line.buffer.target_delay()
    );
    line.finish();
    assert_eq!(line.buffer.counters().late, late);
}

#[test]
fn a_lost_frame_is_said_in_its_place() {
    let mut line = Line::sound();
    line.send(0..200, 0.0, |number| (number % 20 != 10).then(|| ms(30)));
    line.finish();
    let expected: Vec<u64> = (0..10).map(|k| START + (k * 20 + 10) * FRAME).collect();
    assert_eq!(line.lost, expected);
    assert_eq!(line.played.len(), 190);
    assert_eq!(line.buffer.counters().lost, 10);
}

#[test]
fn a_buffer_that_takes_the_place_of_another_counts_on() {
    let mut line = Line::sound();
    line.send(0..20, 0.0, |number| (number != 10).then(|| ms(30)));
    line.finish();
    let before = line.buffer.counters();
    line.buffer = JitterBuffer::new(48_000, Config::sound(480)).counting_on(before);
    assert_eq!(line.buffer.counters().lost, 1);
    assert!(line.buffer.is_empty());
}

#[test]
fn pictures_are_never_said_lost() {
    let mut line = Line::new(Config::default());
    line.send(0..200, 0.0, |number| (number % 20 != 10).then(|| ms(30)));
    line.finish();
    assert_eq!((line.lost.len(), line.played.len()), (0, 190));
}

#[test]
fn reordered_frames_come_out_in_order() {
    let mut line = Line::sound();
    line.send(0..400, 0.0, |number| {
        Some(ms(if number % 5 == 2 { 75 } else { 30 }))
    });
    line.finish();
    let counters = line.buffer.counters();
    assert!(line.played.len() >= 398, "{counters:?}");
    assert!(counters.late <= 2);
    assert_eq!(line.played.len() as u64 + counters.late, 400);
}

#[test]
fn follows_a_clock_that_is_100_ppm_off_for_10_minutes() {
    for drift in [100.0, -100.0] {
        let mut line = Line::sound();
        line.send(0..30_000, drift, |number| Some(ms(30 + number * 7 % 10)));
        // Held for 60 ms too long or too short at the end, were the drift not followed.
        let (rtp_time, at) = *line.played.last().unwrap();
        let number = (rtp_time - START) / FRAME;
        let sent = line.start + Duration::from_secs_f64(number as f64 * 0.02 * (1.0 + drift / 1e6));
        let total = at - sent;
        assert!((ms(45)..ms(70)).contains(&total), "{drift} {total:?}");
        line.finish();
        assert_eq!(line.lost, []);
        assert_eq!(line.played.len(), 30_000);
    }
}

#[test]
fn a_jump_of_media_time_starts_again() {
    let mut line = Line::sound();
    line.send(0..100, 0.0, |_| Some(ms(30)));
    line.run_to(line.now + ms(200));
    for back in [false, true] {
        let resets = line.buffer.counters().resets;
        let base = if back { 500 } else { START + (RATE << 20) };
        let before = line.played.len();
        for number in 0..100u64 {
            line.run_to(line.now + ms(20));
            line.buffer.push(
                base + number * FRAME,
                line.now,
                base + number * FRAME,
                false,
            );
        }
        line.run_to(line.now + ms(200));
        assert_eq!(line.buffer.counters().resets, resets + 1);
        let played = line.played.len() - before;
        assert!(played == 100, "{played}");
    }
    assert_eq!(line.lost, []);
}

#[test]
fn silence_is_not_loss() {
    let mut line = Line::sound();
    line.send(0..100, 0.0, |_| Some(ms(30)));
    // 8 s without a frame, as media time runs on; then a comfort frame every 400 ms.
    line.send(100..500, 0.0, |_| None);
    line.send(500..900, 0.0, |number| (number % 20 == 0).then(|| ms(30)));
    line.finish();
    assert_eq!(line.lost, []);
    assert_eq!(line.played.len(), 120);
    assert_eq!(line.buffer.counters().resets, 0);
}

#[test]
fn bounds_delay_and_number() {
    let config = Config {
        capacity: 10,
        ..Config::sound(960)
    };
    let mut line = Line::new(config);
    line.send(0..50, 0.0, |number| {
        Some(ms(if number % 2 == 0 { 2000 } else { 10 }))
    });
    assert!(line.buffer.target_delay() <= ms(500));
    let now = line.now;
    for number in 100..200 {
        line.buffer
            .push(START + number * FRAME, now, START + number * FRAME, false);
    }
    assert!(line.buffer.len() <= 10);
    assert!(line.buffer.counters().overflowed > 0);
    line.buffer.extra_delay(Duration::from_secs(3600));
    assert!(line.buffer.target_delay() <= ms(1000));
    // Times at the ends of their range do no harm.
    line.buffer.push(0, now, 0, true);
    line.buffer.push(u64::MAX, now, 0, false);
    while line.buffer.poll(now + Duration::from_secs(10)).is_some() {}
}

#[test]
fn lip_sync_delays_what_is_not_yet_played() {
    let mut line = Line::sound();
    line.send(0..100, 0.0, |_| Some(ms(30)));
    line.buffer.extra_delay(ms(100));
    line.send(100..250, 0.0, |_| Some(ms(30)));
    let (rtp_time, at) = *line.played.last().unwrap();
    let sent = line.start + ms(20) * u32::try_from((rtp_time - START) / FRAME).unwrap();
    assert!(
        (ms(150)..=ms(160)).contains(&(at - sent)),
        "{:?}",
        at - sent
    );
    line.finish();
    assert_eq!(line.played.len(), 250);
    assert_eq!(line.lost, []);
    // Between two frames, sound never waits for longer than it can be stretched.
    let apart = |pair: &[(u64, Instant)]| pair[1].1 - pair[0].1;
    let most = line.played.windows(2).map(apart).max();
    assert!(most <= Some(ms(25)), "{most:?}");
}

/// A buffer of pictures, each due as it comes.
fn pictures(capacity: usize) -> JitterBuffer<u64> {
    let config = Config {
        capacity,
        ..Config::pictures()
    };
    JitterBuffer::new(90_000, config)
}

/// The pictures that are due, and whether something was dropped before each.
fn played(buffer: &mut JitterBuffer<u64>, now: Instant) -> Vec<(u64, bool)> {
    let next = || match buffer.poll(now)? {
        Playout::Frame {
            frame, after_drop, ..
        } => Some((frame, after_drop)),
        Playout::Lost { .. } => None,
    };
    std::iter::from_fn(next).collect()
}

#[test]
fn the_picture_after_one_that_came_too_late_says_so() {
    let mut buffer = pictures(256);
    let now = Instant::now();
    for number in [0, 2, 1, 3, 4] {
        buffer.push(number * 3000, now + ms(33 * number), number, true);
        let expected = (number != 1).then_some((number, number == 3));
        let due = now + ms(33 * number);
        assert_eq!(played(&mut buffer, due), Vec::from_iter(expected));
    }
    assert_eq!(buffer.counters().late, 1);
}

#[test]
fn a_doubled_picture_is_no_loss() {
    let mut buffer = pictures(256);
    let now = Instant::now();
    buffer.push(0, now, 0, true);
    buffer.extra_delay(ms(50));
    for number in [1, 1, 2] {
        buffer.push(number * 3000, now + ms(33 * number), number, true);
    }
    assert_eq!(buffer.counters().doubled, 1);
    let expected = [(0, false), (1, false), (2, false)];
    assert_eq!(played(&mut buffer, now + ms(200)), expected);
}

#[test]
fn the_picture_after_one_that_had_no_room_says_so() {
    let mut buffer = pictures(3);
    let now = Instant::now();
    buffer.extra_delay(ms(500));
    for number in 0..5 {
        buffer.push(number * 3000, now + ms(33 * number), number, true);
    }
    let expected = [(2, true), (3, false), (4, false)];
    assert_eq!(played(&mut buffer, now + ms(900)), expected);
    assert_eq!(buffer.counters().overflowed, 2);
}

#[test]
fn what_a_new_timeline_leaves_behind_is_a_loss() {
    for (held, later) in [(true, 1 << 40), (true, 0), (false, 1 << 40)] {
        let mut buffer = pictures(256);
        let now = Instant::now();
        buffer.extra_delay(if held { ms(500) } else { ms(0) });
        buffer.push(1 << 33, now, 0, true);
        assert_eq!(played(&mut buffer, now).is_empty(), held);
        for number in 1..3 {
            buffer.push(later + number * 3000, now + ms(33 * number), number, true);
        }
        assert_eq!(buffer.counters().resets, 1);
        let expected = [(1, held), (2, false)];
        assert_eq!(played(&mut buffer, now + ms(900)), expected);
    }
}
