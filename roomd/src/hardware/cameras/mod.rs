// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! The room's cameras: which is in use and how it is opened, where they look, how they are adjusted, and
//! what is kept of that. What a camera is asked goes on beside the hardware task, which never waits for a device.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use roomd_api::{Camera, Refusal, Reply};
use roomd_devices::camera::{CameraError, Survey};
use roomd_devices::core::camera::adjust::AdjustError;
use roomd_devices::core::camera::choice::Choice;
use roomd_devices::core::camera::controls::{Control, Controls};
use roomd_devices::core::camera::formats::PixelFormat;
use roomd_devices::core::camera::pick::{self, RoomCamera, There};
use roomd_devices::core::camera::presets::PresetError;
use roomd_devices::core::device::Kind;
use roomd_devices::core::health::Trouble;
use roomd_devices::core::identity::DeviceId;
use roomd_devices::core::inventory::Entry;
use roomd_media::{CameraFormat, CameraMode, CameraSource, Engine};
use roomd_model::Language;
use tokio::sync::{mpsc, oneshot};

use super::presets::PresetStore;
use super::ptz::{Own, Ptz, PtzError};
use super::survey::{self, Opening};

mod adjust;

use self::adjust::AdjustedNews;

/// News of a camera that was asked something.
#[derive(Debug)]
pub enum News {
    /// What it offers; the number tells which time it was plugged in.
    Surveyed(DeviceId, u64, Result<Survey, CameraError>),
    /// A camera was adjusted.
    Adjusted(Box<AdjustedNews>),
    /// A camera in the network says something else of itself.
    Says,
    /// A position to keep.
    Position {
        /// The camera's key in the store.
        key: String,
        /// The name to keep it under.
        preset: String,
        /// Its values.
        values: BTreeMap<Control, i32>,
        /// What it shows.
        thumbnail: Option<Vec<u8>>,
        /// Who waits for it.
        reply: oneshot::Sender<Reply>,
    },
}

/// What is known about a camera that was asked.
#[derive(Debug)]
struct Known {
    choice: Option<Choice>,
    controls: Controls,
    picture: BTreeMap<Control, i32>,
    trouble: Option<Trouble>,
    detail: Option<String>,
}

/// All cameras of the room.
#[derive(Debug)]
pub struct Cameras {
    named: Vec<String>,
    opening: Opening,
    /// What a person chose.
    chosen: Option<String>,
    list: Vec<RoomCamera>,
    known: BTreeMap<DeviceId, Known>,
    asked: BTreeMap<DeviceId, u64>,
    /// Those that did not answer, and are asked again.
    failed: BTreeSet<DeviceId>,
    /// The camera that the engine was told to use.
    active: Option<DeviceId>,
    told: Option<CameraSource>,
    /// Cameras that are pointed over the network, by their names.
    visca: BTreeMap<String, Ptz>,
    store: PresetStore,
    /// What is no camera, as it receives what others send.
    receivers: BTreeSet<DeviceId>,
    /// Something is there that the engine might take for a camera.
    captures: bool,
    /// A camera was in use.
    used: bool,
    news: mpsc::Sender<News>,
}

impl Cameras {
    /// Cameras with the names of the configuration, in its order.
    pub fn new(
        named: Vec<String>,
        opening: Opening,
        visca: BTreeMap<String, Ptz>,
        store: PresetStore,
        news: mpsc::Sender<News>,
    ) -> Self {
        for ptz in visca.values() {
            tokio::spawn(listen(ptz.clone(), news.clone()));
        }
        Self {
            visca,
            named,
            opening,
            chosen: None,
            list: Vec::new(),
            known: BTreeMap::new(),
            asked: BTreeMap::new(),
            failed: BTreeSet::new(),
            active: None,
            told: None,
            store,
            receivers: BTreeSet::new(),
            captures: false,
            used: false,
            news,
        }
    }

    /// Takes what is plugged in; returns what the engine should use from now on, when that is new.
    pub fn refresh(&mut self, entries: &[Entry]) -> Option<CameraSource> {
        self.list = pick::cameras(entries.iter(), &self.named);
        self.captures = entries.iter().any(captures);
        let failed = std::mem::take(&mut self.failed);
        for camera in &self.list {
            let Some(there) = &camera.there else { continue };
            let is_new = self.asked.get(&there.id) != Some(&there.arrivals);
            if is_new || failed.contains(&there.id) {
                self.asked.insert(there.id.clone(), there.arrivals);
                self.survey(there.clone(), self.store.picture(&key(camera, there)));
            }
        }
        let there = |id: &DeviceId| self.list.iter().any(|camera| camera.is(id));
        self.known.retain(|id, _| there(id));
        self.asked.retain(|id, _| there(id));
        self.receivers.retain(|id| there(id));
        pick::leave_out(&mut self.list, &self.receivers);
        self.follow()
    }

