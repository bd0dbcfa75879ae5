// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which codec each size of the camera's picture goes out in.

use super::{Size, Sizes};

/// The codec of pictures that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SentCodec {
    /// By the processor.
    Vp8,
    /// By hardware.
    H264,
}

/// A size of the camera's picture in one codec: encoded once, however many connections take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    /// The size.
    pub size: Size,
    /// The codec.
    pub codec: SentCodec,
}

/// What decides about the codec of an m-line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taker {
    /// The peer decodes VP8.
    pub vp8: bool,
    /// The peer decodes H.264: constrained baseline up to level 3.1, packetization mode 1.
    pub h264: bool,
    /// Frames are encrypted between the ends.
    pub encrypted: bool,
    /// The m-line has a name for each of several sizes.
    pub layered: bool,
}

/// The sizes that an m-line is sent, by codec. No size is in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coding {
    vp8: Sizes,
    h264: Sizes,
}

/// What level 3.1 holds, which is negotiated.
const H264: Sizes = Sizes::LAYERS;

impl Coding {
    /// Every size as VP8.
    pub const VP8: Self = Self {
        vp8: Sizes::ALL,
        h264: Sizes::NONE,
    };

    /// What an m-line is sent; `hardware` says whether there is a proven encoder of H.264.
    ///
    /// A server that takes several sizes at the same time gets VP8: it may hand a stream on in one codec
    /// only, and hardware gives it no temporal layers to leave out. So does a connection with
    /// end-to-end encryption: the formats of it want one slice for each picture, which no hardware
    /// promises.
    #[must_use]
    pub fn of(taker: Taker, hardware: bool) -> Self {
        let h264 = if hardware && taker.h264 && !taker.encrypted && !taker.layered {
            H264
        } else {
            Sizes::NONE
        };
        let others = Sizes::ALL.iter().filter(|size| !h264.contains(*size));
        let vp8 = if taker.vp8 {
            others.collect()
        } else {
            Sizes::NONE
        };
        Self { vp8, h264 }
    }

    /// The sizes that are sent at all.
    #[must_use]
    pub const fn sizes(self) -> Sizes {
        self.vp8.or(self.h264)
    }

    /// Whether anything is sent as VP8.
    #[must_use]
    pub const fn has_vp8(self) -> bool {
        !self.vp8.is_empty()
    }

    /// The codec of a size; none where it is not sent.
    #[must_use]
    pub const fn codec(self, size: Size) -> Option<SentCodec> {
        if self.h264.contains(size) {
            Some(SentCodec::H264)
        } else if self.vp8.contains(size) {
            Some(SentCodec::Vp8)
        } else {
            None
        }
    }

    /// Whether this is how its size is sent.
    #[must_use]
    pub fn sends(self, variant: Variant) -> bool {
        self.codec(variant.size) == Some(variant.codec)
    }

    /// These sizes in their codecs.
    pub fn variants(self, sizes: Sizes) -> impl Iterator<Item = Variant> {
        let variant = move |size| {
            let codec = self.codec(size)?;
            Some(Variant { size, codec })
        };
        sizes.iter().filter_map(variant)
    }

    /// The sizes that have another codec, or none, in the other one.
    #[must_use]
    pub fn differing(self, other: Self) -> Sizes {
        let differs = |size: &Size| self.codec(*size) != other.codec(*size);
        Sizes::ALL.iter().filter(differs).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taker(vp8: bool, h264: bool, encrypted: bool, layered: bool) -> Taker {
        Taker {
            vp8,
            h264,
            encrypted,
            layered,
        }
    }

    /// What each size goes out in, the smallest first.
    fn codecs(taker: Taker, hardware: bool) -> [Option<SentCodec>; 4] {
        let coding = Coding::of(taker, hardware);
        let codecs = Size::ALL.map(|size| coding.codec(size));
        let sent = Size::ALL.into_iter().zip(codecs);
        let sent: Sizes = sent.filter_map(|(size, it)| it.map(|_| size)).collect();
        assert_eq!(coding.sizes(), sent);
        codecs
    }

    #[test]
    fn h264_needs_hardware_a_peer_that_takes_it_one_picture_and_no_encryption() {
        let (vp8, h264) = (Some(SentCodec::Vp8), Some(SentCodec::H264));
        for bits in 0..32_u8 {
            let bit = |n: u8| bits >> n & 1 == 1;
            let (takes_vp8, takes_h264, encrypted, layered) = (bit(0), bit(1), bit(2), bit(3));
            let hardware = bit(4);
            let by_hardware = hardware && takes_h264 && !encrypted && !layered;
            let expected = match (by_hardware, takes_vp8) {
                // 1920x1080 is beyond the level that is negotiated.
                (true, true) => [h264, h264, h264, vp8],
                (true, false) => [h264, h264, h264, None],
                (false, true) => [vp8; 4],
                (false, false) => [None; 4],
            };
            let taker = taker(takes_vp8, takes_h264, encrypted, layered);
            assert_eq!(codecs(taker, hardware), expected, "{taker:?} {hardware}");
        }
    }

    #[test]
    fn what_differs_is_what_changes_its_codec() {
        let both = Coding::of(taker(true, true, false, false), true);
        assert_eq!(both.differing(Coding::VP8), Sizes::LAYERS);
        assert_eq!(both.differing(both), Sizes::NONE);
        let only = Coding::of(taker(false, true, false, false), true);
        assert_eq!(
            both.differing(only).iter().collect::<Vec<_>>(),
            [Size::Full]
        );
    }

    #[test]
    fn variants_are_the_sizes_in_their_codecs() {
        let both = Coding::of(taker(true, true, false, false), true);
        let wanted = [Size::High, Size::Full].into_iter().collect();
        let variants: Vec<_> = both.variants(wanted).collect();
        let variant = |size, codec| Variant { size, codec };
        assert_eq!(
            variants,
            [
                variant(Size::High, SentCodec::H264),
                variant(Size::Full, SentCodec::Vp8)
            ]
        );
        assert!(variants.iter().all(|variant| both.sends(*variant)));
        assert!(!both.sends(variant(Size::High, SentCodec::Vp8)));
    }
}
