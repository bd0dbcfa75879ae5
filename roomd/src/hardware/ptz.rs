// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where a camera looks: by its own controls, or over VISCA in the network where it has none.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use roomd_devices::camera::{self, CameraError};
use roomd_devices::core::camera::controls::{Control, Controls, WrongValue};
use roomd_devices::core::camera::presets::{Preset, PresetError};
use roomd_devices::core::health::Trouble;
use roomd_devices::core::visca::Model;
use roomd_devices::visca::{self, Command, ViscaConfig, ViscaHandle};

/// A step of a camera's movement is this part of its whole way.
const STEPS: i64 = 40;

/// How a camera is pointed.
#[derive(Clone, Debug)]
pub enum Ptz {
    /// By what its node has.
    Own(PathBuf, Controls),
    /// Over the network.
    Visca(ViscaHandle, Controls),
}

/// A camera does not look where it should.
#[derive(Debug, thiserror::Error)]
pub enum PtzError {
    /// Its node refuses.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// Nothing of a position fits.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// It does not answer in the network.
    #[error("the camera does not answer over VISCA; check its cable, power and address")]
    Unreachable,
}

impl Ptz {
    /// A camera with this address, which need not be there.
    pub fn visca(address: SocketAddr) -> Self {
        let model = Model::default();
        Self::Visca(
            visca::spawn(ViscaConfig { address, model }),
            model.controls(),
        )
    }

    /// Whether it can be pointed, or zoomed, this way.
    pub fn has(&self, control: Control) -> bool {
        let (Self::Own(_, controls) | Self::Visca(_, controls)) = self;
        let range = controls.ranges.get(&control);
        range.is_some_and(|range| range.writable && range.min < range.max)
    }

    /// What is wrong with the way to it.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Own(..) => None,
            Self::Visca(handle, _) => handle.state.borrow().camera.trouble,
        }
    }

    /// Where it looks, and how.
    pub async fn current(&self) -> Result<BTreeMap<Control, i32>, PtzError> {
        match self {
            Self::Own(node, controls) => Ok(camera::current(node, controls).await?),
            Self::Visca(handle, _) => {
                let state = handle.state.borrow().camera;
                match state.trouble {
                    Some(_) => Err(PtzError::Unreachable),
                    None => Ok(state.values()),
                }
            }
        }
    }

    /// Turns and zooms by steps: right, up, closer.
    pub async fn turn(&self, steps: [i8; 3]) -> Result<(), PtzError> {
        let present = self.current().await?;
        let (Self::Own(_, controls) | Self::Visca(_, controls)) = self;
        let values = turned(&present, controls, steps);
        match self {
            Self::Own(node, controls) => Ok(set(node, controls, &values).await?),
            Self::Visca(..) => {
                let name = "turn".to_owned();
                self.recall(&Preset { name, values }).await
            }
        }
    }

    /// Brings it to a saved position; what it does not have is left out.
    pub async fn recall(&self, preset: &Preset) -> Result<(), PtzError> {
        let left_out: Vec<WrongValue> = match self {
            Self::Own(node, controls) => camera::recall(node, controls, preset).await?.left_out,
            Self::Visca(handle, controls) => {
                let recall = preset.recall(controls)?;
                if self.trouble().is_some() {
                    return Err(PtzError::Unreachable);
                }
                let asked = handle.commands.try_send(Command::Recall(preset.clone()));
                asked.map_err(|_| PtzError::Unreachable)?;
                recall.left_out
            }
        };
        for left in left_out {
            tracing::info!("left out of a position: {left}");
        }
        Ok(())
    }
}

async fn set(
    node: &Path,
    controls: &Controls,
    values: &BTreeMap<Control, i32>,
) -> Result<(), CameraError> {
    for (control, value) in values {
        camera::set(node, controls, *control, *value).await?;
    }
    Ok(())
}

/// Where it looks after so many steps, within its bounds. What it does not have stays out.
fn turned(
    present: &BTreeMap<Control, i32>,
    controls: &Controls,
    steps: [i8; 3],
) -> BTreeMap<Control, i32> {
    let turned = [Control::Pan, Control::Tilt, Control::Zoom]
        .into_iter()
        .zip(steps)
        .filter(|(_, steps)| *steps != 0);
    let values = turned.filter_map(|(control, steps)| {
        let range = controls.ranges.get(&control)?;
        let (min, max) = (i64::from(range.min), i64::from(range.max));
        let step = ((max - min) / STEPS).max(range.step.into()).max(1);
        let from = present.get(&control).copied().unwrap_or(range.default);
        let to = (i64::from(from) + i64::from(steps) * step).clamp(min, max);
        Some((control, i32::try_from(to).unwrap_or(from)))
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_within_the_bounds() {
        let controls = Model::default().controls();
        let zoom = controls.ranges[&Control::Zoom].max;
        let present = BTreeMap::from([(Control::Pan, 170 * 3600), (Control::Zoom, 0)]);
        let moved = turned(&present, &controls, [3, 0, 1]);
        assert_eq!(
            moved,
            BTreeMap::from([(Control::Pan, 170 * 3600), (Control::Zoom, zoom / 40)])
        );
        let back = turned(&present, &controls, [-1, 0, 0]);
        assert_eq!(back[&Control::Pan], 170 * 3600 - 340 * 3600 / 40);
        assert!(turned(&present, &Controls::default(), [1, 1, 1]).is_empty());
    }

    #[tokio::test]
    async fn a_camera_that_does_not_answer_is_unreachable() {
        let address = "127.0.0.1:9".parse().unwrap();
        let ptz = Ptz::visca(address);
        assert!(ptz.has(Control::Pan) && ptz.has(Control::Zoom));
        assert_eq!(ptz.trouble(), Some(Trouble::Missing));
        let turned = ptz.turn([1, 0, 0]).await;
        assert!(matches!(turned, Err(PtzError::Unreachable)));
    }
}