    /// Whether a camera is there that did not answer: [`Self::refresh`] asks it again.
    pub fn is_failing(&self) -> bool {
        !self.failed.is_empty()
    }

    fn survey(&self, there: There, kept: BTreeMap<Control, i32>) {
        let (opening, news) = (self.opening, self.news.clone());
        tokio::spawn(async move {
            let survey = survey::survey(&there, opening, kept).await;
            // Nobody is left to tell when the daemon ends.
            let _ = news
                .send(News::Surveyed(there.id, there.arrivals, survey))
                .await;
        });
    }

    /// Takes what a camera said; returns what the engine should use from now on, when that is new.
    pub fn surveyed(
        &mut self,
        id: DeviceId,
        arrivals: u64,
        survey: Result<Survey, CameraError>,
    ) -> Option<CameraSource> {
        if self.asked.get(&id) != Some(&arrivals) {
            // It was unplugged meanwhile, and will be asked again.
            return None;
        }
        let known = match survey {
            Ok(survey) if survey.receiver => {
                self.receivers.insert(id.clone());
                pick::leave_out(&mut self.list, &self.receivers);
                known(survey)
            }
            Ok(survey) => known(survey),
            Err(error) => {
                let trouble = if error.is_busy() {
                    Trouble::InUse
                } else {
                    Trouble::Stalled
                };
                let detail = format!("{:#}", anyhow::Error::new(error));
                let before = self.known.get(&id).and_then(|it| it.detail.as_ref());
                if before != Some(&detail) {
                    tracing::warn!(%id, "a camera does not answer: {detail}");
                }
                self.failed.insert(id.clone());
                Known {
                    choice: None,
                    controls: Controls::default(),
                    picture: BTreeMap::new(),
                    trouble: Some(trouble),
                    detail: Some(detail),
                }
            }
        };
        if let Some(choice) = &known.choice {
            tracing::info!(%id, "camera: {}", choice.text(Language::En));
        }
        self.known.insert(id, known);
        self.follow()
    }

    fn follow(&mut self) -> Option<CameraSource> {
        let picked = pick::pick(&self.list, self.chosen.as_deref(), self.active.as_ref());
        let there = picked.and_then(|camera| camera.there.clone());
        let source = match &there {
            Some(there) => {
                // Until it has said what it offers, what was used before goes on; but the engine does
                // not look for a camera itself, as what it finds may be an input for content.
                let known = match self.known.get(&there.id) {
                    Some(known) => known,
                    None if self.told.is_some() => return None,
                    None => {
                        self.told = Some(CameraSource::None);
                        return self.told.clone();
                    }
                };
                let node = PathBuf::from(&there.node);
                match known.choice.as_ref().and_then(mode) {
                    Some(mode) => CameraSource::Chosen(node, mode),
                    None => CameraSource::Device(node),
                }
            }
            None if self.used => CameraSource::None,
            None if self.captures || self.told.is_some() => CameraSource::TestPicture,
            // A room that never had one goes on as it was set up.
            None => return None,
        };
        self.used |= there.is_some();
        self.active = there.map(|there| there.id);
        (self.told.as_ref() != Some(&source)).then(|| {
            self.told = Some(source.clone());
            source
        })
    }

    /// Uses another camera.
    pub fn select(&mut self, name: &str) -> Result<Option<CameraSource>, Refusal> {
        self.there(name)?;
        self.chosen = Some(name.to_owned());
        Ok(self.follow())
    }

    /// The name of the camera in use.
    pub fn active(&self) -> Option<&str> {
        let id = self.active.as_ref()?;
        let camera = self.list.iter().find(|camera| camera.is(id))?;
        Some(&camera.name)
    }

    fn there(&self, name: &str) -> Result<(&RoomCamera, &There), Refusal> {
        let camera = self.list.iter().find(|camera| camera.name == name);
        let camera = camera.ok_or(Refusal::CameraUnknown)?;
        let there = camera.there.as_ref().ok_or(Refusal::CameraUnknown)?;
        Ok((camera, there))
    }

