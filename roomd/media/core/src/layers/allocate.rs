// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Divides what each path carries.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Coding, Encoding, Size, Sizes, Variant, rates};

/// What an m-line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The sizes that it takes and somebody wants.
    pub sizes: Sizes,
    /// It takes them at the same time (simulcast), otherwise one of them.
    pub together: bool,
    /// What its pictures may take in all, in bit/s.
    pub budget: u32,
    /// The codec of each size.
    pub coding: Coding,
}

/// What is encoded, and what of it goes where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation<K> {
    /// Each size that goes anywhere, in each codec in which it does.
    pub encodings: BTreeMap<Variant, Encoding>,
    /// The sizes of each m-line.
    pub lines: BTreeMap<K, Sizes>,
}

/// More is sent only when the budget has been enough, with this reserve, for so long: an estimate that
/// sways must not make the picture sway.
const RESERVE: f64 = 1.2;
const RAISE_AFTER: Duration = Duration::from_secs(2);
/// Below this the smallest size has 20 pictures a second.
const SMOOTH: u32 = 90_000;
/// Nothing recognisable is sent with less.
const FLOOR: u32 = 40_000;

/// Remembers what each m-line got, so that it does not sway.
#[derive(Debug)]
pub struct Allocator<K> {
    lines: BTreeMap<K, Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    sizes: Sizes,
    /// What was asked for when it was given.
    wanted: Sizes,
    /// Since when more would have fitted.
    room: Option<Instant>,
}

