// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Where a camera looks and how its picture is adjusted: by its own controls, or over VISCA in the network
//! where it has none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use roomd_config::NamedVisca;
use roomd_devices::camera::{self, CameraError};
use roomd_devices::core::camera::adjust::{self, AdjustError, Adjustable, Adjustment, Setting};
use roomd_devices::core::camera::controls::{Control, Controls};
use roomd_devices::core::camera::presets::{Preset, PresetError, Recall};
use roomd_devices::core::health::Trouble;
use roomd_devices::core::visca::{Model, once};
use roomd_devices::visca::{self, Command, ViscaConfig, ViscaHandle};

/// A step of a camera's movement is this part of its whole way.
const STEPS: i64 = 40;

/// How a camera is pointed and adjusted.
#[derive(Clone, Debug)]
pub enum Ptz {
    /// By what its node has.
    Own(Own),
    /// Over the network.
    Visca(ViscaHandle, Model),
}

/// A camera's node.
#[derive(Clone, Debug)]
pub struct Own {
    /// How it is opened.
    pub node: PathBuf,
    /// What can be set.
    pub controls: Controls,
    /// The values of its picture when they were read last.
    pub picture: BTreeMap<Control, i32>,
}

/// What was set, and the values that a camera's picture then has.
#[derive(Debug)]
pub struct Adjusted {
    /// What was set.
    pub set: Vec<(Control, i32)>,
    /// The picture's values. Over the network the camera tells them later.
    pub picture: BTreeMap<Control, i32>,
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
    /// It cannot be adjusted like this.
    #[error(transparent)]
    Adjust(#[from] AdjustError),
    /// It does not answer in the network.
    #[error("the camera does not answer over VISCA; check its cable, power and address")]
    Unreachable,
}

impl Ptz {
    /// A camera with this address, which need not be there, and whose picture is to be like this.
    pub fn visca(visca: NamedVisca, kept: BTreeMap<Control, i32>) -> Self {
        let model = Model::default();
        let config = ViscaConfig {
            address: visca.address,
            protocol: visca.protocol,
            model,
        };
        let ptz = Self::Visca(visca::spawn(config), model);
        ptz.keep(kept);
        ptz
    }

    fn controls(&self) -> Cow<'_, Controls> {
        match self {
            Self::Own(own) => Cow::Borrowed(&own.controls),
            Self::Visca(handle, model) => {
                Cow::Owned(model.controls(&handle.state.borrow().camera.picture))
            }
        }
    }

    /// Whether it can be pointed, or zoomed, this way.
    pub fn has(&self, control: Control) -> bool {
        let controls = self.controls();
        let range = controls.ranges.get(&control);
        range.is_some_and(|range| range.writable && range.min < range.max)
    }

    /// What of its picture can be adjusted.
    pub fn adjustable(&self) -> Vec<Adjustable> {
        match self {
            Self::Own(own) => adjust::adjustable(&own.controls, &own.picture, &[]),
            Self::Visca(handle, model) => {
                let picture = handle.state.borrow().camera.picture;
                let controls = model.controls(&picture);
                adjust::adjustable(&controls, &picture.values(), &picture.once())
            }
        }
    }