    /// How a camera is pointed and adjusted.
    fn ptz(&self, camera: &RoomCamera, there: &There) -> Ptz {
        if let Some(visca) = self.visca.get(&camera.name) {
            return visca.clone();
        }
        let known = self.known.get(&there.id);
        let known = known.map(|known| (known.controls.clone(), known.picture.clone()));
        let (controls, picture) = known.unwrap_or_default();
        Ptz::Own(Own {
            node: PathBuf::from(&there.node),
            controls,
            picture,
        })
    }

    /// Turns and zooms a camera by steps.
    pub fn turn(&self, name: &str, steps: [i8; 3], reply: oneshot::Sender<Reply>) {
        let ptz = match self.there(name) {
            Ok((camera, there)) => self.ptz(camera, there),
            Err(refusal) => return refuse(reply, refusal),
        };
        tokio::spawn(async move { answer(reply, ptz.turn(steps).await) });
    }

    /// Saves where a camera looks. The picture beside the name is what it shows, while it is open.
    pub fn save(&self, name: &str, preset: String, engine: Engine, reply: oneshot::Sender<Reply>) {
        let (ptz, key) = match self.there(name) {
            Ok((camera, there)) => (self.ptz(camera, there), key(camera, there)),
            Err(refusal) => return refuse(reply, refusal),
        };
        let shows = self.active() == Some(name);
        let news = self.news.clone();
        tokio::spawn(async move {
            let values = match ptz.current().await {
                Ok(values) => values,
                Err(error) => return answer(reply, Err(error)),
            };
            let thumbnail = if shows {
                engine.camera_thumbnail().await.ok().flatten()
            } else {
                None
            };
            let position = News::Position {
                key,
                preset,
                values,
                thumbnail,
                reply,
            };
            // Nobody is left to tell when the daemon ends.
            let _ = news.send(position).await;
        });
    }

    /// Keeps a position.
    pub fn keep(
        &mut self,
        key: &str,
        preset: &str,
        values: BTreeMap<Control, i32>,
        thumbnail: Option<&[u8]>,
        reply: oneshot::Sender<Reply>,
    ) {
        match self.store.save(key, preset, values, thumbnail) {
            Ok(()) => answer(reply, Ok(())),
            Err(error) => refuse(reply, refusal(&error)),
        }
    }

    /// Deletes a saved position.
    pub fn delete(&mut self, name: &str, preset: &str) -> Result<(), Refusal> {
        let (camera, there) = self.there(name)?;
        let key = key(camera, there);
        let deleted = self.store.delete(&key, preset);
        deleted.map_err(|error| refusal(&error))
    }

    /// The cameras as a panel shows them.
    pub fn shown(&self) -> Vec<Camera> {
        let shown = self.list.iter().map(|camera| {
            let there = camera.there.as_ref();
            let ptz = there.map(|there| self.ptz(camera, there));
            let sets = |control| ptz.as_ref().is_some_and(|ptz| ptz.has(control));
            Camera {
                name: camera.name.clone(),
                present: there.is_some(),
                active: self.active.is_some() && there.map(|it| &it.id) == self.active.as_ref(),
                moves: sets(Control::Pan) || sets(Control::Tilt),
                zooms: sets(Control::Zoom),
                adjusts: ptz.as_ref().map_or_else(Vec::new, |ptz| {
                    ptz.adjustable().iter().map(adjust::shown).collect()
                }),
                presets: there.map_or_else(Vec::new, |there| self.store.shown(&key(camera, there))),
            }
        });
        shown.collect()
    }

    /// What is wrong with each, and a detail; the flag tells the one in use.
    pub fn troubles(
        &self,
    ) -> impl Iterator<Item = (&RoomCamera, bool, Option<Trouble>, Option<&str>)> {
        self.list.iter().map(|camera| {
            let Some(there) = &camera.there else {
                return (camera, false, Some(Trouble::Missing), None);
            };
            let known = self.known.get(&there.id);
            let detail = known.and_then(|known| known.detail.as_deref());
            let active = self.active.as_ref() == Some(&there.id);
            let way = self.visca.get(&camera.name).and_then(Ptz::trouble);
            let trouble = known.and_then(|known| known.trouble);
            // Without the way to turn it, it still shows the room.
            let trouble = trouble.or_else(|| way.map(|_| Trouble::Disobeys));
            (camera, active, trouble, detail)
        })
    }
}

/// Tells when a camera in the network has something else to show.
async fn listen(mut ptz: Ptz, news: mpsc::Sender<News>) {
    loop {
        ptz.changed().await;
        if news.send(News::Says).await.is_err() {
            return;
        }
    }
}

