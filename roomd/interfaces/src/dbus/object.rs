// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// The macro writes the asynchronous shape that D-Bus needs around every function.
#![allow(clippy::unused_async)]

use std::sync::Arc;

use roomd_api::{AgendaLink, CameraSetting, Reply, Request, State};
use roomd_model::{Attendance, BookingId, Crop, Layout, ParticipantId, Phase, Pii, Secret};
use serde::Serialize;

use super::adjust;
use super::diagnosis::Diagnosis;
use super::error::{Error, answer};
use super::properties::Projection;
use crate::Room;
use crate::room::without_code;

/// The object on the bus.
#[derive(Debug)]
pub(super) struct Room1 {
    room: Room,
}

impl Room1 {
    pub(super) const fn new(room: Room) -> Self {
        Self { room }
    }

    fn state(&self) -> Arc<State> {
        without_code(&self.room.state().borrow())
    }

    fn projection(&self) -> Projection {
        Projection::of(&self.state())
    }

    async fn ask(&self, request: Request) -> Result<(), Error> {
        answer(self.room.ask(request).await)
    }

    /// Asks for an adjustment; a refusal says what the camera has.
    async fn adjust(
        &self,
        camera: &str,
        setting: CameraSetting,
        request: Request,
    ) -> Result<(), Error> {
        match self.room.ask(request).await {
            Reply::Accepted => Ok(()),
            Reply::Refused { refusal } => {
                let state = self.state();
                Err(adjust::refused(refusal, &state.cameras, camera, setting))
            }
        }
    }
}

/// A meeting room: what it does, and what it can be asked for.
///
/// Every method answers as soon as the room has accepted or refused; the properties tell how it
/// goes from there.
#[zbus::interface(name = "org.roomd.Room1")]
impl Room1 {
    /// Everything that a panel shows, as JSON.
    fn status(&self) -> Result<String, Error> {
        json(&*self.state())
    }

    /// Today's meetings, as JSON.
    fn meetings(&self) -> Result<String, Error> {
        json(&self.state().agenda)
    }

    /// What an operator looks at first, as JSON without names, titles, ids and links.
    fn diagnose(&self) -> Result<String, Error> {
        json(&Diagnosis::of(&self.state()))
    }

    /// A picture of what the display shows, as PNG.
    async fn snapshot(&self) -> Result<Vec<u8>, Error> {
        Ok(self.room.snapshot().await?)
    }

    /// Joins a meeting of the agenda; an empty id joins the one that is offered, or the next.
    async fn join(&self, booking: String) -> Result<(), Error> {
        let booking = if booking.is_empty() {
            next_meeting(&self.state()).ok_or_else(|| {
                Error::Unknown("No meeting of today has a link that this room can join.".to_owned())
            })?
        } else {
            BookingId(booking)
        };
        self.ask(Request::JoinBooking { booking }).await
    }

    /// Joins the meeting that a link leads to.
    async fn join_link(&self, url: String) -> Result<(), Error> {
        self.ask(Request::JoinLink { url: Pii::new(url) }).await
    }

    /// Starts a direct meeting; an empty password is none.
    async fn start_meeting(&self, password: String) -> Result<(), Error> {
        let password = (!password.is_empty()).then(|| Secret::new(password));
        self.ask(Request::StartMeeting { password }).await
    }

    /// Leaves the meeting, or gives up joining it.
    async fn leave(&self) -> Result<(), Error> {
        self.ask(Request::Leave).await
    }

    /// Sends picture and sound from here on, after a join that sends nothing.
    async fn send(&self) -> Result<(), Error> {
        self.ask(Request::StartSending).await
    }

    /// Switches the microphone.
    async fn set_microphone(&self, on: bool) -> Result<(), Error> {
        self.ask(Request::Microphone { on }).await
    }

    /// Switches the camera.
    async fn set_camera(&self, on: bool) -> Result<(), Error> {
        self.ask(Request::Camera { on }).await
    }

    /// Sets the loudspeaker's volume, 0 to 100.
    async fn set_volume(&self, percent: u8) -> Result<(), Error> {
        self.ask(Request::Volume { percent }).await
    }

    /// Arranges the display: grid, speaker or share.
    async fn set_layout(&self, layout: String) -> Result<(), Error> {
        let layout = match layout.as_str() {
            "grid" => Layout::Grid,
            "speaker" => Layout::Speaker,
            "share" => Layout::Share,
            _ => {
                return Err(Error::BadRequest(
                    "A layout is one of grid, speaker and share.".to_owned(),
                ));
            }
        };
        self.ask(Request::Layout { layout }).await
    }