    /// What is wrong with the way to it.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Own(_) => None,
            Self::Visca(handle, _) => handle.state.borrow().camera.trouble,
        }
    }

    /// Where it looks, and how.
    pub async fn current(&self) -> Result<BTreeMap<Control, i32>, PtzError> {
        match self {
            Self::Own(own) => Ok(camera::current(&own.node, &own.controls).await?),
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
        let values = turned(&present, &self.controls(), steps);
        match self {
            Self::Own(own) => Ok(set(&own.node, &own.controls, &values).await?),
            Self::Visca(handle, _) => {
                let name = "turn".to_owned();
                self.plan(handle, &Preset { name, values })?;
                Ok(())
            }
        }
    }

    /// Brings it to a saved position; what it does not have is left out.
    pub async fn recall(&self, preset: &Preset) -> Result<Adjusted, PtzError> {
        let (recall, picture) = match self {
            Self::Own(own) => {
                let recall = camera::recall(&own.node, &own.controls, preset).await?;
                (recall, camera::picture(&own.node, &own.controls).await?)
            }
            Self::Visca(handle, _) => (self.plan(handle, preset)?, BTreeMap::new()),
        };
        for left in recall.left_out {
            tracing::info!("left out of a position: {left}");
        }
        let set = recall.set;
        Ok(Adjusted { set, picture })
    }

    /// Adjusts its picture.
    pub async fn adjust(
        &self,
        setting: Setting,
        adjustment: Adjustment,
    ) -> Result<Adjusted, PtzError> {
        if let (Self::Visca(handle, _), Adjustment::Once) = (self, adjustment) {
            return self.adjust_once(handle, setting);
        }
        let set = adjust::plan(&self.controls(), setting, adjustment)?;
        let picture = match self {
            Self::Own(own) => camera::adjust(&own.node, &own.controls, set.clone()).await?,
            Self::Visca(handle, _) => {
                let (name, values) = ("adjusted".to_owned(), set.iter().copied().collect());
                self.plan(handle, &Preset { name, values })?;
                BTreeMap::new()
            }
        };
        Ok(Adjusted { set, picture })
    }

    fn adjust_once(&self, handle: &ViscaHandle, setting: Setting) -> Result<Adjusted, PtzError> {
        let picture = handle.state.borrow().camera.picture;
        let has = picture.once().contains(&setting);
        let requests = once(setting).filter(|_| has);
        for request in requests.ok_or(AdjustError::NoOnce(setting))? {
            self.ask(handle, Command::Do(request))?;
        }
        let (set, picture) = (Vec::new(), BTreeMap::new());
        Ok(Adjusted { set, picture })
    }

    /// Asks a camera in the network for everything of a position that it has.
    fn plan(&self, handle: &ViscaHandle, preset: &Preset) -> Result<Recall, PtzError> {
        let recall = preset.recall(&self.controls())?;
        self.ask(handle, Command::Recall(preset.clone()))?;
        Ok(recall)
    }

    fn ask(&self, handle: &ViscaHandle, command: Command) -> Result<(), PtzError> {
        if self.trouble().is_some() {
            return Err(PtzError::Unreachable);
        }
        let asked = handle.commands.try_send(command);
        asked.map_err(|_| PtzError::Unreachable)
    }

    /// How its picture is to be when it is back. A camera on a cable is told so when it is asked what it
    /// has.
    pub fn keep(&self, kept: BTreeMap<Control, i32>) {
        if let Self::Visca(handle, _) = self
            && handle.commands.try_send(Command::Keep(kept)).is_err()
        {
            tracing::warn!("a camera in the network is too busy to hear how it is adjusted");
        }
    }

    /// Waits until something changed of what is shown of it: its picture, or the way to it. Never for a
    /// camera on a cable.
    pub async fn changed(&mut self) {
        let Self::Visca(handle, _) = self else {
            return std::future::pending().await;
        };
        let shown = |state: &visca::CameraState| (state.camera.trouble, state.camera.picture);
        let before = shown(&handle.state.borrow_and_update());
        let changed = handle.state.wait_for(|state| shown(state) != before);
        let is_gone = changed.await.is_err();
        if is_gone {
            std::future::pending().await
        }
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
    use roomd_devices::core::visca::{Picture, Protocol};

    use super::*;

    #[test]
    fn steps_stay_within_the_bounds() {
        let controls = Model::default().controls(&Picture::default());
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
        let nobody = NamedVisca {
            address: "127.0.0.1:9".parse().unwrap(),
            protocol: Protocol::Sony,
        };
        let ptz = Ptz::visca(nobody, BTreeMap::new());
        assert!(ptz.has(Control::Pan) && ptz.has(Control::Zoom));
        assert_eq!(ptz.trouble(), Some(Trouble::Missing));
        let turned = ptz.turn([1, 0, 0]).await;
        assert!(matches!(turned, Err(PtzError::Unreachable)));
        // What it has is not known, so that nothing is offered.
        assert_eq!(ptz.adjustable(), []);
        for adjustment in [Adjustment::Automatic, Adjustment::Once] {
            let adjusted = ptz.adjust(Setting::Focus, adjustment).await;
            assert!(matches!(adjusted, Err(PtzError::Adjust(_))), "{adjusted:?}");
        }
    }
}
