// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;

use super::*;
use crate::layers::{Size, Sizes};

/// A machine on which a second of each thing takes so much of a processor.
#[derive(Clone, Copy)]
struct Machine {
    /// For everything, in processors.
    processors: f64,
    /// What one picture of 1280x720 takes, of a processor's second.
    picture: f64,
    /// What everything else takes.
    else_taken: f64,
    /// It says how much of it is idle.
    tells: bool,
}

impl Machine {
    fn cost(self, size: Size) -> f64 {
        let pixels = |(width, height): (u32, u32)| f64::from(width * height);
        self.picture * pixels(size.pixels()) / pixels(Size::High.pixels())
    }

    /// A second under a limit, of an m-line that wants these sizes.
    fn second(self, limit: Option<QualityLimit>, wanted: Sizes) -> Load {
        let allowance = Allowance::from(limit);
        let sizes = allowance.sizes(Sizes::ALL, wanted);
        let rate = f64::from(allowance.camera);
        let display = self.else_taken * f64::from(allowance.composed) / 30.0;
        let needed = display + sizes.iter().map(|size| self.cost(size) * rate).sum::<f64>();
        // Whoever shares too few processors takes longer.
        let stretch = (needed / self.processors).max(1.0);
        let work = |size: Size| {
            let busy = self.cost(size) * rate * stretch;
            let given = (rate / busy.max(1.0)) as u32;
            let work = Work {
                taken: allowance.camera,
                given,
                busy: busy.min(1.0),
            };
            (size, work)
        };
        Load {
            wanted: wanted.iter().next_back(),
            camera: sizes.iter().map(work).collect(),
            content: None,
            missed: if stretch > 1.3 { 10 } else { 0 },
            idle: self.tells.then_some((self.processors - needed).max(0.0)),
        }
    }
}

/// Two processors that encode a picture of 1280x720 in so many milliseconds.
fn machine(milliseconds: f64) -> Machine {
    Machine {
        processors: 2.0,
        picture: milliseconds / 1000.0,
        else_taken: 0.5,
        tells: true,
    }
}

/// The limit after each of so many seconds; the machine may be another one in each.
fn run(
    governor: &mut Governor,
    wanted: Sizes,
    seconds: u64,
    machine: impl Fn(u64) -> Machine,
) -> Vec<Option<QualityLimit>> {
    let begin = Instant::now();
    let second = |second: u64| {
        let load = machine(second).second(governor.limit(), wanted);
        governor.observe(&load, begin + Duration::from_secs(second));
        governor.limit()
    };
    (0..seconds).map(second).collect()
}

fn changes(limits: &[Option<QualityLimit>]) -> usize {
    let before = std::iter::once(&None).chain(limits);
    before.zip(limits).filter(|(a, b)| a != b).count()
}

const HOUR: u64 = 3600;

#[test]
fn a_machine_that_keeps_up_is_left_alone() {
    let limits = run(&mut Governor::default(), Sizes::LAYERS, HOUR, |_| {
        machine(10.0)
    });
    assert!(limits.iter().all(Option::is_none));
    // What takes long now and then is no load.
    let spikes = |second: u64| machine(if second.is_multiple_of(3) { 90.0 } else { 10.0 });
    let limits = run(&mut Governor::default(), Sizes::LAYERS, HOUR, spikes);
    assert_eq!(changes(&limits), 0);
}

#[test]
fn a_slow_machine_loses_as_little_as_it_takes() {
    // An encoder has one thread: 33 ms are the end.
    let table = [
        (40.0, Some(QualityLimit::Without720)),
        (110.0, Some(QualityLimit::Without720)),
        (150.0, Some(QualityLimit::Without360)),
        (600.0, Some(QualityLimit::FewerPictures)),
        (5000.0, Some(QualityLimit::SlowerDisplay)),
    ];
    for (milliseconds, expected) in table {
        let mut governor = Governor::default();
        let limits = run(&mut governor, Sizes::LAYERS, 60, |_| machine(milliseconds));
        assert_eq!(governor.limit(), expected, "{milliseconds} ms");
        // Nobody had the largest size.
        let steps = expected.map_or(0, |limit| limit as usize);
        assert_eq!(changes(&limits), steps, "{milliseconds} ms: straight down");
        assert_eq!(
            limits[2],
            Some(QualityLimit::Without720),
            "after three seconds"
        );
    }
}

#[test]
fn the_largest_size_goes_first() {
    let mut governor = Governor::default();
    let limits = run(&mut governor, Sizes::ALL, HOUR, |_| machine(16.0));
    assert_eq!(governor.limit(), Some(QualityLimit::Without1080));
    assert_eq!(changes(&limits), 1);
}

#[test]
fn what_would_change_nothing_is_passed_over() {
    for (wanted, expected) in [
        (Sizes::up_to(180), QualityLimit::FewerPictures),
        (Sizes::up_to(360), QualityLimit::Without360),
        (Sizes::default(), QualityLimit::SlowerDisplay),
    ] {
        let mut governor = Governor::default();
        let slow = Machine {
            else_taken: 3.0,
            ..machine(10.0)
        };
        let limits = run(&mut governor, wanted, 3, |_| slow);
        assert_eq!(limits[2], Some(expected), "{wanted:?}");
    }
}