    /// Lets someone in who waits.
    async fn admit(&self, participant: String) -> Result<(), Error> {
        let participant = ParticipantId(participant);
        self.ask(Request::Admit { participant }).await
    }

    /// Turns someone away who waits.
    async fn deny(&self, participant: String) -> Result<(), Error> {
        let participant = ParticipantId(participant);
        self.ask(Request::Deny { participant }).await
    }

    /// Removes someone from the meeting.
    async fn remove(&self, participant: String) -> Result<(), Error> {
        let participant = ParticipantId(participant);
        self.ask(Request::Remove { participant }).await
    }

    /// Answers an invitation in the room's name.
    async fn answer(&self, booking: String, accept: bool) -> Result<(), Error> {
        let booking = BookingId(booking);
        self.ask(Request::Attendance { booking, accept }).await
    }

    /// Shows a pairing code on the room's display.
    async fn show_pairing_code(&self) -> Result<(), Error> {
        self.ask(Request::ShowPairingCode).await
    }

    /// Uses another camera, in a call too.
    async fn select_camera(&self, name: String) -> Result<(), Error> {
        self.ask(Request::SelectCamera { camera: name }).await
    }

    /// Points and zooms a camera by steps: right, up and closer, or the opposite when negative.
    async fn move_camera(&self, name: String, pan: i16, tilt: i16, zoom: i16) -> Result<(), Error> {
        let request = Request::MoveCamera {
            camera: name,
            pan: steps(pan)?,
            tilt: steps(tilt)?,
            zoom: steps(zoom)?,
        };
        self.ask(request).await
    }

    /// Leaves focus, exposure, white-balance or backlight of a camera to the camera (automatic, once),
    /// or not (manual).
    async fn adjust_camera(
        &self,
        camera: String,
        setting: String,
        to: String,
    ) -> Result<(), Error> {
        let (setting, to) = (adjust::setting(setting)?, adjust::adjustment(to)?);
        let request = Request::AdjustCamera {
            camera: camera.clone(),
            setting,
            to,
        };
        self.adjust(&camera, setting, request).await
    }

    /// Sets focus, exposure, white-balance or backlight of a camera by hand.
    async fn set_camera_value(
        &self,
        camera: String,
        setting: String,
        value: i32,
    ) -> Result<(), Error> {
        let setting = adjust::setting(setting)?;
        let request = Request::SetCameraValue {
            camera: camera.clone(),
            setting,
            value,
        };
        self.adjust(&camera, setting, request).await
    }

    /// Brings a camera to a saved position, by its name or its number counted from 1.
    async fn recall_preset(&self, camera: String, preset: String) -> Result<(), Error> {
        self.ask(Request::RecallPreset { camera, preset }).await
    }

    /// Saves a camera's position under a name; replaces the one that has it.
    async fn save_preset(&self, camera: String, preset: String) -> Result<(), Error> {
        self.ask(Request::SavePreset { camera, preset }).await
    }

    /// Deletes a saved position of a camera.
    async fn delete_preset(&self, camera: String, preset: String) -> Result<(), Error> {
        self.ask(Request::DeletePreset { camera, preset }).await
    }

    /// A picture of what a content input shows, as PNG; the input is open for some seconds then.
    async fn content_preview(&self, input: String) -> Result<Vec<u8>, Error> {
        Ok(self.room.preview(input).await?)
    }

    /// Shares what a content input shows.
    async fn share_content(&self, input: String) -> Result<(), Error> {
        self.ask(Request::ShareContent { input }).await
    }

    /// Ends sharing.
    async fn stop_content(&self) -> Result<(), Error> {
        self.ask(Request::StopContent).await
    }

    /// Lets the picture that is shared stand, or move again.
    async fn freeze_content(&self, frozen: bool) -> Result<(), Error> {
        self.ask(Request::FreezeContent { frozen }).await
    }

    /// Shares a part of an input's picture: left, top, width and height in thousandths.
    async fn crop_content(
        &self,
        input: String,
        x: u16,
        y: u16,
        width: u16,
        height: u16,
    ) -> Result<(), Error> {
        let crop = Crop {
            x,
            y,
            width,
            height,
        };
        self.ask(Request::CropContent { input, crop }).await
    }

    /// Somebody turned the display on that the panel asked for.
    async fn display_is_on(&self) -> Result<(), Error> {
        self.ask(Request::DisplayIsOn).await
    }

