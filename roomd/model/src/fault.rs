// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something that people or operators should know, as a code that panel and display translate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What it is.
    pub code: FaultCode,
    /// A short technical detail for the admin view, free of personal data; such as a file and line.
    pub detail: Option<String>,
}

impl Fault {
    /// A fault without a detail.
    #[must_use]
    pub const fn new(code: FaultCode) -> Self {
        Self { code, detail: None }
    }
}

/// How much a fault matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; everything works.
    Notice,
    /// Something works less well.
    Warning,
    /// A meeting cannot be held as it should.
    Error,
}

/// Every fault the room can show. The panel holds text and remedy for each, in each language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum FaultCode {
    /// The calendar server does not answer; the last known schedule stands.
    CalendarUnreachable,
    /// The calendar server refuses the room's account.
    CalendarRefused,
    /// Some calendar entries could not be read and were skipped.
    CalendarEntriesSkipped,
    /// The new configuration is wrong; the last good one stays active.
    ConfigRejected,
    /// No camera, or it stopped delivering pictures.
    CameraMissing,
    /// No microphone, or it stopped delivering sound.
    MicrophoneMissing,
    /// No loudspeaker.
    LoudspeakerMissing,
    /// No display, or it does not take pictures.
    DisplayMissing,
    /// The link's host is not on the allow-list.
    DestinationNotAllowed,
    /// No provider can join this kind of link.
    PlatformUnknown,
    /// The meeting does not exist (any more).
    MeetingUnknown,
    /// The platform did not let the room in.
    MeetingRefused,
    /// The meeting asks for a password, or for another one.
    PasswordRequired,
    /// The meeting could not be reached in time.
    MeetingUnreachable,
    /// The connection was lost and did not come back.
    ConnectionLost,
    /// A participant's certificate does not match: no media was exchanged with them.
    PeerNotVerified,
    /// A participant was dropped because of what they sent.
    GuestDropped,
    /// The media engine failed and was restarted.
    MediaFailed,
    /// The server of the room's own account does not answer; meetings there cannot be joined.
    AccountUnreachable,
    /// The server refuses the room's own account, or others would not trust its device.
    AccountRefused,
    /// Nobody vouches for the device of the room's own account: others may see a warning, or give it
    /// no keys.
    AccountUnverified,
    /// The meeting is not end-to-end encrypted, and the room may not join it so.
    EncryptionMissing,
    /// The place of the meeting does not let its members join calls.
    CallNotAllowed,
    /// The server of the room's account offers no conference server.
    TransportMissing,
    /// The conference server gives the room no access.
    TokenRefused,
    /// The service that gives access to the conference server does not work.
    TokenServiceDown,
    /// The people in the meeting did not let the room in.
    KnockDenied,
    /// The link is one of a known platform, and names no meeting.
    LinkBroken,
    /// The device's clock differs from the server's.
    ClockWrong,
    /// The meeting takes no more participants.
    MeetingFull,
    /// Somebody removed the room from the meeting.
    RemovedFromMeeting,
    /// The room's account joined the meeting from elsewhere.
    Replaced,
    /// The platform did not take a chat message.
    MessageNotSent,
    /// The meeting does not let the room send picture or sound.
    SendingRefused,
    /// The meeting does not let the room admit, turn away or remove people.
    ModerationRefused,
    /// Somebody's key cannot be used, or is not theirs.
    KeyUnusable,
    /// Somebody takes part in a way that the room does not understand.
    ParticipantUnreadable,
    /// What is shared has no signal any more.
    ContentLost,
}

impl FaultCode {
    /// Every fault, for tables and tests.
    pub const ALL: [Self; 38] = [
        Self::CalendarUnreachable,
        Self::CalendarRefused,
        Self::CalendarEntriesSkipped,
        Self::ConfigRejected,
        Self::CameraMissing,
        Self::MicrophoneMissing,
        Self::LoudspeakerMissing,
        Self::DisplayMissing,
        Self::DestinationNotAllowed,
        Self::PlatformUnknown,
        Self::MeetingUnknown,
        Self::MeetingRefused,
        Self::PasswordRequired,
        Self::MeetingUnreachable,
        Self::ConnectionLost,
        Self::PeerNotVerified,
        Self::GuestDropped,
        Self::MediaFailed,
        Self::AccountUnreachable,
        Self::AccountRefused,
        Self::AccountUnverified,
        Self::EncryptionMissing,
        Self::CallNotAllowed,
        Self::TransportMissing,
        Self::TokenRefused,
        Self::TokenServiceDown,
        Self::KnockDenied,
        Self::LinkBroken,
        Self::ClockWrong,
        Self::MeetingFull,
        Self::RemovedFromMeeting,
        Self::Replaced,
        Self::MessageNotSent,
        Self::SendingRefused,
        Self::ModerationRefused,
        Self::KeyUnusable,
        Self::ParticipantUnreadable,
        Self::ContentLost,
    ];

    /// How much it matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::CalendarEntriesSkipped
            | Self::ConfigRejected
            | Self::GuestDropped
            | Self::MessageNotSent
            | Self::ModerationRefused
            | Self::ParticipantUnreadable => Severity::Notice,
            Self::CalendarUnreachable
            | Self::CalendarRefused
            | Self::CameraMissing
            | Self::MicrophoneMissing
            | Self::LoudspeakerMissing
            | Self::DisplayMissing
            | Self::PeerNotVerified
            | Self::MediaFailed
            | Self::SendingRefused
            | Self::KeyUnusable
            | Self::ContentLost
            | Self::AccountUnreachable
            | Self::AccountUnverified => Severity::Warning,
            Self::DestinationNotAllowed
            | Self::PlatformUnknown
            | Self::MeetingUnknown
            | Self::MeetingRefused
            | Self::PasswordRequired
            | Self::MeetingUnreachable
            | Self::ConnectionLost
            | Self::AccountRefused
            | Self::EncryptionMissing
            | Self::CallNotAllowed
            | Self::TransportMissing
            | Self::TokenRefused
            | Self::TokenServiceDown
            | Self::KnockDenied
            | Self::LinkBroken
            | Self::ClockWrong
            | Self::MeetingFull
            | Self::RemovedFromMeeting
            | Self::Replaced => Severity::Error,
        }
    }
}
