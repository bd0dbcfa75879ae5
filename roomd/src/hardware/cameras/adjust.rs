// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! How a camera's picture is adjusted: focus, exposure, white balance, light from behind. What was set is
//! kept under the camera's key, and set again when it is back.

use roomd_api::{CameraAdjusts, CameraRange, CameraSetting, Reply};
use roomd_devices::core::camera::adjust::{Adjustable, Adjustment, Setting, forget, keep};
use roomd_devices::core::identity::DeviceId;
use tokio::sync::oneshot;

use super::{Cameras, News, answer, key, refuse};
use crate::hardware::ptz::Adjusted;

/// A camera was adjusted, or brought to a position that adjusted it.
#[derive(Debug)]
pub struct AdjustedNews {
    /// Which.
    id: DeviceId,
    /// Its name.
    name: String,
    /// Its key in the store.
    key: String,
    /// What was set.
    adjusted: Adjusted,
    /// What the camera itself has seen to, and knows best.
    once: Option<Setting>,
    /// Who waits for it.
    reply: oneshot::Sender<Reply>,
}

impl Cameras {
    /// Adjusts a camera's picture.
    pub fn adjust(
        &self,
        name: &str,
        setting: CameraSetting,
        adjustment: Adjustment,
        reply: oneshot::Sender<Reply>,
    ) {
        let setting = setting_of(setting);
        let (ptz, id, key) = match self.there(name) {
            Ok((camera, there)) => (
                self.ptz(camera, there),
                there.id.clone(),
                key(camera, there),
            ),
            Err(refusal) => return refuse(reply, refusal),
        };
        let (name, news) = (name.to_owned(), self.news.clone());
        tokio::spawn(async move {
            let adjusted = match ptz.adjust(setting, adjustment).await {
                Ok(adjusted) => adjusted,
                Err(error) => return answer(reply, Err(error)),
            };
            let adjusted = AdjustedNews {
                id,
                name,
                key,
                adjusted,
                once: (adjustment == Adjustment::Once).then_some(setting),
                reply,
            };
            // Nobody is left to tell when the daemon ends.
            let _ = news.send(News::Adjusted(Box::new(adjusted))).await;
        });
    }

    /// Brings a camera to a saved position.
    pub fn recall(&self, name: &str, preset: &str, reply: oneshot::Sender<Reply>) {
        let found = self.there(name).and_then(|(camera, there)| {
            let key = key(camera, there);
            let preset = self.store.find(&key, preset);
            let preset = preset.map_err(|error| super::refusal(&error))?;
            Ok((self.ptz(camera, there), preset, there.id.clone(), key))
        });
        let (ptz, preset, id, key) = match found {
            Ok(found) => found,
            Err(refusal) => return refuse(reply, refusal),
        };
        let (name, news) = (name.to_owned(), self.news.clone());
        tokio::spawn(async move {
            let adjusted = match ptz.recall(&preset).await {
                Ok(adjusted) => adjusted,
                Err(error) => return answer(reply, Err(error)),
            };
            let adjusted = AdjustedNews {
                id,
                name,
                key,
                adjusted,
                once: None,
                reply,
            };
            // Nobody is left to tell when the daemon ends.
            let _ = news.send(News::Adjusted(Box::new(adjusted))).await;
        });
    }

    /// Takes how a camera was adjusted, and keeps it.
    pub fn adjusted(&mut self, news: AdjustedNews) {
        let mut kept = self.store.picture(&news.key);
        keep(&mut kept, &news.adjusted.set);
        if let Some(setting) = news.once {
            forget(&mut kept, setting);
        }
        if let Some(ptz) = self.visca.get(&news.name) {
            ptz.keep(kept.clone());
        }
        self.store.keep_picture(&news.key, kept);
        if let Some(known) = self.known.get_mut(&news.id) {
            known.picture = news.adjusted.picture;
        }
        answer(news.reply, Ok(()));
    }
}

const fn setting_of(setting: CameraSetting) -> Setting {
    match setting {
        CameraSetting::Focus => Setting::Focus,
        CameraSetting::Exposure => Setting::Exposure,
        CameraSetting::WhiteBalance => Setting::WhiteBalance,
        CameraSetting::Backlight => Setting::Backlight,
    }
}

/// As a panel shows it.
pub(super) fn shown(adjustable: &Adjustable) -> CameraAdjusts {
    CameraAdjusts {
        setting: match adjustable.setting {
            Setting::Focus => CameraSetting::Focus,
            Setting::Exposure => CameraSetting::Exposure,
            Setting::WhiteBalance => CameraSetting::WhiteBalance,
            Setting::Backlight => CameraSetting::Backlight,
        },
        automatic: adjustable.automatic,
        once: adjustable.once,
        value: adjustable.value,
        range: adjustable.bounds.map(|bounds| CameraRange {
            min: bounds.min,
            max: bounds.max,
            step: bounds.step,
            default: bounds.default,
        }),
    }
}
