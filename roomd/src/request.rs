// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
//! Requests of the api as requests of the room, and its refusals back.

use roomd_api::{CameraAdjustment, Refusal, Request};
use roomd_devices::core::camera::adjust::Adjustment;
use roomd_driver::calendar::AnswerError;
use roomd_room::Request as Wish;

use crate::hardware::{ContentOrder, Order};

/// Who does what is asked for.
#[derive(Debug)]
pub enum Wanted {
    /// The room machine.
    Room(Wish),
    /// The hardware task.
    Hardware(Order),
    /// The pairing desk: shows a code.
    PairingCode,
}

/// Who should do it.
pub fn wanted(request: Request, seed: [u8; 32]) -> Wanted {
    let wish = match request {
        Request::JoinBooking { booking } => Wish::JoinBooking(booking),
        Request::JoinLink { url } => Wish::JoinLink(url),
        Request::StartMeeting { password } => Wish::StartMeeting { password, seed },
        Request::Leave => Wish::Leave,
        Request::StartSending => Wish::StartSending,
        Request::Microphone { on } => Wish::Microphone(on),
        Request::Camera { on } => Wish::Camera(on),
        Request::Volume { percent } => Wish::Volume(percent),
        Request::Layout { layout } => Wish::Layout(layout),
        Request::Admit { participant } => Wish::Admit(participant),
        Request::Deny { participant } => Wish::Deny(participant),
        Request::Remove { participant } => Wish::Remove(participant),
        Request::Hand { raised } => Wish::Hand(raised),
        Request::Chat { text } => Wish::Chat(text),
        Request::Password { password } => Wish::Password(password),
        Request::Stay => Wish::Stay,
        Request::Attendance { booking, accept } => Wish::Attendance { booking, accept },
        Request::Language { language } => Wish::Language(language),
        Request::Acknowledge { code } => Wish::Acknowledge(code),
        Request::ShowPairingCode => return Wanted::PairingCode,
        Request::SelectCamera { camera } => return Wanted::Hardware(Order::SelectCamera(camera)),
        Request::MoveCamera {
            camera,
            pan,
            tilt,
            zoom,
        } => return Wanted::Hardware(Order::Turn(camera, [pan, tilt, zoom])),
        Request::AdjustCamera {
            camera,
            setting,
            to,
        } => return Wanted::Hardware(Order::Adjust(camera, setting, adjustment(to))),
        Request::SetCameraValue {
            camera,
            setting,
            value,
        } => return Wanted::Hardware(Order::Adjust(camera, setting, Adjustment::Value(value))),
        Request::RecallPreset { camera, preset } => {
            return Wanted::Hardware(Order::Recall(camera, preset));
        }
        Request::SavePreset { camera, preset } => {
            return Wanted::Hardware(Order::Save(camera, preset));
        }
        Request::DeletePreset { camera, preset } => {
            return Wanted::Hardware(Order::Delete(camera, preset));
        }
        Request::ShareContent { input } => return content(ContentOrder::Share(input)),
        Request::StopContent => return content(ContentOrder::Stop),
        Request::FreezeContent { frozen } => return content(ContentOrder::Freeze(frozen)),
        Request::CropContent { input, crop } => return content(ContentOrder::Crop(input, crop)),
        Request::DisplayIsOn => return Wanted::Hardware(Order::DisplayIsOn),
        Request::StartSoundTest => return Wanted::Hardware(Order::StartSoundTest),
        Request::StopSoundTest => return Wanted::Hardware(Order::StopSoundTest),
        Request::StartSelfHear => return Wanted::Hardware(Order::StartSelfHear),
        Request::StopSelfHear => return Wanted::Hardware(Order::StopSelfHear),
    };
    Wanted::Room(wish)
}

const fn adjustment(to: CameraAdjustment) -> Adjustment {
    match to {
        CameraAdjustment::Automatic => Adjustment::Automatic,
        CameraAdjustment::Manual => Adjustment::Manual,
        CameraAdjustment::Once => Adjustment::Once,
    }
}

const fn content(order: ContentOrder) -> Wanted {
    Wanted::Hardware(Order::Content(order))
}

/// A refusal as the panel knows it.
pub const fn refusal(refusal: roomd_room::Refusal) -> Refusal {
    match refusal {
        roomd_room::Refusal::NotNow => Refusal::NotNow,
        roomd_room::Refusal::Unknown => Refusal::Unknown,
        roomd_room::Refusal::BadLink => Refusal::BadLink,
        roomd_room::Refusal::DestinationNotAllowed => Refusal::DestinationNotAllowed,
        roomd_room::Refusal::PlatformUnknown => Refusal::PlatformUnknown,
        roomd_room::Refusal::BadRequest => Refusal::BadRequest,
        roomd_room::Refusal::Busy => Refusal::Busy,
    }
}

/// Why the answer to an invitation is not in the calendar.
pub const fn unwritten(error: AnswerError) -> Refusal {
    match error {
        AnswerError::UnknownBooking => Refusal::Unknown,
        AnswerError::ReadOnly => Refusal::CalendarReadOnly,
        AnswerError::NotInvited => Refusal::NotInvited,
        AnswerError::Conflict => Refusal::CalendarConflict,
        AnswerError::Refused => Refusal::CalendarRefused,
        AnswerError::Unreachable => Refusal::CalendarUnreachable,
        AnswerError::Ended => Refusal::Busy,
    }
}
