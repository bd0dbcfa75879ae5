// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use std::sync::Arc;
use std::time::Duration;

use roomd_api::{Levels, Refusal, Reply, Request, State};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Requests that wait for the daemon at most; beyond it, clients are told that it is busy.
const WAITING: usize = 64;
/// A request that the daemon has not answered by then is reported as busy.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters in the name of a camera's saved position at most; as the api promises.
const PRESET_NAME: usize = 40;

/// What somebody wants of the room.
#[derive(Debug)]
pub struct Intent {
    /// What; its sizes and ranges were checked.
    pub request: Request,
    /// For the answer.
    pub reply: oneshot::Sender<Reply>,
}

/// Asks for a picture (PNG) of what the display shows.
pub type SnapshotRequest = oneshot::Sender<Result<Vec<u8>, SnapshotError>>;

/// Why there is no picture of the display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Drawing or encoding failed.
    #[error("the picture could not be made")]
    Failed,
    /// The daemon is shutting down or overloaded.
    #[error("the daemon is busy")]
    Busy,
}

/// Asks for a picture (PNG) of what a content input shows; it is open while somebody asks again.
#[derive(Debug)]
pub struct PreviewRequest {
    /// The input's name.
    pub input: String,
    /// For the answer.
    pub reply: oneshot::Sender<Result<Vec<u8>, PreviewError>>,
}

/// Why there is no picture of a content input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreviewError {
    /// There is no such input, or it is not plugged in.
    #[error("no such content input")]
    Unknown,
    /// Another input is shared.
    #[error("another content input is shared")]
    InUse,
    /// It has no picture.
    #[error("the content input has no picture")]
    NoPicture,
    /// The daemon is shutting down or overloaded.
    #[error("the daemon is busy")]
    Busy,
}

/// The room as the interfaces see it: its state, its levels, and a way to ask for something.
#[derive(Clone, Debug)]
pub struct Room {
    state: watch::Receiver<Arc<State>>,
    levels: broadcast::Sender<Levels>,
    intents: mpsc::Sender<Intent>,
    snapshots: mpsc::Sender<SnapshotRequest>,
    previews: mpsc::Sender<PreviewRequest>,
}

/// The daemon's side of a [`Room`].
#[derive(Debug)]
pub struct RoomOwner {
    /// Publishes the state.
    pub state: watch::Sender<Arc<State>>,
    /// Publishes levels; needs no listener.
    pub levels: broadcast::Sender<Levels>,
    /// What people want.
    pub intents: mpsc::Receiver<Intent>,
    /// Who wants a picture of the display.
    pub snapshots: mpsc::Receiver<SnapshotRequest>,
    /// Who looks at a content input.
    pub previews: mpsc::Receiver<PreviewRequest>,
}

impl Room {
    /// A room and its owner's side.
    #[must_use]
    pub fn new(state: State) -> (Self, RoomOwner) {
        let (state_sender, state_receiver) = watch::channel(Arc::new(state));
        let (levels, _) = broadcast::channel(4);
        let (intents_sender, intents) = mpsc::channel(WAITING);
        let (snapshots_sender, snapshots) = mpsc::channel(2);
        let (previews_sender, previews) = mpsc::channel(8);
        let room = Self {
            state: state_receiver,
            levels: levels.clone(),
            intents: intents_sender,
            snapshots: snapshots_sender,
            previews: previews_sender,
        };
        let owner = RoomOwner {
            state: state_sender,
            levels,
            intents,
            snapshots,
            previews,
        };
        (room, owner)
    }

    /// The state, with its pairing code; which must not leave the process.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<Arc<State>> {
        self.state.clone()
    }

    /// The levels from here on.
    #[must_use]
    pub fn levels(&self) -> broadcast::Receiver<Levels> {
        self.levels.subscribe()
    }

    /// The state's owner is still there.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.state.has_changed().is_ok() && !self.intents.is_closed()
    }

    /// Hands a request to the daemon and waits for its answer; never longer than ten seconds.
    pub async fn ask(&self, request: Request) -> Reply {
        if let Err(refusal) = check(&request) {
            return refused(refusal);
        }
        let (reply, answer) = oneshot::channel();
        let intent = Intent { request, reply };
        if self.intents.try_send(intent).is_err() {
            return refused(Refusal::Busy);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) | Err(_) => refused(Refusal::Busy),
        }
    }

    /// A picture (PNG) of what the display shows.
    ///
    /// # Errors
    /// When there is no picture, or the daemon does not answer.
    pub async fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let (reply, answer) = oneshot::channel();
        self.snapshots
            .try_send(reply)
            .map_err(|_| SnapshotError::Busy)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(SnapshotError::Busy),
        }
    }

    /// A picture (PNG) of what a content input shows. The input is open for some seconds then.
    ///
    /// # Errors
    /// When there is no picture, or the daemon does not answer.
    pub async fn preview(&self, input: String) -> Result<Vec<u8>, PreviewError> {
        if !is_name(&input) {
            return Err(PreviewError::Unknown);
        }
        let (reply, answer) = oneshot::channel();
        self.previews
            .try_send(PreviewRequest { input, reply })
            .map_err(|_| PreviewError::Busy)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(PreviewError::Busy),
        }
    }
}

/// The state as it may leave the process: only the room's own display shows the pairing code.
pub(crate) fn without_code(state: &Arc<State>) -> Arc<State> {
    let shows_code = state
        .pairing
        .as_ref()
        .is_some_and(|pairing| pairing.code.is_some());
    if !shows_code {
        return Arc::clone(state);
    }
    let mut stripped = State::clone(state);
    if let Some(pairing) = &mut stripped.pairing {
        pairing.code = None;
    }
    Arc::new(stripped)
}