fn captures(entry: &Entry) -> bool {
    entry.usable && entry.device.kind == Kind::Camera
}

fn known(survey: Survey) -> Known {
    let nonsense = survey.offer.nonsense.first();
    let (trouble, detail) = match (&survey.choice, nonsense) {
        (Err(error), _) => (Some(Trouble::NoFormat), Some(error.to_string())),
        (Ok(_), Some(nonsense)) => (Some(Trouble::Nonsense), Some(nonsense.to_string())),
        (Ok(choice), None) => (None, Some(choice.text(Language::En))),
    };
    Known {
        choice: survey.choice.ok(),
        controls: survey.controls,
        picture: survey.picture,
        trouble,
        detail,
    }
}

/// The engine's word for what was chosen.
fn mode(choice: &Choice) -> Option<CameraMode> {
    let format = match choice.format {
        PixelFormat::Mjpeg => CameraFormat::Mjpeg,
        PixelFormat::Nv12 => CameraFormat::Nv12,
        PixelFormat::Yuyv => CameraFormat::Yuyv,
        PixelFormat::H264 => CameraFormat::H264,
        PixelFormat::Other(_) => return None,
    };
    Some(CameraMode {
        format,
        width: choice.size.width,
        height: choice.size.height,
        rate: choice.rate.map(|rate| rate.0),
    })
}

/// Under which name positions are kept: a camera keeps them in another port, and one that the
/// configuration names keeps them when it is replaced.
fn key(camera: &RoomCamera, there: &There) -> String {
    if camera.configured {
        return camera.name.clone();
    }
    match (there.id.model(), there.id.serial()) {
        (Some(model), Some(serial)) => format!("usb:{model}/{serial}"),
        (_, _) => there.id.to_string(),
    }
}

const fn refusal(error: &PresetError) -> Refusal {
    match error {
        PresetError::Name => Refusal::PresetName,
        PresetError::TooMany => Refusal::PresetsFull,
        PresetError::Unknown(_) => Refusal::PresetUnknown,
        PresetError::NothingFits(_) => Refusal::CameraRefused,
    }
}

fn refuse(reply: oneshot::Sender<Reply>, refusal: Refusal) {
    // Whoever asked may be gone.
    let _ = reply.send(Reply::Refused { refusal });
}

fn answer(reply: oneshot::Sender<Reply>, done: Result<(), PtzError>) {
    match done {
        Ok(()) => {
            // Whoever asked may be gone.
            let _ = reply.send(Reply::Accepted);
        }
        Err(error) => {
            let refusal = match &error {
                PtzError::Adjust(AdjustError::Value(_)) => Refusal::CameraValue,
                PtzError::Adjust(_) => Refusal::CameraCannot,
                PtzError::Camera(_) | PtzError::Preset(_) | PtzError::Unreachable => {
                    Refusal::CameraRefused
                }
            };
            let error = anyhow::Error::new(error);
            tracing::warn!("a camera did not do as it was told: {error:#}");
            refuse(reply, refusal);
        }
    }
}

#[cfg(test)]
mod tests {
    use roomd_devices::core::camera::controls::Mains;
    use roomd_model::PictureSize;

    use super::super::bench::entries;
    use super::*;

    #[tokio::test]
    async fn a_camera_that_did_not_answer_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let (news, mut heard) = mpsc::channel(4);
        let store = PresetStore::load(folder.path());
        let opening = Opening {
            mains: Mains::default(),
            largest: PictureSize::Full,
        };
        let mut cameras = Cameras::new(Vec::new(), opening, BTreeMap::new(), store, news);
        let path = "/devices/pci0000:00/usb1/1-2/1-2:1.0/video4linux/video7";
        let values = [("DEVNAME", "/dev/no-such-video7")];
        let entries = entries([("video4linux", path, &values[..])]);
        for _ in 0..2 {
            cameras.refresh(&entries);
            let Some(News::Surveyed(id, arrivals, survey)) = heard.recv().await else {
                panic!("the camera was not asked");
            };
            assert!(!cameras.is_failing());
            cameras.surveyed(id, arrivals, survey);
            assert!(cameras.is_failing());
        }
        let (_, _, trouble, _) = cameras.troubles().next().unwrap();
        assert_eq!(trouble, Some(Trouble::Stalled));
        cameras.refresh(&[]);
        assert!(!cameras.is_failing());
    }
}
