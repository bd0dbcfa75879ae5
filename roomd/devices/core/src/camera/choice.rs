// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Which of a camera's modes is taken, and why.
//!
//! In this order: it moves (15 frames a second and more), it has the wanted size or one from which it
//! is made by scaling down, it has the wanted rate, and what remains costs least: NV12 is rearranged in
//! its chroma alone, YUYV in all, MJPEG is decoded, H.264 is decoded later than the rest.

use std::cmp::Reverse;
use std::fmt;

use roomd_model::Language;

use super::formats::{Mode, Offer, PixelFormat, Rate, Size};

/// Below this a picture is a row of stills.
const MOVING: Rate = Rate::per_second(15);

/// What the room would like to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The size of what is sent.
    pub size: Size,
    /// Its frame rate.
    pub rate: Rate,
    /// What the camera's USB connection carries, in Mbit/s, where known.
    pub usb_speed: Option<u32>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            size: Size::new(1280, 720),
            rate: Rate::per_second(30),
            usb_speed: None,
        }
    }
}

/// How a chosen size relates to the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SizeFit {
    /// The same.
    Exact,
    /// Larger in both directions: it is scaled down.
    Larger,
    /// Smaller in one direction or both.
    Smaller,
}

/// How a chosen rate relates to the wanted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateFit {
    /// At least the wanted one.
    Met,
    /// The camera does not say.
    Unknown,
    /// Fewer frames.
    Below,
}

/// What was taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// How pixels are coded.
    pub format: PixelFormat,
    /// The size.
    pub size: Size,
    /// The frame rate, where the camera says it.
    pub rate: Option<Rate>,
    /// How the size fits.
    pub size_fit: SizeFit,
    /// How the rate fits.
    pub rate_fit: RateFit,
    /// What could not be taken although the camera offers it.
    pub left_out: Vec<LeftOut>,
}

/// A mode that cannot be taken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How pixels are coded.
    pub format: PixelFormat,
    /// The size.
    pub size: Size,
    /// Why.
    pub because: Because,
}

/// Why a mode cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The room does not read this format.
    Format,
    /// The camera promises more than its USB connection carries, both in Mbit/s.
    Bus {
        /// What the pictures need.
        needs: u32,
        /// What the connection carries.
        carries: u32,
    },
    /// No picture fits into memory, or none is left of it.
    Size,
}

/// A camera has nothing that the room can take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the camera offers no format that the room reads; it needs NV12, YUYV, MJPEG or H.264")]
pub struct NoChoice {
    /// What it offers.
    pub left_out: Vec<LeftOut>,
}

/// Chooses.
///
/// # Errors
///
/// There is nothing that the room can take.
pub fn choose(offer: &Offer, wanted: &Wanted) -> Result<Choice, NoChoice> {
    let mut left_out = Vec::new();
    let mut best: Option<(_, Choice)> = None;
    for mode in &offer.modes {
        let choice = consider(mode, wanted);
        if let Some(because) = obstacle(&choice, wanted) {
            left_out.push(LeftOut {
                format: choice.format,
                size: choice.size,
                because,
            });
            continue;
        }
        let rank = rank(&choice, wanted);
        if best.as_ref().is_none_or(|(other, _)| rank < *other) {
            best = Some((rank, choice));
        }
    }
    match best {
        Some((_, choice)) => Ok(Choice { left_out, ..choice }),
        None => Err(NoChoice { left_out }),
    }
}

fn consider(mode: &Mode, wanted: &Wanted) -> Choice {
    let size = mode.sizes.closest(wanted.size);
    let rate = mode.rates.closest(wanted.rate);
    let size_fit = if size == wanted.size {
        SizeFit::Exact
    } else if size.width >= wanted.size.width && size.height >= wanted.size.height {
        SizeFit::Larger
    } else {
        SizeFit::Smaller
    };
    let rate_fit = match rate {
        // 29.97 frames are as good as 30.
        Some(rate) if rate.0.saturating_add(rate.0 / 100) >= wanted.rate.0 => RateFit::Met,
        Some(_) => RateFit::Below,
        None => RateFit::Unknown,
    };
    Choice {
        format: mode.format,
        size,
        rate,
        size_fit,
        rate_fit,
        left_out: Vec::new(),
    }
}

