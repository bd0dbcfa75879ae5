// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Cameras over V4L2: what they offer, and their controls.
//!
//! Nothing here streams: a camera's lamp stays dark, and the engine opens it for pictures. Each call
//! opens the node and closes it again, so that an unplugged camera leaves nothing open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use roomd_devices_core::call::Refusal;
use roomd_devices_core::camera::adjust;
use roomd_devices_core::camera::choice::{Choice, NoChoice, Wanted, choose};
use roomd_devices_core::camera::controls::{self, Control, Controls, Mains, WrongValue};
use roomd_devices_core::camera::formats::Offer;
use roomd_devices_core::camera::presets::{Preset, PresetError, Recall};
use roomd_devices_core::content::timings::is_receiver;

use crate::kernel::{DeviceFile, refusal};

/// What a camera has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// What it offers, and what of it cannot be.
    pub offer: Offer,
    /// What the room takes of it.
    pub choice: Result<Choice, NoChoice>,
    /// What can be set.
    pub controls: Controls,
    /// The present values of what people adjust.
    pub picture: BTreeMap<Control, i32>,
    /// It is no camera but receives what others send, such as HDMI.
    pub receiver: bool,
}

/// A camera does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// It cannot be opened.
    #[error("cannot open the camera {0}; check its cable, and that the room's user may open it")]
    Open(PathBuf, #[source] io::Error),
    /// It refused a value that it should have.
    #[error("the camera {0} refused `{1}`: {2:?}")]
    Refused(PathBuf, Control, Refusal),
    /// It does not have this value.
    #[error(transparent)]
    Value(#[from] WrongValue),
    /// Nothing of a preset fits.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The question was not answered before the daemon ended.
    #[error("the camera was not asked: the daemon is ending")]
    Ending,
}

impl CameraError {
    /// Whether the camera is in use by another program.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Open(_, error) => refusal(error) == Refusal::Busy,
            Self::Refused(_, _, refusal) => *refusal == Refusal::Busy,
            Self::Value(_) | Self::Preset(_) | Self::Ending => false,
        }
    }
}

/// Asks a camera what it offers, chooses, tells it the frequency of the mains, and adjusts it as it was
/// before: without power a camera forgets that.
///
/// # Errors
///
/// It cannot be opened.
pub async fn survey(
    path: &Path,
    wanted: Wanted,
    mains: Mains,
    kept: BTreeMap<Control, i32>,
) -> Result<Survey, CameraError> {
    with(path, move |node, path| {
        let offer = Offer::ask(node);
        let controls = Controls::ask(node);
        if let Some((control, value)) = controls.at_opening(mains)
            && let Err(refusal) = controls::set(node, control, value)
        {
            // Flicker is no reason to have no camera.
            tracing::warn!(?path, %control, ?refusal, "the camera refused");
        }
        if !kept.is_empty() {
            readjust(node, path, &controls, kept);
        }
        Ok(Survey {
            receiver: is_receiver(node),
            choice: choose(&offer, &wanted),
            picture: adjust::present(node, &controls),
            offer,
            controls,
        })
    })
    .await
}

/// What of it the camera does not take is no reason to have no camera.
fn readjust(
    node: &mut DeviceFile,
    path: &Path,
    controls: &Controls,
    values: BTreeMap<Control, i32>,
) {
    let name = "as it was".to_owned();
    let recall = match (Preset { name, values }).recall(controls) {
        Ok(recall) => recall,
        Err(error) => {
            tracing::info!(?path, "the camera is not adjusted: {error}");
            return;
        }
    };
    for left_out in recall.left_out {
        tracing::info!(?path, "left out of how a camera was adjusted: {left_out}");
    }
    for (control, value) in recall.set {
        if let Err(refusal) = controls::set(node, control, value) {
            tracing::warn!(?path, %control, value, ?refusal, "the camera refused");
        }
    }
}

