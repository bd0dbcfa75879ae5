// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How the bar misbehaves.

use serde::Serialize;

/// What the camera does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CameraFault {
    /// Nothing.
    #[default]
    None,
    /// It sends no more pictures, without a word.
    Stall,
    /// Every picture ends in its middle.
    Torn,
    /// Pictures have half the height that was agreed.
    Lying,
    /// It does not begin to send.
    Refusing,
}

/// What the microphones do wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundFault {
    /// Nothing.
    #[default]
    None,
    /// They send no more samples, without a word.
    Stall,
    /// They hear nothing.
    Silent,
}

/// Everything that is wrong at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Of the camera.
    pub camera: CameraFault,
    /// Of the microphones.
    pub microphone: SoundFault,
    /// Whether requests of the classes are answered with a stall.
    pub control: bool,
}

impl Faults {
    /// Reads `camera=torn` and the like; `none` ends a fault.
    ///
    /// # Errors
    /// What is known, when this is not.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        match text {
            "none" => *self = Self::default(),
            "camera=none" => self.camera = CameraFault::None,
            "camera=stall" => self.camera = CameraFault::Stall,
            "camera=torn" => self.camera = CameraFault::Torn,
            "camera=lying" => self.camera = CameraFault::Lying,
            "camera=refusing" => self.camera = CameraFault::Refusing,
            "microphone=none" => self.microphone = SoundFault::None,
            "microphone=stall" => self.microphone = SoundFault::Stall,
            "microphone=silent" => self.microphone = SoundFault::Silent,
            "control=none" => self.control = false,
            "control=stall" => self.control = true,
            _ => {
                return Err(format!(
                    "`{text}` is no fault: none, camera=none|stall|torn|lying|refusing, \
                     microphone=none|stall|silent, control=none|stall"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_and_go() {
        let mut faults = Faults::default();
        faults.set("camera=torn").unwrap();
        faults.set("control=stall").unwrap();
        assert_eq!((faults.camera, faults.control), (CameraFault::Torn, true));
        faults.set("none").unwrap();
        assert_eq!(faults, Faults::default());
        assert!(faults.set("camera=on-fire").is_err());
    }
}
