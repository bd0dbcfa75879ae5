// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! What the room task and the hardware task say to each other.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use roomd_api::{
    Camera, CameraSetting, ContentInput, Health, Refusal, Reply, SoundTest as ShownTest,
};
use roomd_devices::core::camera::adjust::Adjustment;
use roomd_devices::core::keys::Action;
use roomd_devices::mute::{RoomSound, Wish};
use roomd_interfaces::PreviewRequest;
use roomd_media::HardwareReport;
use roomd_model::FaultCode;
use tokio::sync::{mpsc, oneshot, watch};

use super::content::{ContentFacts, ContentOrder};
use super::sound::SoundNames;

/// What the room task tells about the room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomFacts {
    /// What mute key and lamps show.
    pub sound: RoomSound,
    /// Something is to be seen on the display.
    pub busy: bool,
    /// When the next meeting begins.
    pub next: Option<DateTime<Utc>>,
    /// What the engine misses.
    pub lost: BTreeSet<FaultCode>,
    /// What it calls microphone and loudspeaker.
    pub sound_names: SoundNames,
    /// The camera delivers less than was agreed with it.
    pub camera_slow: bool,
    /// The microphone delivers less sound than time passes.
    pub microphone_slow: bool,
    /// Of what the engine misses, what another program has.
    pub in_use: BTreeSet<FaultCode>,
    /// What encodes the camera's picture besides the processor.
    pub encoder: HardwareReport,
    /// What the engine draws content on; none without such a display, and while that sleeps.
    pub content_display: Option<String>,
    /// What concerns content.
    pub content: ContentFacts,
}

/// What the hardware task is asked to do. Each is answered.
#[derive(Debug)]
pub enum Order {
    /// Use another camera.
    SelectCamera(String),
    /// Turn and zoom a camera: right, up, closer.
    Turn(String, [i8; 3]),
    /// Adjust a camera's picture.
    Adjust(String, CameraSetting, Adjustment),
    /// Bring a camera to a saved position.
    Recall(String, String),
    /// Save where a camera looks.
    Save(String, String),
    /// Forget a saved position.
    Delete(String, String),
    /// The display was turned on by hand.
    DisplayIsOn,
    /// Test the sound.
    StartSoundTest,
    /// Test it no longer.
    StopSoundTest,
    /// Let somebody hear themself as the far side would, or no longer.
    StartSelfHear,
    /// Let them no longer.
    StopSelfHear,
    /// Share, or share no longer.
    Content(ContentOrder),
}

/// What somebody did at a device that concerns the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Pressed a button.
    Press(Action),
    /// Touched the microphone's device.
    Wish(Wish),
}

/// How the devices are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HardwareState {
    /// The cameras to choose from.
    pub cameras: Vec<Camera>,
    /// The inputs for content.
    pub content: Vec<ContentInput>,
    /// The call in which what one of them shows is to be on the wire.
    pub shares: Option<u32>,
    /// The signal of what is shared is lost.
    pub content_lost: bool,
    /// How all devices are.
    pub health: Health,
    /// The sound test, and somebody who hears themself.
    pub sound_test: ShownTest,
    /// Somebody should turn a display on.
    pub display_asks: bool,
}

/// A handle of the hardware task.
#[derive(Debug)]
pub struct Hardware {
    /// What it is asked to do.
    pub(super) orders: mpsc::Sender<(Order, oneshot::Sender<Reply>)>,
    /// What the room does.
    pub room: watch::Sender<RoomFacts>,
    /// Somebody used the panel.
    pub(super) touched: mpsc::Sender<()>,
    /// Who looks at a content input.
    pub(super) looks: mpsc::Sender<PreviewRequest>,
}

impl Hardware {
    /// Asks for something; the answer comes when it is done.
    pub fn order(&self, order: Order, reply: oneshot::Sender<Reply>) {
        if let Err(error) = self.orders.try_send((order, reply)) {
            let (_, reply) = error.into_inner();
            // Whoever asked may be gone.
            let _ = reply.send(Reply::Refused {
                refusal: Refusal::Busy,
            });
        }
    }

    /// Somebody looks at a content input.
    pub fn look(&self, request: PreviewRequest) {
        // Whoever is turned away by the dropped request asks again.
        let _ = self.looks.try_send(request);
    }

    /// Somebody is at the panel: the display should be on.
    pub fn touched(&self) {
        // One word is enough.
        let _ = self.touched.try_send(());
    }
}

/// What the room task hears of the hardware task.
#[derive(Debug)]
pub struct Outlets {
    /// How the devices are.
    pub state: watch::Receiver<HardwareState>,
    /// What people do at them.
    pub touches: mpsc::Receiver<Touch>,
}