/// Adjusts a camera by what [`adjust::plan`] says; returns the values that it then has.
///
/// # Errors
///
/// The camera cannot be opened, or refuses.
pub async fn adjust(
    path: &Path,
    controls: &Controls,
    plan: Vec<(Control, i32)>,
) -> Result<BTreeMap<Control, i32>, CameraError> {
    let controls = controls.clone();
    with(path, move |node, path| {
        for (control, value) in plan {
            let refused = |refusal| CameraError::Refused(path.to_owned(), control, refusal);
            controls::set(node, control, value).map_err(refused)?;
        }
        Ok(adjust::present(node, &controls))
    })
    .await
}

/// The present values of what people adjust.
///
/// # Errors
///
/// The camera cannot be opened.
pub async fn picture(
    path: &Path,
    controls: &Controls,
) -> Result<BTreeMap<Control, i32>, CameraError> {
    adjust(path, controls, Vec::new()).await
}

/// Sets a control; returns the value that was set, the closest step to the wanted one.
///
/// # Errors
///
/// The camera cannot be opened, has no such value, or refuses.
pub async fn set(
    path: &Path,
    controls: &Controls,
    control: Control,
    value: i32,
) -> Result<i32, CameraError> {
    let value = controls.check(control, value)?;
    with(path, move |node, path| {
        let refused = |refusal| CameraError::Refused(path.to_owned(), control, refusal);
        controls::set(node, control, value).map_err(refused)?;
        Ok(value)
    })
    .await
}

/// The present values that a preset keeps.
///
/// # Errors
///
/// The camera cannot be opened.
pub async fn current(
    path: &Path,
    controls: &Controls,
) -> Result<BTreeMap<Control, i32>, CameraError> {
    let controls = controls.clone();
    with(path, move |node, _| Ok(controls::current(node, &controls))).await
}

/// Recalls a preset; returns what was set and what this camera does not have.
///
/// # Errors
///
/// The camera cannot be opened, nothing fits, or it refuses.
pub async fn recall(
    path: &Path,
    controls: &Controls,
    preset: &Preset,
) -> Result<Recall, CameraError> {
    let recall = preset.recall(controls)?;
    with(path, move |node, path| {
        for (control, value) in &recall.set {
            let refused = |refusal| CameraError::Refused(path.to_owned(), *control, refusal);
            controls::set(node, *control, *value).map_err(refused)?;
        }
        Ok(recall)
    })
    .await
}

/// Drivers wait for the device: not on the runtime's own threads.
async fn with<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&mut DeviceFile, &Path) -> Result<T, CameraError> + Send + 'static,
) -> Result<T, CameraError> {
    let path = path.to_owned();
    let work = move || {
        let open = |error| CameraError::Open(path.clone(), error);
        let mut node = DeviceFile::open_nonblocking(&path).map_err(open)?;
        work(&mut node, &path)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(CameraError::Ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_camera_and_no_real_one_are_told_apart() {
        let survey_of = |path| {
            let kept = BTreeMap::from([(Control::Focus, 30)]);
            survey(Path::new(path), Wanted::default(), Mains::default(), kept)
        };
        let error = survey_of("/dev/no-such-video").await.unwrap_err();
        assert!(matches!(error, CameraError::Open(..)), "{error}");
        assert!(!error.is_busy());
        // A node that answers nothing offers nothing.
        let survey = survey_of("/dev/null").await.unwrap();
        assert_eq!(survey.offer, Offer::default());
        assert!(survey.choice.is_err());
        let path = Path::new("/dev/null");
        let error = set(path, &survey.controls, Control::Pan, 0)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "this camera has no control `pan`");
        assert_eq!(survey.picture, BTreeMap::new());
        let plan = vec![(Control::Focus, 30)];
        let error = adjust(path, &survey.controls, plan).await.unwrap_err();
        assert!(matches!(
            error,
            CameraError::Refused(_, Control::Focus, Refusal::None)
        ));
    }
}
