// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use proptest::prelude::*;

use super::*;
use crate::call::Refusal;

/// A camera with these discrete modes: format, size, rates.
pub(crate) struct Fake(pub Vec<FakeMode>);

/// Format, size, and intervals as fractions of a second.
type FakeMode = (PixelFormat, Size, Vec<(u32, u32)>);

impl Fake {
    fn formats(&self) -> Vec<PixelFormat> {
        let mut formats = Vec::new();
        for (format, ..) in &self.0 {
            if !formats.contains(format) {
                formats.push(*format);
            }
        }
        formats
    }
}

impl Node for Fake {
    fn call(&mut self, call: Call, words: &mut [u32]) -> Result<(), Refusal> {
        let index = words[0] as usize;
        if call == ENUM_FORMATS {
            words[11] = self.formats().get(index).ok_or(Refusal::None)?.code();
            return Ok(());
        }
        let format = PixelFormat::from_code(words[1]);
        let mut of_format = self.0.iter().filter(|(f, ..)| *f == format);
        if call == ENUM_SIZES {
            let (_, size, _) = of_format.nth(index).ok_or(Refusal::None)?;
            words[2..5].copy_from_slice(&[1, size.width, size.height]);
            return Ok(());
        }
        let size = Size::new(words[2], words[3]);
        let (_, _, rates) = of_format
            .find(|(_, s, _)| *s == size)
            .ok_or(Refusal::None)?;
        let (numerator, denominator) = rates.get(index).ok_or(Refusal::None)?;
        words[4..7].copy_from_slice(&[1, *numerator, *denominator]);
        Ok(())
    }
}

/// A driver that answers with whatever stands in a list, for ever.
struct Liar(Vec<u32>, usize);

impl Node for Liar {
    fn call(&mut self, _: Call, words: &mut [u32]) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Err(Refusal::None);
        }
        for word in words.iter_mut() {
            *word = self.0[self.1 % self.0.len()];
            self.1 += 1;
        }
        if self.1.is_multiple_of(7) {
            return Err(Refusal::Other(5));
        }
        Ok(())
    }
}

#[test]
fn a_camera_says_what_it_offers() {
    let mut camera = Fake(vec![
        (
            PixelFormat::Yuyv,
            Size::new(640, 480),
            vec![(1, 30), (1, 15)],
        ),
        (
            PixelFormat::Mjpeg,
            Size::new(1280, 720),
            vec![(1001, 30_000)],
        ),
    ]);
    let offer = Offer::ask(&mut camera);
    assert_eq!(offer.nonsense, []);
    assert_eq!(offer.modes.len(), 2);
    let rates = &offer.modes[0].rates;
    assert_eq!(
        *rates,
        Rates::List(vec![Rate::per_second(30), Rate::per_second(15)])
    );
    assert_eq!(
        rates.closest(Rate::per_second(10)),
        Some(Rate::per_second(15))
    );
    assert_eq!(
        rates.closest(Rate::per_second(60)),
        Some(Rate::per_second(30))
    );
    let ntsc = offer.modes[1].rates.closest(Rate::per_second(30)).unwrap();
    assert_eq!(ntsc.to_string(), "29.97");
}

#[test]
fn nonsense_is_left_out_and_named() {
    let mut camera = Fake(vec![
        (PixelFormat::Yuyv, Size::new(0, 480), vec![(1, 30)]),
        (
            PixelFormat::Yuyv,
            Size::new(640, 480),
            vec![(0, 30), (1, 0), (1, 4000), (1, 25)],
        ),
        (PixelFormat::Mjpeg, Size::new(90_000, 20), vec![]),
    ]);
    let offer = Offer::ask(&mut camera);
    assert_eq!(offer.modes.len(), 1);
    assert_eq!(
        offer.modes[0].rates,
        Rates::List(vec![Rate::per_second(25)])
    );
    let texts: Vec<String> = offer.nonsense.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "offers YUYV in 0x480",
            "offers YUYV in 640x480 with an impossible frame rate",
            "offers MJPEG in 90000x20",
        ]
    );
}

#[test]
fn steps_lead_to_the_closest_size() {
    let sizes = Sizes::Range {
        min: Size::new(32, 16),
        max: Size::new(1900, 1080),
        step: Size::new(16, 8),
    };
    assert_eq!(sizes.closest(Size::new(1280, 720)), Size::new(1280, 720));
    assert_eq!(sizes.closest(Size::new(3840, 2160)), Size::new(1888, 1080));
    assert_eq!(sizes.closest(Size::new(1, 1)), Size::new(32, 16));
}

proptest! {
    #[test]
    fn a_liar_neither_panics_nor_fills_memory(
        words in proptest::collection::vec(
            prop_oneof![Just(0), Just(1), Just(2), Just(u32::MAX), Just(0x5659_5559), any::<u32>()], 0..40,
        ),
    ) {
        let offer = Offer::ask(&mut Liar(words, 0));
        prop_assert!(offer.modes.len() <= (FORMATS * SIZES) as usize);
        prop_assert!(offer.nonsense.len() <= REPORTS);
        for mode in &offer.modes {
            let size = mode.sizes.closest(Size::new(1280, 720));
            prop_assert!(size.width > 0 && size.height > 0);
            let _ = mode.rates.closest(Rate::per_second(30));
        }
    }
}
