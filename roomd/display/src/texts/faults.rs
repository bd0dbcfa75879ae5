// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::{FaultCode, Language};

/// What a fault is called and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultText {
    /// What happened.
    pub title: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// The text of a fault.
pub const fn fault(language: Language, code: FaultCode) -> FaultText {
    let (title, remedy) = match language {
        Language::De => german(code),
        Language::En => english(code),
    };
    FaultText { title, remedy }
}

#[expect(
    clippy::too_many_lines,
    reason = "a table; the compiler knows whether it is complete"
)]
const fn german(code: FaultCode) -> (&'static str, &'static str) {
    match code {
        FaultCode::CalendarUnreachable => (
            "Kalender nicht erreichbar",
            "Der letzte bekannte Stand gilt weiter. Der Raum versucht es von selbst erneut.",
        ),
        FaultCode::CalendarRefused => (
            "Kalender verweigert die Anmeldung",
            "Die Zugangsdaten des Raums müssen von der Technik erneuert werden.",
        ),
        FaultCode::CalendarEntriesSkipped => (
            "Einzelne Termine nicht lesbar",
            "Alle übrigen Termine stehen. Einzelheiten zeigt die Verwaltungsansicht.",
        ),
        FaultCode::ConfigRejected => (
            "Neue Einstellungen abgelehnt",
            "Die bisherigen Einstellungen gelten weiter. Bitte die Datei prüfen.",
        ),
        FaultCode::CameraMissing => (
            "Keine Kamera",
            "Bitte Kabel und Stromversorgung der Kamera prüfen. Ton geht weiterhin.",
        ),
        FaultCode::MicrophoneMissing => (
            "Kein Mikrofon",
            "Bitte Kabel des Mikrofons prüfen. Bis dahin hört Sie niemand.",
        ),
        FaultCode::LoudspeakerMissing => (
            "Kein Lautsprecher",
            "Bitte Kabel und Stromversorgung des Lautsprechers prüfen.",
        ),
        FaultCode::DisplayMissing => (
            "Kein Bildschirm",
            "Bitte Kabel, Stromversorgung und gewählten Eingang des Bildschirms prüfen.",
        ),
        FaultCode::DestinationNotAllowed => (
            "Dieses Ziel ist nicht freigegeben",
            "Der Raum wählt nur freigegebene Anbieter an. Die Technik kann das Ziel freigeben.",
        ),
        FaultCode::PlatformUnknown => (
            "Diese Plattform wird nicht unterstützt",
            "Bitte bitten Sie die einladende Stelle um einen anderen Zugang.",
        ),
        FaultCode::MeetingUnknown => (
            "Diese Besprechung gibt es nicht",
            "Sie wurde beendet oder verlegt. Bitte prüfen Sie die Einladung.",
        ),
        FaultCode::MeetingRefused => (
            "Der Raum wurde nicht eingelassen",
            "Bitte sprechen Sie mit der einladenden Person und treten Sie erneut bei.",
        ),
        FaultCode::PasswordRequired => (
            "Kennwort fehlt oder ist falsch",
            "Bitte treten Sie erneut bei und geben Sie das Kennwort am Bedienfeld ein.",
        ),
        FaultCode::MeetingUnreachable => (
            "Besprechung nicht erreichbar",
            "Der Anbieter antwortet nicht. Bitte versuchen Sie es in einer Minute erneut.",
        ),
        FaultCode::ConnectionLost => (
            "Verbindung verloren",
            "Bitte treten Sie erneut bei. Hilft das nicht, prüfen Sie das Netzwerkkabel.",
        ),
        FaultCode::PeerNotVerified => (
            "Eine Verbindung ist nicht vertrauenswürdig",
            "Mit dieser Person wurden weder Bild noch Ton ausgetauscht. Sie soll neu beitreten.",
        ),
        FaultCode::GuestDropped => (
            "Ein Gast wurde getrennt",
            "Sein Gerät hat Unzulässiges gesendet. Er kann neu beitreten.",
        ),
        FaultCode::MediaFailed => (
            "Bild und Ton wurden neu gestartet",
            "Es geht von selbst weiter. Tritt es öfter auf, bitte melden.",
        ),
        FaultCode::AccountUnreachable => (
            "Konferenzkonto nicht erreichbar",
            "Der Server antwortet nicht. Der Raum versucht es von selbst erneut.",
        ),
        FaultCode::AccountRefused => (
            "Konferenzkonto wird nicht anerkannt",
            "Anmeldung und Bestätigung des Raumkontos müssen von der Technik geprüft werden.",
        ),
        FaultCode::AccountUnverified => (
            "Raumkonto nicht bestätigt",
            "Andere sehen eine Warnung. Die Technik muss den Wiederherstellungsschlüssel hinterlegen.",
        ),
        FaultCode::EncryptionMissing => (
            "Nicht Ende-zu-Ende-verschlüsselt",
            "Der Raum tritt nur verschlüsselten Besprechungen bei. Bitten Sie um eine solche.",
        ),
        FaultCode::CallNotAllowed => (
            "Anrufe sind dort nicht erlaubt",
            "Die einladende Person kann Mitgliedern erlauben, an Anrufen teilzunehmen.",
        ),
        FaultCode::TransportMissing => (
            "Kein Konferenzserver",
            "Der Server des Raumkontos nennt keinen. Die Technik muss ihn einrichten.",
        ),
        FaultCode::TokenRefused => (
            "Konferenzserver weist den Raum ab",
            "Die Technik muss dem Raumkonto dort Zugang geben.",
        ),
        FaultCode::TokenServiceDown => (
            "Der Zugang zum Konferenzserver fällt aus",
            "Versuchen Sie es in einigen Minuten erneut. Bleibt es so, muss die Technik helfen.",
        ),
        FaultCode::KnockDenied => (
            "Anklopfen abgelehnt",
            "Bitte sprechen Sie mit den Teilnehmern und treten Sie erneut bei.",
        ),
        FaultCode::LinkBroken => (
            "Der Link ist unvollständig",
            "Er nennt keine Besprechung. Bitte lassen Sie ihn vollständig senden.",
        ),
        FaultCode::ClockWrong => (
            "Die Uhr des Geräts geht falsch",
            "Die Technik muss die Zeiteinstellung des Geräts prüfen.",
        ),
        FaultCode::MeetingFull => (
            "Die Besprechung ist voll",
            "Verlässt jemand die Besprechung, bitte erneut beitreten.",
        ),
        FaultCode::RemovedFromMeeting => (
            "Der Raum wurde entfernt",
            "Bitte sprechen Sie mit der einladenden Person und treten Sie erneut bei.",
        ),
        FaultCode::MessageNotSent => (
            "Nachricht nicht gesendet",
            "Die Besprechung hat sie nicht angenommen. Bitte erneut senden.",
        ),
        FaultCode::SendingRefused => (
            "Die Besprechung nimmt Bild oder Ton nicht an",
            "Die einladende Person kann dem Raum das Senden erlauben.",
        ),
        FaultCode::ModerationRefused => (
            "Das darf der Raum hier nicht",
            "Wer die Besprechung verwaltet, kann es dem Raum erlauben.",
        ),
        FaultCode::KeyUnusable => (
            "Ein fremder Schlüssel passt nicht",
            "Wessen Bild fehlt, der sollte neu beitreten.",
        ),
        FaultCode::ParticipantUnreadable => (
            "Jemand ist hier nicht zu sehen",
            "Die App der Person ist zu neu oder zu alt für den Raum.",
        ),
        FaultCode::ContentLost => (
            "Kein Signal vom Laptop",
            "Bitte Kabel und Laptop prüfen. Kommt das Signal nicht gleich zurück, bitte erneut teilen.",
        ),
        FaultCode::Replaced => (
            "Raumkonto ist anderswo beigetreten",
            "Ein anderes Gerät nutzt dasselbe Konto. Die Technik muss ihm ein eigenes geben.",
        ),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "a table; the compiler knows whether it is complete"
)]
const fn english(code: FaultCode) -> (&'static str, &'static str) {
    match code {
        FaultCode::CalendarUnreachable => (
            "Calendar unreachable",
            "The last known schedule stands. The room keeps trying by itself.",
        ),
        FaultCode::CalendarRefused => (
            "The calendar refuses to sign in",
            "Support must renew the room's credentials.",
        ),
        FaultCode::CalendarEntriesSkipped => (
            "Some entries could not be read",
            "All other entries stand. The admin view shows details.",
        ),
        FaultCode::ConfigRejected => (
            "New settings were rejected",
            "The previous settings stay in force. Please check the file.",
        ),
        FaultCode::CameraMissing => (
            "No camera",
            "Please check the camera's cable and power. Sound still works.",
        ),
        FaultCode::MicrophoneMissing => (
            "No microphone",
            "Please check the microphone's cable. Until then nobody hears you.",
        ),
        FaultCode::LoudspeakerMissing => (
            "No loudspeaker",
            "Please check the loudspeaker's cable and power.",
        ),
        FaultCode::DisplayMissing => (
            "No display",
            "Please check the display's cable, power and selected input.",
        ),
        FaultCode::DestinationNotAllowed => (
            "This destination is not permitted",
            "The room only calls permitted services. Support can permit this one.",
        ),
        FaultCode::PlatformUnknown => (
            "This platform is not supported",
            "Please ask the host of the meeting for another way to join.",
        ),
        FaultCode::MeetingUnknown => (
            "This meeting does not exist",
            "It has ended or was moved. Please check the invitation.",
        ),
        FaultCode::MeetingRefused => (
            "The room was not let in",
            "Please talk to the host of the meeting and join again.",
        ),
        FaultCode::PasswordRequired => (
            "Password missing or wrong",
            "Please join again and enter the password on the panel.",
        ),
        FaultCode::MeetingUnreachable => (
            "Meeting unreachable",
            "The service does not answer. Please try again in a minute.",
        ),
        FaultCode::ConnectionLost => (
            "Connection lost",
            "Please join again. If that does not help, check the network cable.",
        ),
        FaultCode::PeerNotVerified => (
            "A connection is not trustworthy",
            "No picture or sound was exchanged with this person. They should join again.",
        ),
        FaultCode::GuestDropped => (
            "A guest was disconnected",
            "Their device sent what it must not. They can join again.",
        ),
        FaultCode::MediaFailed => (
            "Picture and sound were restarted",
            "It continues by itself. If it happens often, please report it.",
        ),
        FaultCode::AccountUnreachable => (
            "Conference account unreachable",
            "The server does not answer. The room keeps trying by itself.",
        ),
        FaultCode::AccountRefused => (
            "Conference account is not accepted",
            "Support must check the sign-in and verification of the room's account.",
        ),
        FaultCode::AccountUnverified => (
            "Room account is not verified",
            "Others see a warning. Support must provide the recovery key.",
        ),
        FaultCode::EncryptionMissing => (
            "Not end-to-end encrypted",
            "The room only joins encrypted meetings. Please ask for an encrypted one.",
        ),
        FaultCode::CallNotAllowed => (
            "Calls are not allowed there",
            "The host can allow members to join calls.",
        ),
        FaultCode::TransportMissing => (
            "No conference server",
            "The server of the room's account names none. Support must set one up.",
        ),
        FaultCode::TokenRefused => (
            "Conference server refuses the room",
            "Support must give the room's account access there.",
        ),
        FaultCode::TokenServiceDown => (
            "No access to the conference server",
            "Please try again in a few minutes. If it stays so, support must help.",
        ),
        FaultCode::KnockDenied => (
            "The room was turned away",
            "Please talk to the people in the meeting and join again.",
        ),
        FaultCode::LinkBroken => (
            "The link is incomplete",
            "It names no meeting. Please ask for the complete link.",
        ),
        FaultCode::ClockWrong => (
            "The device's clock is wrong",
            "Support must check the device's time settings.",
        ),
        FaultCode::MeetingFull => (
            "The meeting is full",
            "When somebody leaves the meeting, please join again.",
        ),
        FaultCode::RemovedFromMeeting => (
            "The room was removed",
            "Please talk to the host of the meeting and join again.",
        ),
        FaultCode::MessageNotSent => (
            "Message not sent",
            "The meeting did not take it. Please send it again.",
        ),
        FaultCode::SendingRefused => (
            "The meeting does not take picture or sound",
            "Whoever invited can allow the room to send.",
        ),
        FaultCode::ModerationRefused => (
            "The room may not do this here",
            "Whoever manages the meeting can allow the room to.",
        ),
        FaultCode::KeyUnusable => (
            "Somebody’s key does not fit",
            "Whose picture is missing should join again.",
        ),
        FaultCode::ParticipantUnreadable => (
            "Somebody cannot be seen here",
            "Their application is too new or too old for the room.",
        ),
        FaultCode::ContentLost => (
            "No signal from the laptop",
            "Please check cable and laptop. If the signal is not back at once, please share again.",
        ),
        FaultCode::Replaced => (
            "The room's account joined elsewhere",
            "Another device uses the same account. Support must give it its own.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_says_what_and_what_to_do_in_both_languages() {
        for code in FaultCode::ALL {
            let german = fault(Language::De, code);
            let english = fault(Language::En, code);
            for text in [german, english] {
                assert!(
                    text.title.len() > 5 && text.title.chars().count() <= 44,
                    "{text:?}"
                );
                assert!(text.remedy.ends_with('.'), "{text:?}");
            }
            assert_ne!(german, english);
        }
    }
}