fn obstacle(choice: &Choice, wanted: &Wanted) -> Option<Because> {
    if matches!(choice.format, PixelFormat::Other(_)) {
        return Some(Because::Format);
    }
    if choice.size.width > 8192 || choice.size.height > 8192 || choice.size.pixels() == 0 {
        return Some(Because::Size);
    }
    let carries = isochronous(wanted.usb_speed?);
    let rate = choice.rate.unwrap_or(MOVING);
    let bits = u64::from(choice.format.bits_per_pixel()?) * choice.size.pixels();
    let needs = bits.saturating_mul(u64::from(rate.0)) / 1_000_000_000;
    let needs = u32::try_from(needs).unwrap_or(u32::MAX);
    (needs > carries).then_some(Because::Bus { needs, carries })
}

/// What a USB connection carries as pictures, in Mbit/s: three packets of 1024 bytes in each eighth of
/// a millisecond at high speed, eight tenths of the line beyond it (USB 2.0, section 5.6.4).
const fn isochronous(speed: u32) -> u32 {
    match speed {
        0..=12 => 8,
        13..=480 => 196,
        _ => speed / 10 * 8,
    }
}

fn rank(choice: &Choice, wanted: &Wanted) -> impl PartialOrd + use<> {
    let still = choice.rate.is_some_and(|rate| rate < MOVING);
    let distance = match choice.size_fit {
        SizeFit::Exact => 0,
        SizeFit::Larger => choice.size.pixels(),
        SizeFit::Smaller => u64::MAX - choice.size.pixels(),
    };
    // A size of another shape loses its edges.
    let shape = u64::from(choice.size.width) * u64::from(wanted.size.height)
        != u64::from(choice.size.height) * u64::from(wanted.size.width);
    let shortfall = match choice.rate_fit {
        RateFit::Met | RateFit::Unknown => Reverse(wanted.rate),
        RateFit::Below => Reverse(choice.rate.unwrap_or(Rate(0))),
    };
    let surplus = choice.rate.unwrap_or(Rate(0));
    let fit = (choice.size_fit, shape, distance);
    (
        still,
        fit,
        choice.rate_fit,
        shortfall,
        choice.format,
        surplus,
    )
}

