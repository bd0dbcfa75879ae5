// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! In which size a camera is asked for pictures.

use std::collections::BTreeMap;
use std::path::Path;

use roomd_config::CameraSize;
use roomd_devices::camera::{self, CameraError, Survey};
use roomd_devices::core::camera::choice::{Choice, RateFit, SizeFit, Wanted};
use roomd_devices::core::camera::controls::{Control, Mains};
use roomd_devices::core::camera::formats::Size;
use roomd_devices::core::camera::pick::There;
use roomd_model::PictureSize;

/// How cameras are opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// What lamps flicker with.
    pub mains: Mains,
    /// The largest picture that the room may send.
    pub largest: PictureSize,
}

/// Encoding 1920x1080 takes a processor of the small devices in use for the most part, and taking it
/// and making it smaller a good deal of another one; calls need the rest.
const PROCESSORS: usize = 4;

/// The largest size of the camera's picture on a machine with so many processors.
pub const fn largest(setting: CameraSize, processors: usize) -> PictureSize {
    match setting {
        CameraSize::Lines1080 => PictureSize::Full,
        CameraSize::Auto if processors >= PROCESSORS => PictureSize::Full,
        CameraSize::Auto | CameraSize::Lines720 => PictureSize::High,
    }
}

/// Asks a camera what it offers, and chooses: the usual size unless it gives the largest one as it is
/// and fluently. What was adjusted of its picture before is set again.
pub async fn survey(
    there: &There,
    opening: Opening,
    kept: BTreeMap<Control, i32>,
) -> Result<Survey, CameraError> {
    let ask = async |size: PictureSize| {
        let (width, height) = size.pixels();
        let wanted = Wanted {
            size: Size::new(width, height),
            usb_speed: there.usb_speed,
            ..Wanted::default()
        };
        camera::survey(Path::new(&there.node), wanted, opening.mains, kept.clone()).await
    };
    if opening.largest > PictureSize::High {
        let survey = ask(opening.largest).await?;
        if survey.choice.as_ref().is_ok_and(is_met) {
            return Ok(survey);
        }
    }
    ask(PictureSize::High).await
}

fn is_met(choice: &Choice) -> bool {
    choice.size_fit == SizeFit::Exact && choice.rate_fit == RateFit::Met
}

#[cfg(test)]
mod tests {
    use roomd_devices::core::camera::formats::{PixelFormat, Rate};

    use super::*;

    #[test]
    fn small_machines_send_the_usual_size() {
        for (setting, processors, expected) in [
            (CameraSize::Auto, 2, PictureSize::High),
            (CameraSize::Auto, 4, PictureSize::Full),
            (CameraSize::Lines720, 64, PictureSize::High),
            (CameraSize::Lines1080, 1, PictureSize::Full),
        ] {
            assert_eq!(largest(setting, processors), expected, "{setting:?}");
        }
    }

    #[test]
    fn a_large_picture_that_is_slow_or_made_smaller_is_not_taken() {
        let choice = |size_fit, rate_fit| Choice {
            format: PixelFormat::Mjpeg,
            size: Size::new(1920, 1080),
            rate: Some(Rate::per_second(30)),
            size_fit,
            rate_fit,
            left_out: Vec::new(),
        };
        assert!(is_met(&choice(SizeFit::Exact, RateFit::Met)));
        assert!(!is_met(&choice(SizeFit::Exact, RateFit::Below)));
        assert!(!is_met(&choice(SizeFit::Exact, RateFit::Unknown)));
        assert!(!is_met(&choice(SizeFit::Larger, RateFit::Met)));
        assert!(!is_met(&choice(SizeFit::Smaller, RateFit::Met)));
    }
}
