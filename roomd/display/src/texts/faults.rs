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
    }
}

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