impl Choice {
    /// What was taken and why, in one or two sentences for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = match language {
            Language::De => self.german(&mut text),
            Language::En => self.english(&mut text),
        };
        text
    }

    fn english(&self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "{} in {}", self.format, self.size)?;
        match self.rate {
            Some(rate) => write!(f, " with {rate} frames a second")?,
            None => write!(f, " at a rate that the camera does not say")?,
        }
        f.write_str(match self.size_fit {
            SizeFit::Exact => ": the wanted size",
            SizeFit::Larger => ": the next larger size, scaled down",
            SizeFit::Smaller => ": the largest size that it has",
        })?;
        f.write_str(match self.rate_fit {
            RateFit::Met | RateFit::Unknown => "",
            RateFit::Below => ", fewer frames than wanted",
        })?;
        f.write_str(match self.format {
            PixelFormat::Nv12 | PixelFormat::Yuyv => "; rearranged, not decoded.",
            PixelFormat::Mjpeg => "; decoded, as it offers no such mode uncompressed.",
            PixelFormat::H264 | PixelFormat::Other(_) => "; decoded, as it offers nothing else.",
        })?;
        for out in self.left_out.iter().take(3) {
            write!(f, " {} in {}: ", out.format, out.size)?;
            match out.because {
                Because::Format => write!(f, "not read by the room.")?,
                Because::Size => write!(f, "no usable size.")?,
                Because::Bus { needs, carries } => write!(
                    f,
                    "promises {needs} Mbit/s, its USB connection carries {carries}."
                )?,
            }
        }
        Ok(())
    }

    fn german(&self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "{} in {}", self.format, self.size)?;
        match self.rate {
            Some(rate) => write!(f, " mit {rate} Bildern je Sekunde")?,
            None => write!(f, " mit einer Bildrate, die die Kamera nicht nennt")?,
        }
        f.write_str(match self.size_fit {
            SizeFit::Exact => ": die gewünschte Größe",
            SizeFit::Larger => ": die nächstgrößere, verkleinert",
            SizeFit::Smaller => ": die größte, die sie hat",
        })?;
        f.write_str(match self.rate_fit {
            RateFit::Met | RateFit::Unknown => "",
            RateFit::Below => ", weniger Bilder als gewünscht",
        })?;
        f.write_str(match self.format {
            PixelFormat::Nv12 | PixelFormat::Yuyv => "; umgeordnet, nicht dekodiert.",
            PixelFormat::Mjpeg => "; dekodiert, weil sie das unkomprimiert nicht anbietet.",
            PixelFormat::H264 | PixelFormat::Other(_) => "; dekodiert, weil sie nichts sonst hat.",
        })?;
        for out in self.left_out.iter().take(3) {
            write!(f, " {} in {}: ", out.format, out.size)?;
            match out.because {
                Because::Format => write!(f, "liest der Raum nicht.")?,
                Because::Size => write!(f, "keine brauchbare Größe.")?,
                Because::Bus { needs, carries } => write!(
                    f,
                    "verspricht {needs} Mbit/s, der USB-Anschluss trägt {carries}."
                )?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::formats::tests::Fake;
    use super::*;

    const HD: Size = Size::new(1280, 720);
    const VGA: Size = Size::new(640, 480);
    const FULL: Size = Size::new(1920, 1080);

    fn chosen(modes: &[(PixelFormat, Size, u32)], usb_speed: Option<u32>) -> Choice {
        let modes = modes.iter().map(|(f, s, rate)| (*f, *s, vec![(1, *rate)]));
        let offer = Offer::ask(&mut Fake(modes.collect()));
        let wanted = Wanted {
            usb_speed,
            ..Wanted::default()
        };
        choose(&offer, &wanted).unwrap()
    }

    #[test]
    fn the_best_mode_wins() {
        use PixelFormat::{H264, Mjpeg, Nv12, Yuyv};
        let check = |modes: &[(PixelFormat, Size, u32)], format, size, rate| {
            let choice = chosen(modes, Some(480));
            let got = (choice.format, choice.size, choice.rate);
            assert_eq!(
                got,
                (format, size, Some(Rate::per_second(rate))),
                "{modes:?}"
            );
        };
        // The usual camera: raw is slow in the wanted size.
        check(
            &[(Yuyv, HD, 10), (Yuyv, VGA, 30), (Mjpeg, HD, 30)],
            Mjpeg,
            HD,
            30,
        );
        // Without MJPEG: rather small and moving than large and still.
        check(&[(Yuyv, HD, 10), (Yuyv, VGA, 30)], Yuyv, VGA, 30);
        check(&[(Nv12, HD, 17), (Yuyv, VGA, 30)], Nv12, HD, 17);
        // Larger is scaled down, and the next larger is enough.
        let larger = [
            (Mjpeg, VGA, 30),
            (Mjpeg, Size::new(3840, 2160), 30),
            (Mjpeg, FULL, 30),
        ];
        check(&larger, Mjpeg, FULL, 30);
        // The cheapest of equals.
        check(&[(H264, HD, 30), (Mjpeg, HD, 30)], Mjpeg, HD, 30);
        let choice = chosen(
            &[(Mjpeg, HD, 30), (Yuyv, HD, 30), (Nv12, HD, 30)],
            Some(5000),
        );
        assert_eq!(choice.format, Nv12);
        check(&[(H264, HD, 30)], H264, HD, 30);
    }

    #[test]
    fn a_promise_that_the_connection_cannot_keep_is_left_out() {
        let modes = [(PixelFormat::Yuyv, HD, 30), (PixelFormat::Mjpeg, HD, 30)];
        let choice = chosen(&modes, Some(480));
        assert_eq!(choice.format, PixelFormat::Mjpeg);
        assert_eq!(
            choice.text(Language::En),
            "MJPEG in 1280x720 with 30 frames a second: the wanted size; decoded, as it offers no \
             such mode uncompressed. YUYV in 1280x720: promises 442 Mbit/s, its USB connection \
             carries 196."
        );
        assert!(choice.text(Language::De).contains("verspricht 442 Mbit/s"));
        assert_eq!(chosen(&modes, None).format, PixelFormat::Yuyv);
    }

    #[test]
    fn nothing_to_read_is_said() {
        let odd = PixelFormat::Other(*b"ab\0\xff");
        let offer = Offer::ask(&mut Fake(vec![(odd, HD, vec![(1, 30)])]));
        let error = choose(&offer, &Wanted::default()).unwrap_err();
        assert_eq!(error.left_out[0].because, Because::Format);
        assert_eq!(error.left_out[0].format.to_string(), "ab\\x00\\xff");
        assert!(choose(&Offer::default(), &Wanted::default()).is_err());
    }
}
