// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where tiles go. Pictures are never scaled: a tile is 1280x720 or 640x360, whatever the number.

use roomd_media_core::scene::{HEIGHT, Rect, WIDTH};

/// A large tile.
pub const LARGE: (u32, u32) = (1280, 720);
/// A small tile.
pub const SMALL: (u32, u32) = (640, 360);
/// The most small tiles beside a large one.
pub const BESIDE_LARGE: usize = 5;
/// The most small tiles on their own.
pub const GRID: usize = 9;

const GAP: u32 = 24;

/// The places of tiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The large one.
    pub large: Option<Rect>,
    /// The small ones, most important first.
    pub small: Vec<Rect>,
    /// The place of a small tile that no tile takes, for a card.
    pub spare: Option<Rect>,
}

/// Up to nine small tiles; more than nine are not placed.
#[must_use]
pub fn grid(count: usize) -> Places {
    let count = count.min(GRID);
    let columns = match count {
        0..=2 => count,
        3 | 4 => 2,
        _ => 3,
    };
    if columns == 0 {
        return Places::default();
    }
    let rows = count.div_ceil(columns);
    let gap = |of: usize| if of < 3 { GAP } else { 0 };
    let top = centred(HEIGHT, SMALL.1, gap(rows), rows);
    let small = (0..count)
        .map(|at| {
            let (row, column) = (at / columns, at % columns);
            let in_row = columns.min(count - row * columns);
            let left = centred(WIDTH, SMALL.0, gap(columns), in_row);
            Rect {
                x: left + number(column) * (SMALL.0 + gap(columns)),
                y: top + number(row) * (SMALL.1 + gap(rows)),
                width: SMALL.0,
                height: SMALL.1,
            }
        })
        .collect();
    Places {
        small,
        ..Places::default()
    }
}

/// A large tile with up to five small ones beside and below it; more are not placed.
#[must_use]
pub fn beside_large(count: usize) -> Places {
    let small = |x, y| Rect {
        x,
        y,
        width: SMALL.0,
        height: SMALL.1,
    };
    let large = |x, y| Rect {
        x,
        y,
        width: LARGE.0,
        height: LARGE.1,
    };
    let (right, middle) = (LARGE.0, (HEIGHT - LARGE.1) / 2);
    match count {
        0 => Places {
            large: Some(large((WIDTH - LARGE.0) / 2, middle)),
            ..Places::default()
        },
        1 => Places {
            large: Some(large(0, middle)),
            small: vec![small(right, middle + SMALL.1)],
            spare: Some(small(right, middle)),
        },
        2 => Places {
            large: Some(large(0, middle)),
            small: vec![small(right, middle), small(right, middle + SMALL.1)],
            spare: None,
        },
        3 => Places {
            large: Some(large(0, middle)),
            small: vec![
                small(right, 0),
                small(right, SMALL.1),
                small(right, LARGE.1),
            ],
            spare: None,
        },
        more => Places {
            large: Some(large(0, 0)),
            small: [
                small(right, 0),
                small(right, SMALL.1),
                small(0, LARGE.1),
                small(SMALL.0, LARGE.1),
                small(right, LARGE.1),
            ]
            .into_iter()
            // The corner belongs to the last one, so four leave out the place before it.
            .enumerate()
            .filter(|(at, _)| more >= BESIDE_LARGE || *at != 3)
            .map(|(_, rect)| rect)
            .collect(),
            spare: (more < BESIDE_LARGE).then(|| small(SMALL.0, LARGE.1)),
        },
    }
}

fn centred(whole: u32, part: u32, gap: u32, count: usize) -> u32 {
    let count = number(count);
    let used = count * part + count.saturating_sub(1) * gap;
    whole.saturating_sub(used) / 2 / 2 * 2
}

fn number(small: usize) -> u32 {
    u32::try_from(small).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_keep_their_size_and_never_overlap() {
        for count in 0..=40 {
            check(&grid(count), count.min(GRID));
            check(&beside_large(count), count.min(BESIDE_LARGE));
        }
    }

    #[test]
    fn nine_fill_the_screen_and_so_do_one_and_five() {
        let area = |places: &Places| -> u32 {
            let all = places.small.iter().chain(&places.large);
            all.map(|rect| rect.width * rect.height).sum()
        };
        assert_eq!(area(&grid(9)), WIDTH * HEIGHT);
        assert_eq!(area(&beside_large(5)), WIDTH * HEIGHT);
    }

    #[test]
    fn an_incomplete_last_row_is_centred() {
        let xs = |count| -> Vec<u32> { grid(count).small.iter().map(|rect| rect.x).collect() };
        assert_eq!(xs(3), [308, 972, 640]);
        assert_eq!(xs(5), [0, 640, 1280, 320, 960]);
        assert_eq!(xs(7), [0, 640, 1280, 0, 640, 1280, 640]);
    }

    fn check(places: &Places, small: usize) {
        assert_eq!(places.small.len(), small);
        for rect in &places.small {
            assert_eq!((rect.width, rect.height), SMALL);
        }
        if let Some(rect) = places.large {
            assert_eq!((rect.width, rect.height), LARGE);
        }
        let all: Vec<Rect> = places
            .small
            .iter()
            .chain(&places.large)
            .chain(&places.spare)
            .copied()
            .collect();
        for (at, a) in all.iter().enumerate() {
            assert!(a.x % 2 == 0 && a.y % 2 == 0, "{a:?}");
            assert!(a.x + a.width <= WIDTH && a.y + a.height <= HEIGHT, "{a:?}");
            for b in &all[at + 1..] {
                let apart = a.x + a.width <= b.x
                    || b.x + b.width <= a.x
                    || a.y + a.height <= b.y
                    || b.y + b.height <= a.y;
                assert!(apart, "{a:?} over {b:?}");
            }
        }
    }
}
