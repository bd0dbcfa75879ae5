// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Parts of a camera's picture as words, and why one is not adjusted: with what this camera has.

use roomd_api::{Camera, CameraAdjustment, CameraAdjusts, CameraSetting, Refusal};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{Error, explain};

/// The part of a picture with this name.
pub(super) fn setting(name: String) -> Result<CameraSetting, Error> {
    named(name).ok_or_else(|| {
        Error::BadRequest(
            "A part of a camera's picture is one of focus, exposure, white-balance and backlight."
                .to_owned(),
        )
    })
}

/// Who sees to it.
pub(super) fn adjustment(name: String) -> Result<CameraAdjustment, Error> {
    named(name).ok_or_else(|| {
        Error::BadRequest("A picture is adjusted automatic, manual or once.".to_owned())
    })
}

fn named<T: DeserializeOwned>(name: String) -> Option<T> {
    serde_json::from_value(Value::String(name)).ok()
}

/// Why a camera is not adjusted.
pub(super) fn refused(
    refusal: Refusal,
    cameras: &[Camera],
    camera: &str,
    setting: CameraSetting,
) -> Error {
    let found = cameras.iter().find(|it| it.name == camera);
    let adjusts = found.map_or(&[][..], |it| &it.adjusts);
    let has = adjusts.iter().find(|it| it.setting == setting);
    let name = word(setting);
    match (refusal, has) {
        (Refusal::CameraValue, Some(has)) => {
            Error::CameraValue(format!("The {name} of “{camera}” takes {}.", ways(has)))
        }
        (Refusal::CameraCannot, Some(has)) => Error::CameraCannot(format!(
            "The {name} of “{camera}” cannot be adjusted like this; it takes {}.",
            ways(has)
        )),
        (Refusal::CameraCannot, None) => {
            let others: Vec<&str> = adjusts.iter().map(|it| word(it.setting)).collect();
            let others = if others.is_empty() {
                "nothing to adjust".to_owned()
            } else {
                format!("only {}", others.join(", "))
            };
            Error::CameraCannot(format!(
                "“{camera}” has no {name} to adjust; it has {others}."
            ))
        }
        (other, _) => explain(other),
    }
}

fn ways(has: &CameraAdjusts) -> String {
    let mut ways = Vec::new();
    if has.automatic.is_some() {
        ways.extend(["automatic".to_owned(), "manual".to_owned()]);
    }
    if has.once {
        ways.push("once".to_owned());
    }
    if let Some(range) = has.range {
        let step = match range.step {
            1 => String::new(),
            step => format!(" in steps of {step}"),
        };
        ways.push(format!("values from {} to {}{step}", range.min, range.max));
    }
    ways.join(", ")
}

const fn word(setting: CameraSetting) -> &'static str {
    match setting {
        CameraSetting::Focus => "focus",
        CameraSetting::Exposure => "exposure",
        CameraSetting::WhiteBalance => "white balance",
        CameraSetting::Backlight => "backlight compensation",
    }
}

#[cfg(test)]
mod tests {
    use roomd_api::CameraRange;

    use super::*;

    #[test]
    fn a_refusal_names_what_this_camera_has() {
        let focus = CameraAdjusts {
            setting: CameraSetting::Focus,
            automatic: Some(true),
            once: false,
            value: Some(30),
            range: Some(CameraRange {
                min: 0,
                max: 250,
                step: 5,
                default: 0,
            }),
        };
        let cameras = [Camera {
            name: "Front".to_owned(),
            present: true,
            active: true,
            moves: false,
            zooms: false,
            adjusts: vec![focus],
            presets: Vec::new(),
        }];
        let check = |refusal, setting, expected: &str| {
            let text = match refused(refusal, &cameras, "Front", setting) {
                Error::CameraValue(text) | Error::CameraCannot(text) => text,
                other => format!("{other:?}"),
            };
            assert_eq!(text, expected);
        };
        check(
            Refusal::CameraValue,
            CameraSetting::Focus,
            "The focus of “Front” takes automatic, manual, values from 0 to 250 in steps of 5.",
        );
        check(
            Refusal::CameraCannot,
            CameraSetting::Focus,
            "The focus of “Front” cannot be adjusted like this; it takes automatic, manual, values \
             from 0 to 250 in steps of 5.",
        );
        check(
            Refusal::CameraCannot,
            CameraSetting::WhiteBalance,
            "“Front” has no white balance to adjust; it has only focus.",
        );
    }

    #[test]
    fn names_are_those_of_the_api() {
        let white = setting("white-balance".to_owned());
        assert!(matches!(white, Ok(CameraSetting::WhiteBalance)));
        assert!(matches!(
            adjustment("once".to_owned()),
            Ok(CameraAdjustment::Once)
        ));
        assert!(setting("Focus".to_owned()).is_err() && adjustment(String::new()).is_err());
    }
}