    /// Plays the sound test, 13 seconds; `Status` tells how far it is and what it found.
    async fn start_sound_test(&self) -> Result<(), Error> {
        self.ask(Request::StartSoundTest).await
    }

    /// Ends the running sound test; the last result stays.
    async fn stop_sound_test(&self) -> Result<(), Error> {
        self.ask(Request::StopSoundTest).await
    }

    /// Lets somebody speak for 5 seconds and hear then what the far side would get.
    async fn start_self_hear(&self) -> Result<(), Error> {
        self.ask(Request::StartSelfHear).await
    }

    /// Ends that.
    async fn stop_self_hear(&self) -> Result<(), Error> {
        self.ask(Request::StopSelfHear).await
    }

    /// idle, offered, joining, lobby, in-call, reconnecting, leaving or fault.
    #[zbus(property)]
    fn phase(&self) -> String {
        self.projection().phase.to_owned()
    }

    /// The room's name.
    #[zbus(property)]
    fn room_name(&self) -> String {
        self.projection().room_name
    }

    /// The version of roomd.
    #[zbus(property)]
    fn version(&self) -> String {
        self.projection().version
    }

    /// In a meeting, or on the way back to it.
    #[zbus(property)]
    fn in_call(&self) -> bool {
        self.projection().in_call
    }

    /// A person pressed the button that sends, or the configuration joins sending.
    #[zbus(property)]
    fn sending(&self) -> bool {
        self.projection().sending
    }

    /// The microphone is on the wire.
    #[zbus(property)]
    fn microphone(&self) -> bool {
        self.projection().microphone
    }

    /// The camera is on the wire.
    #[zbus(property)]
    fn camera(&self) -> bool {
        self.projection().camera
    }

    /// What a content input shows is on the wire.
    #[zbus(property)]
    fn content(&self) -> bool {
        self.projection().content
    }

    /// The content input that is shared; empty while none is.
    #[zbus(property)]
    fn shared_content(&self) -> String {
        self.projection().shared_content
    }

    /// The loudspeaker's volume in the call, 0 to 100; without a call 0, whatever is set.
    #[zbus(property)]
    fn volume(&self) -> u8 {
        self.projection().volume
    }

    /// grid, speaker or share; empty without a call.
    #[zbus(property)]
    fn layout(&self) -> String {
        self.projection().layout.to_owned()
    }

    /// End-to-end encryption as negotiated: pending, verified or off; empty without a call.
    #[zbus(property)]
    fn e2ee(&self) -> String {
        self.projection().e2ee.to_owned()
    }

    /// How many others are in the meeting.
    #[zbus(property)]
    fn participants(&self) -> u32 {
        self.projection().participants
    }

    /// How many wait to be admitted.
    #[zbus(property)]
    fn waiting(&self) -> u32 {
        self.projection().waiting
    }

    /// The codes of what is wrong, worst first.
    #[zbus(property)]
    fn faults(&self) -> Vec<String> {
        self.projection().faults
    }

    /// No display is driven.
    #[zbus(property)]
    fn headless(&self) -> bool {
        self.projection().headless
    }

    /// The calendar does not answer; the meetings are the last known ones.
    #[zbus(property)]
    fn calendar_stale(&self) -> bool {
        self.projection().calendar_stale
    }

    /// How the devices are: 100 when all is well, 0 when the room is of no use.
    #[zbus(property)]
    fn health_score(&self) -> u8 {
        self.projection().health_score
    }

    /// The name of the camera in use; empty without one.
    #[zbus(property)]
    fn active_camera(&self) -> String {
        self.projection().active_camera
    }
}

/// D-Bus has no signed byte.
fn steps(number: i16) -> Result<i8, Error> {
    i8::try_from(number).map_err(|_| {
        Error::BadRequest("Steps of a camera are whole numbers from -128 to 127.".to_owned())
    })
}

/// The meeting that is offered, or else the first of today that can be joined.
fn next_meeting(state: &State) -> Option<BookingId> {
    if let Phase::Offered { booking } = &state.room.phase {
        return Some(booking.clone());
    }
    state
        .agenda
        .entries
        .iter()
        .find(|entry| {
            matches!(entry.link, AgendaLink::Joinable { .. })
                && entry.attendance != Attendance::Declined
        })
        .map(|entry| entry.id.clone())
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|_| Error::Failed("The state cannot be written as JSON.".to_owned()))
}