pub(crate) const fn refused(refusal: Refusal) -> Reply {
    Reply::Refused { refusal }
}

/// Sizes and ranges are those that the api promises.
fn check(request: &Request) -> Result<(), Refusal> {
    if let Request::SavePreset { preset, .. } = request
        && !(1..=PRESET_NAME).contains(&preset.trim().chars().count())
    {
        // Somebody typed this name, and is told that it is the name.
        return Err(Refusal::PresetName);
    }
    if is_acceptable(request) {
        Ok(())
    } else {
        Err(Refusal::BadRequest)
    }
}

fn is_acceptable(request: &Request) -> bool {
    match request {
        Request::JoinBooking { booking } | Request::Attendance { booking, .. } => {
            (1..=1024).contains(&booking.0.len())
        }
        Request::JoinLink { url } => (1..=4096).contains(&url.expose().len()),
        Request::StartMeeting { password } => password
            .as_ref()
            .is_none_or(|password| (1..=256).contains(&password.expose().len())),
        Request::Password { password } => (1..=256).contains(&password.expose().len()),
        Request::Volume { percent } => *percent <= 100,
        Request::Admit { participant }
        | Request::Deny { participant }
        | Request::Remove { participant } => (1..=128).contains(&participant.0.len()),
        Request::Chat { text } => {
            let text = text.expose();
            !text.trim().is_empty() && text.chars().nth(2000).is_none()
        }
        Request::SelectCamera { camera }
        | Request::MoveCamera { camera, .. }
        | Request::AdjustCamera { camera, .. }
        | Request::SetCameraValue { camera, .. }
        | Request::SavePreset { camera, .. } => is_name(camera),
        Request::ShareContent { input } => is_name(input),
        Request::CropContent { input, crop } => is_name(input) && crop.is_possible(),
        Request::RecallPreset { camera, preset } | Request::DeletePreset { camera, preset } => {
            is_name(camera) && (1..=PRESET_NAME).contains(&preset.chars().count())
        }
        Request::Leave
        | Request::StartSending
        | Request::Microphone { .. }
        | Request::Camera { .. }
        | Request::Layout { .. }
        | Request::Hand { .. }
        | Request::Stay
        | Request::Language { .. }
        | Request::ShowPairingCode
        | Request::StopContent
        | Request::FreezeContent { .. }
        | Request::DisplayIsOn
        | Request::StartSoundTest
        | Request::StopSoundTest
        | Request::StartSelfHear
        | Request::StopSelfHear
        | Request::Acknowledge { .. } => true,
    }
}

/// What may be the name of a camera or an input; drivers give at most 31 bytes, configurations more.
fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
}

#[cfg(test)]
mod tests {
    use roomd_model::{BookingId, Crop, ParticipantId, Pii, Secret};

    use super::*;

    #[test]
    fn sizes_and_ranges_are_checked() {
        let chat = |text: String| Request::Chat {
            text: Pii::new(text),
        };
        let check = |request: Request, expected: bool| {
            let answer = super::check(&request);
            assert_eq!(answer.is_ok(), expected, "{request:?}");
            assert!(matches!(answer, Ok(()) | Err(Refusal::BadRequest)));
        };
        check(chat("ü".repeat(2000)), true);
        check(chat("ü".repeat(2001)), false);
        check(chat("  \n".to_owned()), false);
        check(Request::Volume { percent: 100 }, true);
        check(Request::Volume { percent: 101 }, false);
        check(
            Request::JoinLink {
                url: Pii::new("x".repeat(4097)),
            },
            false,
        );
        check(
            Request::StartMeeting {
                password: Some(Secret::new("")),
            },
            false,
        );
        check(Request::StartMeeting { password: None }, true);
        check(
            Request::Admit {
                participant: ParticipantId(String::new()),
            },
            false,
        );
        check(
            Request::JoinBooking {
                booking: BookingId("x".repeat(1025)),
            },
            false,
        );
        check(Request::Leave, true);
        let crop = |width| Request::CropContent {
            input: "HDMI".to_owned(),
            crop: Crop {
                width,
                ..Crop::FULL
            },
        };
        check(crop(500), true);
        check(crop(1001), false);
        check(select(""), false);
        check(select(&"x".repeat(128)), true);
        check(select(&"x".repeat(129)), false);
        check(recall("front", ""), false);
        check(recall("front", "2"), true);
        check(recall("front", &"ü".repeat(40)), true);
        check(recall("front", &"ü".repeat(41)), false);
        check(recall("", "2"), false);
    }

    fn select(camera: &str) -> Request {
        Request::SelectCamera {
            camera: camera.to_owned(),
        }
    }

    fn recall(camera: &str, preset: &str) -> Request {
        Request::RecallPreset {
            camera: camera.to_owned(),
            preset: preset.to_owned(),
        }
    }

    #[test]
    fn who_types_a_name_that_will_not_do_is_told_so() {
        let save = |camera: &str, preset: &str| {
            check(&Request::SavePreset {
                camera: camera.to_owned(),
                preset: preset.to_owned(),
            })
        };
        assert_eq!(save("front", "Podium"), Ok(()));
        assert_eq!(save("front", &"ü".repeat(40)), Ok(()));
        assert_eq!(save("front", &"ü".repeat(41)), Err(Refusal::PresetName));
        assert_eq!(save("front", " \n"), Err(Refusal::PresetName));
        assert_eq!(save("", "Podium"), Err(Refusal::BadRequest));
    }
}
