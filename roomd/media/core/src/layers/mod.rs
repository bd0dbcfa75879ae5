// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The sizes in which the camera's picture is sent: which of them are encoded, how well, and which
//! of them goes out on which m-line; and how well shared content is.
//!
//! Each size is encoded once for each codec, however many connections take it, and only while one
//! does. A narrow
//! path loses the largest size first and pictures a second last. Content is the other way round: its
//! text stays sharp and its pictures become fewer.

mod allocate;
mod coding;
mod content;
mod outlet;
mod pace;

pub use allocate::{Allocation, Allocator, Demand};
pub use coding::{Coding, SentCodec, Taker, Variant};
pub use content::content;
pub use outlet::Outlet;
pub use pace::Pace;
pub use roomd_model::{PictureSize as Size, PictureSizes as Sizes};

/// How pictures are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// In bit/s.
    pub bitrate: u32,
    /// At the most.
    pub pictures_per_second: u32,
}

/// What a size takes, in bit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rates {
    /// Below, a smaller size looks better.
    least: u32,
    /// Above, nobody sees a difference.
    most: u32,
}

const fn rates(size: Size) -> Rates {
    let (least, most) = match size {
        Size::Low => (50_000, 200_000),
        Size::Medium => (200_000, 700_000),
        Size::High => (500_000, 2_500_000),
        Size::Full => (2_000_000, 4_500_000),
    };
    Rates { least, most }
}