#[test]
fn where_nothing_more_can_be_left_out_it_stays() {
    let mut governor = Governor::default();
    let limits = run(&mut governor, Sizes::LAYERS, HOUR, |_| machine(5000.0));
    assert_eq!(limits.last(), Some(&Some(QualityLimit::SlowerDisplay)));
    assert_eq!(changes(&limits), QualityLimit::ALL.len() - 1);
}

#[test]
fn it_comes_back_one_step_at_a_time() {
    let load = |second| machine(if second < 60 { 5000.0 } else { 10.0 });
    let limits = run(&mut Governor::default(), Sizes::LAYERS, 300, load);
    let mut seen = limits[60..].to_vec();
    seen.dedup();
    // Nobody wants the largest size.
    let milder = QualityLimit::ALL[1..].iter().rev().copied().map(Some);
    assert_eq!(seen, milder.chain([None]).collect::<Vec<_>>());
    let back = limits.iter().skip(60).position(Option::is_none).unwrap();
    // Each step waits 20 seconds, and the next one has settled before.
    assert!((80..=100).contains(&back), "{back} s");
}

#[test]
fn a_machine_that_does_not_tell_is_tried_more_and_more_seldom() {
    // 1280x720 alone is what it cannot do, and nothing says so before.
    let blind = Machine {
        processors: 1.0,
        else_taken: 0.7,
        tells: false,
        ..machine(17.0)
    };
    let limits = run(&mut Governor::default(), Sizes::LAYERS, 4 * HOUR, |_| blind);
    let attempts = |hour: u64| {
        let hour = &limits[(hour * HOUR) as usize..((hour + 1) * HOUR) as usize];
        changes(hour) / 2
    };
    assert!((5..=12).contains(&attempts(0)), "{}", attempts(0));
    assert!((5..=6).contains(&attempts(3)), "{}", attempts(3));
    let limited = limits.iter().filter(|limit| limit.is_some()).count();
    assert!(
        limited as u64 > 4 * HOUR * 97 / 100,
        "{limited} s of {}",
        4 * HOUR
    );
}

#[test]
fn a_machine_that_tells_is_not_tried_in_vain() {
    let told = Machine {
        processors: 1.0,
        else_taken: 0.7,
        ..machine(17.0)
    };
    let limits = run(&mut Governor::default(), Sizes::LAYERS, HOUR, |_| told);
    assert_eq!(changes(&limits), 1);
}

#[test]
fn an_attempt_that_lasts_is_soon_followed_by_the_next() {
    let mut governor = Governor::default();
    // It was tried in vain for an hour, then the load has gone.
    let blind = |second: u64| Machine {
        processors: if second < HOUR { 1.0 } else { 4.0 },
        else_taken: 0.7,
        tells: false,
        ..machine(17.0)
    };
    let limits = run(&mut governor, Sizes::LAYERS, HOUR + 1200, blind);
    assert_eq!(governor.limit(), None);
    assert!(governor.wait < MOST_WAIT);
    let after = &limits[HOUR as usize + 700..];
    assert!(after.iter().all(Option::is_none));
}

proptest! {
    /// Whatever the figures say, one step at a time, none within what settles, and it stays fluent.
    #[test]
    fn it_neither_jumps_nor_flutters(
        seconds in proptest::collection::vec((0_u32..40, 0_u32..40, 0.0..1.2, 0_u32..20, proptest::option::of(0.0..4.0), 0_u8..16), 1..400),
    ) {
        let mut governor = Governor::default();
        let begin = Instant::now();
        let mut changed: Option<u64> = None;
        for (second, (taken, given, busy, missed, idle, sizes)) in (0..).zip(seconds) {
            let before = governor.limit();
            let work = Work { taken, given, busy };
            let some = |size: &Size| sizes & 1 << *size as u8 != 0;
            let camera = Size::ALL.into_iter().filter(some).map(|size| (size, work)).collect();
            let wanted = Size::ALL.get(usize::from(sizes % 5)).copied();
            let load = Load { wanted, camera, content: None, missed, idle };
            governor.observe(&load, begin + Duration::from_secs(second));
            let after = governor.limit();
            if before != after {
                prop_assert!(changed.is_none_or(|at| second - at > SETTLE.as_secs()));
                changed = Some(second);
                // Only what nobody notices is passed over.
                let between = |step: &&QualityLimit| Some(**step) > before.min(after) && Some(**step) < before.max(after);
                let passed = QualityLimit::ALL.iter().filter(between);
                let noticed = |step: &QualityLimit| if after > before {
                    load.is_relieved_by(*step)
                } else {
                    load.is_missed_by(*step)
                };
                prop_assert!(!passed.copied().any(|step| noticed(&step)));
            }
            let allowance = Allowance::from(after);
            prop_assert!(allowance.camera >= 20 && allowance.composed >= 20);
        }
    }
}