impl<K: Ord + Clone> Default for Allocator<K> {
    fn default() -> Self {
        Self {
            lines: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Allocator<K> {
    /// What to encode from now on. m-lines that are not among the demands are forgotten.
    pub fn allocate(&mut self, demands: &BTreeMap<K, Demand>, now: Instant) -> Allocation<K> {
        self.lines.retain(|line, _| demands.contains_key(line));
        let mut allocation = Allocation {
            encodings: BTreeMap::new(),
            lines: BTreeMap::new(),
        };
        for (line, demand) in demands {
            let sizes = self.settle(line, *demand, now);
            for (size, bitrate) in divide(sizes, demand.budget) {
                let Some(codec) = demand.coding.codec(size) else {
                    continue;
                };
                let encoding = encoding(size, bitrate);
                let variant = Variant { size, codec };
                let shared = allocation.encodings.entry(variant).or_insert(encoding);
                // The size is encoded once, for the narrowest path that carries it.
                if bitrate < shared.bitrate {
                    *shared = encoding;
                }
            }
            allocation.lines.insert(line.clone(), sizes);
        }
        allocation
    }

    fn settle(&mut self, line: &K, demand: Demand, now: Instant) -> Sizes {
        let fits = affordable(demand, 1.0);
        let sizes = match self.lines.get_mut(line) {
            // Whoever asks for something else waits for nothing.
            Some(held) if held.wanted == demand.sizes => held.follow(demand, fits, now),
            Some(_) | None => fits,
        };
        let held = self.lines.entry(line.clone()).or_insert(Held {
            sizes,
            wanted: demand.sizes,
            room: None,
        });
        held.sizes = sizes;
        held.wanted = demand.sizes;
        sizes
    }
}

impl Held {
    fn follow(&mut self, demand: Demand, fits: Sizes, now: Instant) -> Sizes {
        let top = |sizes: Sizes| sizes.iter().next_back();
        if top(fits) <= top(self.sizes) {
            self.room = None;
            return fits;
        }
        let ample = affordable(demand, RESERVE);
        if top(ample) <= top(self.sizes) {
            self.room = None;
            return self.sizes;
        }
        let since = *self.room.get_or_insert(now);
        if now.saturating_duration_since(since) < RAISE_AFTER {
            return self.sizes;
        }
        self.room = None;
        ample
    }
}

/// What the budget carries when everything takes so many times the least: from the smallest size up;
/// the smallest in any case.
fn affordable(demand: Demand, reserve: f64) -> Sizes {
    let mut sizes = Sizes::default();
    let mut taken = 0.0;
    for size in demand.sizes.iter() {
        let least = f64::from(rates(size).least) * reserve;
        taken = if demand.together {
            taken + least
        } else {
            least
        };
        if !sizes.is_empty() && taken > f64::from(demand.budget) {
            break;
        }
        if !demand.together {
            sizes = Sizes::default();
        }
        sizes.insert(size);
    }
    sizes
}

/// Everything gets the least it needs, then the smallest is filled first: it is what those with the
/// poorest paths see.
fn divide(sizes: Sizes, budget: u32) -> Vec<(Size, u32)> {
    let least: u32 = sizes.iter().map(|size| rates(size).least).sum();
    let mut rest = budget.saturating_sub(least);
    let share = |size: Size| {
        let rates = rates(size);
        let more = rest.min(rates.most - rates.least);
        rest -= more;
        (size, rates.least + more)
    };
    let mut shares: Vec<_> = sizes.iter().map(share).collect();
    if let [(_, only)] = shares.as_mut_slice()
        && budget < least
    {
        *only = budget.max(FLOOR);
    }
    shares
}

fn encoding(size: Size, bitrate: u32) -> Encoding {
    let strained = size == Size::Low && bitrate < SMOOTH;
    Encoding {
        bitrate,
        pictures_per_second: if strained { 20 } else { 30 },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{SentCodec, Taker};
    use super::*;

    fn demand(sizes: Sizes, together: bool, budget: u32) -> Demand {
        Demand {
            sizes,
            together,
            budget,
            coding: Coding::VP8,
        }
    }

    const fn vp8(size: Size) -> Variant {
        Variant {
            size,
            codec: SentCodec::Vp8,
        }
    }

    /// One m-line that asks for the same at all these moments, a second apart.
    fn run(wanted: Sizes, together: bool, budgets: &[u32]) -> Vec<Allocation<u8>> {
        let mut allocator = Allocator::default();
        let begin = Instant::now();
        let step = |(second, budget): (usize, &u32)| {
            let demands = BTreeMap::from([(1, demand(wanted, together, *budget))]);
            allocator.allocate(&demands, begin + Duration::from_secs(second as u64))
        };
        budgets.iter().enumerate().map(step).collect()
    }

    fn sizes(allocation: &Allocation<u8>) -> Vec<Size> {
        allocation.lines[&1].iter().collect()
    }

    #[test]
    fn simulcast_loses_its_largest_size_first() {
        for (budget, expected) in [
            (3_000_000, &Size::LAYERS[..]),
            (749_999, &[Size::Low, Size::Medium]),
            (249_999, &[Size::Low]),
            (10_000, &[Size::Low]),
        ] {
            let given = &run(Sizes::LAYERS, true, &[budget])[0];
            assert_eq!(sizes(given), expected, "{budget}");
            assert_eq!(given.encodings.len(), expected.len());
        }
    }

    #[test]
    fn one_picture_is_the_largest_that_fits() {
        for (budget, expected) in [
            (3_000_000, Size::High),
            (500_000, Size::High),
            (499_999, Size::Medium),
            (100_000, Size::Low),
            (0, Size::Low),
        ] {
            let given = &run(Sizes::LAYERS, false, &[budget])[0];
            assert_eq!(sizes(given), [expected], "{budget}");
        }
    }

    #[test]
    fn the_largest_picture_needs_a_wide_path() {
        for (budget, expected) in [(1_190_000, Size::High), (2_000_000, Size::Full)] {
            let given = &run(Sizes::ALL, false, &[budget])[0];
            assert_eq!(sizes(given), [expected], "{budget}");
        }
        // An estimate that grows has to be ample for two seconds.
        let given = run(
            Sizes::ALL,
            false,
            &[1_190_000, 2_300_000, 2_500_000, 2_500_000, 2_500_000],
        );
        let tops: Vec<_> = given.iter().map(|one| sizes(one)[0]).collect();
        let (high, full) = (Size::High, Size::Full);
        assert_eq!(tops, [high, high, high, high, full]);
    }

    #[test]
    fn only_what_is_wanted_is_encoded() {
        let given = &run(Sizes::up_to(360), false, &[3_000_000])[0];
        assert_eq!(sizes(given), [Size::Medium]);
        let skipped = [Size::Low, Size::High].into_iter().collect();
        let given = &run(skipped, true, &[3_000_000])[0];
        assert_eq!(sizes(given), [Size::Low, Size::High]);
        assert!(
            run(Sizes::default(), true, &[3_000_000])[0]
                .encodings
                .is_empty()
        );
    }

    #[test]
    fn a_drop_is_followed_at_once_and_a_rise_when_it_lasts() {
        let high = 2_000_000;
        let low = 300_000;
        let given = run(Sizes::LAYERS, false, &[high, low, high, high, high, high]);
        let tops: Vec<_> = given.iter().map(|one| sizes(one)[0]).collect();
        let (h, m) = (Size::High, Size::Medium);
        assert_eq!(tops, [h, m, m, m, h, h]);
    }

    #[test]
    fn an_estimate_that_sways_does_not_make_the_picture_sway() {
        let swaying: Vec<u32> = (0..40).map(|n| 520_000 + n % 2 * 60_000).collect();
        let mut budgets = vec![400_000];
        budgets.extend(swaying);
        let given = run(Sizes::LAYERS, false, &budgets);
        assert!(given.iter().all(|one| sizes(one) == [Size::Medium]));
    }

    #[test]
    fn whoever_wants_more_gets_it_at_once() {
        let mut allocator = Allocator::default();
        let now = Instant::now();
        for (wanted, expected) in [(180, Size::Low), (720, Size::High), (360, Size::Medium)] {
            let wanted = demand(Sizes::up_to(wanted), false, 2_000_000);
            let given = allocator.allocate(&BTreeMap::from([(1, wanted)]), now);
            assert_eq!(sizes(&given), [expected]);
        }
    }

    #[test]
    fn a_narrow_path_does_not_spoil_the_picture_of_others() {
        let mut allocator = Allocator::default();
        let demands = BTreeMap::from([
            (1, demand(Sizes::LAYERS, false, 2_000_000)),
            (2, demand(Sizes::LAYERS, false, 150_000)),
        ]);
        let given = allocator.allocate(&demands, Instant::now());
        assert_eq!(sizes(&given), [Size::High]);
        assert_eq!(given.lines[&2].iter().collect::<Vec<_>>(), [Size::Low]);
        assert_eq!(given.encodings[&vp8(Size::High)].bitrate, 2_000_000);
        assert_eq!(given.encodings[&vp8(Size::Low)].bitrate, 150_000);
    }

    #[test]
    fn each_codec_of_a_size_is_encoded_for_those_who_take_it() {
        let taker = Taker {
            vp8: true,
            h264: true,
            ..Taker::default()
        };
        let by_hardware = |budget| Demand {
            coding: Coding::of(taker, true),
            ..demand(Sizes::LAYERS, false, budget)
        };
        let demands = BTreeMap::from([
            (1, by_hardware(2_000_000)),
            (2, demand(Sizes::LAYERS, false, 900_000)),
            (3, by_hardware(1_000_000)),
        ]);
        let given = Allocator::default().allocate(&demands, Instant::now());
        let h264 = Variant {
            size: Size::High,
            codec: SentCodec::H264,
        };
        let rates: Vec<_> = given
            .encodings
            .iter()
            .map(|(it, e)| (*it, e.bitrate))
            .collect();
        assert_eq!(rates, [(vp8(Size::High), 900_000), (h264, 1_000_000)]);
    }

    fn some(bits: u8) -> Sizes {
        let chosen = |size: &Size| bits & 1 << *size as u8 != 0;
        Size::ALL.into_iter().filter(chosen).collect()
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_the_path_carries(
            budgets in proptest::collection::vec((0_u32..6_000_000, any::<bool>(), 0_u8..16), 1..6),
            seconds in 1_u64..8,
        ) {
            let mut allocator = Allocator::default();
            let begin = Instant::now();
            for second in 0..seconds {
                // Budgets turn round, so that every line sees rises and falls.
                let demands: BTreeMap<usize, Demand> = (0..budgets.len()).map(|line| {
                    let (budget, ..) = budgets[(line + second as usize) % budgets.len()];
                    let (_, together, wanted) = budgets[line];
                    (line, demand(some(wanted), together, budget))
                }).collect();
                let given = allocator.allocate(&demands, begin + Duration::from_secs(second));
                for (line, demand) in &demands {
                    let sizes = given.lines[line];
                    prop_assert_eq!(sizes.is_empty(), demand.sizes.is_empty());
                    prop_assert_eq!(sizes.and(demand.sizes), sizes);
                    prop_assert!(demand.together || sizes.iter().count() <= 1);
                    let rate: u32 = sizes.iter().map(|size| given.encodings[&vp8(size)].bitrate).sum();
                    let smallest = sizes.iter().next().map_or(0, |size| rates(size).least);
                    prop_assert!(rate <= demand.budget.max(smallest), "{rate} of {demand:?}");
                }
                for (Variant { size, .. }, encoding) in &given.encodings {
                    prop_assert!(given.lines.values().any(|line| line.contains(*size)));
                    prop_assert!(encoding.bitrate <= rates(*size).most);
                    let rate = encoding.pictures_per_second;
                    prop_assert!(rate == 30 || (rate == 20 && *size == Size::Low));
                }
            }
        }
    }
}
