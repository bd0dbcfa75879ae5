// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::{BookingId, Crop, FaultCode, Language, Layout, ParticipantId, Pii, Secret};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{CameraAdjustment, CameraSetting};

/// What a person at the panel, or an operator, wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "request"
)]
pub enum Request {
    /// Joins a meeting of the agenda.
    JoinBooking {
        /// Which.
        booking: BookingId,
    },
    /// Joins by link.
    JoinLink {
        /// The link; must lead to an allowed destination.
        url: Pii<String>,
    },
    /// Starts a direct meeting with a fresh id.
    StartMeeting {
        /// Guests must know it, if given.
        password: Option<Secret>,
    },
    /// Leaves the meeting, or gives up joining it.
    Leave,
    /// Sends what microphone and camera take, from here on; the one button of a silent join.
    StartSending,
    /// Microphone on the wire or not.
    Microphone {
        /// On.
        on: bool,
    },
    /// Camera on the wire or not.
    Camera {
        /// On.
        on: bool,
    },
    /// Loudspeaker volume.
    Volume {
        /// 0 to 100.
        percent: u8,
    },
    /// Arranges the display.
    Layout {
        /// How.
        layout: Layout,
    },
    /// Lets someone in from the lobby.
    Admit {
        /// Who.
        participant: ParticipantId,
    },
    /// Turns someone in the lobby away.
    Deny {
        /// Who.
        participant: ParticipantId,
    },
    /// Removes someone from the meeting.
    Remove {
        /// Who.
        participant: ParticipantId,
    },
    /// Raises or lowers the room's hand.
    Hand {
        /// Raised.
        raised: bool,
    },
    /// Writes into the chat.
    Chat {
        /// Plain text, at most 2000 characters.
        text: Pii<String>,
    },
    /// Gives the password that the meeting asks for.
    Password {
        /// The password.
        password: Secret,
    },
    /// Stays in a call that the countdown would end.
    Stay,
    /// Answers the invitation in the room's name.
    Attendance {
        /// Which.
        booking: BookingId,
        /// Accept; otherwise decline.
        accept: bool,
    },
    /// Switches the language of panel and display.
    Language {
        /// To.
        language: Language,
    },
    /// Shows a pairing code on the room's display.
    ShowPairingCode,
    /// Uses another camera, in a call too.
    SelectCamera {
        /// Its name.
        camera: String,
    },
    /// Points and zooms a camera.
    MoveCamera {
        /// Its name.
        camera: String,
        /// Steps to the right; to the left when negative.
        pan: i8,
        /// Steps up; down when negative.
        tilt: i8,
        /// Steps closer; away when negative.
        zoom: i8,
    },
    /// Leaves a part of a camera's picture to the camera, or not.
    AdjustCamera {
        /// Its name.
        camera: String,
        /// Which part.
        setting: CameraSetting,
        /// Who sees to it.
        to: CameraAdjustment,
    },
    /// Sets a part of a camera's picture by hand, which ends its automatic.
    SetCameraValue {
        /// Its name.
        camera: String,
        /// Which part.
        setting: CameraSetting,
        /// Within the range that the camera names; the closest step below is taken.
        value: i32,
    },
    /// Brings a camera to a saved position, and its picture to how it was adjusted then.
    RecallPreset {
        /// The camera's name.
        camera: String,
        /// The preset's name, or its number counted from 1.
        preset: String,
    },
    /// Saves a camera's position, and how its picture is adjusted, under a name; replaces the one that has it.
    SavePreset {
        /// The camera's name.
        camera: String,
        /// 1 to 40 characters.
        preset: String,
    },
    /// Deletes a saved position.
    DeletePreset {
        /// The camera's name.
        camera: String,
        /// The preset's name.
        preset: String,
    },
    /// Shares what a content input shows, in a call whose platform carries it.
    ShareContent {
        /// The input's name.
        input: String,
    },
    /// Ends sharing.
    StopContent,
    /// Lets the picture that is shared stand, or move again.
    FreezeContent {
        /// Stands.
        frozen: bool,
    },
    /// Shares only a part of an input's picture.
    CropContent {
        /// The input's name.
        input: String,
        /// Which part.
        crop: Crop,
    },
    /// Somebody turned the display on that the panel asked for.
    DisplayIsOn,
    /// Plays the sound test, 13 seconds, and keeps what it finds. Not in a call.
    StartSoundTest,
    /// Ends the running sound test; the last result stays.
    StopSoundTest,
    /// Lets somebody speak for 5 seconds and hear then what the far side would get of it. Not in a call.
    StartSelfHear,
    /// Ends that.
    StopSelfHear,
    /// Takes a fault that ended a call off the screen.
    Acknowledge {
        /// Which.
        code: FaultCode,
    },
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "reply"
)]
pub enum Reply {
    /// It is under way, and the events tell how it goes; an answer to an invitation is written.
    Accepted,
    /// It cannot be done.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Not in this state of the room, such as admitting someone without a call.
    NotNow,
    /// No such booking, participant or fault (any more).
    Unknown,
    /// The link is not a link, or is too long.
    BadLink,
    /// The destination is not on the allow-list.
    DestinationNotAllowed,
    /// No provider can join this kind of link.
    PlatformUnknown,
    /// Too long, out of range, or not understood.
    BadRequest,
    /// The daemon is shutting down or overloaded.
    Busy,
    /// The calendar is a file or a feed, which takes no answers.
    CalendarReadOnly,
    /// The room is not among the attendees of the entry.
    NotInvited,
    /// Others changed the entry at the same time, twice.
    CalendarConflict,
    /// The calendar's server refuses the answer.
    CalendarRefused,
    /// The calendar's server does not answer.
    CalendarUnreachable,
    /// Too many wrong codes: no tablet can be paired for some minutes.
    PairingLocked,
    /// The room has no camera of this name, or it is not plugged in.
    CameraUnknown,
    /// The camera refused, or cannot do this.
    CameraRefused,
    /// The camera does not have this part of a picture, or not this way to adjust it.
    CameraCannot,
    /// The camera does not have this value.
    CameraValue,
    /// The camera has no position of this name or number.
    PresetUnknown,
    /// The name of a position is empty or too long.
    PresetName,
    /// The camera keeps no further positions.
    PresetsFull,
    /// The room has no content input of this name, or it is not plugged in.
    ContentUnknown,
    /// The content input has no picture to share.
    ContentNoPicture,
    /// The picture of the content input is copy-protected.
    ContentProtected,
    /// The room is in a call.
    InCall,
    /// The sound test runs.
    SoundTestRuns,
    /// The microphone is muted at the device itself.
    MicrophoneMuted,
    /// The room has no microphone, or it is not plugged in.
    MicrophoneMissing,
    /// The room has no loudspeaker, or it is not plugged in.
    LoudspeakerMissing,
}
