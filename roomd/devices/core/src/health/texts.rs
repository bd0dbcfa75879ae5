// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
use roomd_model::Language;

use super::{Item, Subject, Trouble};

pub(super) const fn code_of_subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Microphone => "microphone",
        Subject::Loudspeaker => "loudspeaker",
        Subject::Display => "display",
        Subject::Camera => "camera",
        Subject::Panel => "panel",
        Subject::PanelTouch => "panel-touch",
        Subject::Content => "content",
        Subject::Telephony => "telephony",
        Subject::Keys => "keys",
        Subject::DisplayControl => "display-control",
        Subject::Encoder => "encoder",
    }
}

pub(super) const fn code_of_trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Missing => "missing",
        Trouble::Gone => "gone",
        Trouble::Stalled => "stalled",
        Trouble::Unsteady => "unsteady",
        Trouble::InUse => "in-use",
        Trouble::NoFormat => "no-format",
        Trouble::Slow => "slow",
        Trouble::Moved => "moved",
        Trouble::StandIn => "stand-in",
        Trouble::Nonsense => "nonsense",
        Trouble::DataDamaged => "data-damaged",
        Trouble::Disobeys => "disobeys",
        Trouble::NeedsPerson => "needs-person",
        Trouble::Flood => "flood",
        Trouble::TableRejected => "table-rejected",
        Trouble::KeyUnknown => "unknown",
        Trouble::ActionUnknown => "action-unknown",
        Trouble::NamedTwice => "named-twice",
        Trouble::Protected => "protected",
        Trouble::OutOfRange => "out-of-range",
        Trouble::NoPicture => "no-picture",
        Trouble::FellBack => "fell-back",
    }
}

pub(super) fn text(language: Language, item: &Item) -> String {
    match language {
        Language::De => german(item),
        Language::En => english(item),
    }
}

fn german(item: &Item) -> String {
    let what = match item.subject {
        Subject::Microphone => "Das Mikrofon",
        Subject::Loudspeaker => "Der Lautsprecher",
        Subject::Display => "Der Bildschirm",
        Subject::Camera => "Die Kamera",
        Subject::Panel => "Das Bedienfeld",
        Subject::PanelTouch => "Der Touchscreen",
        Subject::Content => "Der Eingang für Inhalte",
        Subject::Telephony => "Die Stummtaste",
        Subject::Keys => "Die Taste",
        Subject::DisplayControl => "Die Steuerung des Bildschirms",
        Subject::Encoder => "Der Videokodierer",
    };
    let is = match item.trouble {
        None => "ist in Ordnung",
        Some(Trouble::Missing) => "fehlt",
        Some(Trouble::Gone) => "hat keine Verbindung zum Raum",
        Some(Trouble::Stalled) => "liefert nichts mehr",
        Some(Trouble::Unsteady) => "verschwindet immer wieder",
        Some(Trouble::InUse) => "wird von einem anderen Programm benutzt",
        Some(Trouble::NoFormat) => "bietet nichts an, was der Raum lesen kann",
        Some(Trouble::Slow) => "liefert weniger, als zu erwarten ist",
        Some(Trouble::Moved) => "steckt in einem anderen Anschluss",
        Some(Trouble::StandIn) => "fehlt, ein anderes Gerät vertritt sie oder ihn",
        Some(Trouble::Nonsense) => "macht Angaben, die nicht stimmen können",
        Some(Trouble::DataDamaged) => "beschreibt sich fehlerhaft",
        Some(Trouble::Disobeys) => "folgt dem Raum nicht",
        Some(Trouble::NeedsPerson) => "lässt sich nicht von selbst einschalten",
        Some(Trouble::Flood) => "sendet ohne Ende und wird ignoriert",
        Some(Trouble::TableRejected) => "hat eine fehlerhafte Gerätetabelle",
        Some(Trouble::KeyUnknown) => "der Konfiguration gibt es nicht",
        Some(Trouble::ActionUnknown) => "der Konfiguration soll etwas tun, was sie nicht kann",
        Some(Trouble::NamedTwice) => "steht zweimal in der Konfiguration",
        Some(Trouble::Protected) => "bekommt ein kopiergeschütztes Bild",
        Some(Trouble::OutOfRange) => "bekommt ein Bild in einer Auflösung, die er nicht lesen kann",
        Some(Trouble::NoPicture) => "bekommt kein Bild",
        Some(Trouble::FellBack) => "vertritt einen, der im Gespräch ausgefallen ist",
    };
    format!("{what} „{}“ {is}.", item.label)
}

fn english(item: &Item) -> String {
    let what = match item.subject {
        Subject::Microphone => "microphone",
        Subject::Loudspeaker => "loudspeaker",
        Subject::Display => "display",
        Subject::Camera => "camera",
        Subject::Panel => "panel",
        Subject::PanelTouch => "touch screen",
        Subject::Content => "content input",
        Subject::Telephony => "mute key",
        Subject::Keys => "key",
        Subject::DisplayControl => "display control",
        Subject::Encoder => "video encoder",
    };
    let is = match item.trouble {
        None => "is well",
        Some(Trouble::Missing) => "is missing",
        Some(Trouble::Gone) => "has no connection to the room",
        Some(Trouble::Stalled) => "delivers nothing any more",
        Some(Trouble::Unsteady) => "disappears again and again",
        Some(Trouble::InUse) => "is in use by another program",
        Some(Trouble::NoFormat) => "offers nothing that the room can read",
        Some(Trouble::Slow) => "delivers less than can be expected",
        Some(Trouble::Moved) => "is plugged into another port",
        Some(Trouble::StandIn) => "is missing, and another device stands in for it",
        Some(Trouble::Nonsense) => "says about itself what cannot be",
        Some(Trouble::DataDamaged) => "describes itself wrongly",
        Some(Trouble::Disobeys) => "does not follow the room",
        Some(Trouble::NeedsPerson) => "cannot be turned on by the room",
        Some(Trouble::Flood) => "sends without end and is ignored",
        Some(Trouble::TableRejected) => "has a table of devices that is wrong",
        Some(Trouble::KeyUnknown) => "of the configuration does not exist",
        Some(Trouble::ActionUnknown) => "of the configuration is to do what it cannot",
        Some(Trouble::NamedTwice) => "is in the configuration twice",
        Some(Trouble::Protected) => "gets a picture that is copy-protected",
        Some(Trouble::OutOfRange) => "gets a picture in a resolution that it cannot read",
        Some(Trouble::NoPicture) => "gets no picture",
        Some(Trouble::FellBack) => "stands in for one that failed in a call",
    };
    format!("The {what} “{}” {is}.", item.label)
}

pub(super) const fn remedy(language: Language, trouble: Trouble) -> &'static str {
    match language {
        Language::De => german_remedy(trouble),
        Language::En => english_remedy(trouble),
    }
}

const fn german_remedy(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Missing => "Bitte Kabel und Stromversorgung prüfen.",
        Trouble::Gone => {
            "Bitte Strom und Netz prüfen, und auf einem Tablet die Seite des Raums neu laden. Ein fest angeschlossenes Bedienfeld startet von selbst; hilft das nicht, bitte das Gerät neu starten."
        }
        Trouble::Stalled => {
            "Der Raum startet es selbst neu. Hilft das nicht, bitte aus- und wieder einstecken."
        }
        Trouble::Unsteady => "Bitte Stecker und Kabel prüfen und das Kabel tauschen.",
        Trouble::InUse => "Bitte das andere Programm beenden.",
        Trouble::NoFormat => "Bitte ein anderes Gerät verwenden, oder eine neue Firmware.",
        Trouble::Slow => {
            "Bitte direkt statt über einen Hub anschließen; Kameras brauchen genug Licht."
        }
        Trouble::Moved => "Es funktioniert. Bitte zurückstecken, oder die Einstellung anpassen.",
        Trouble::StandIn => "Bitte das vorgesehene Gerät anschließen, oder die Einstellung ändern.",
        Trouble::Nonsense => "Es funktioniert mit dem Rest. Bitte nach neuer Firmware sehen.",
        Trouble::DataDamaged => "Bitte Kabel und Adapter zum Bildschirm prüfen.",
        Trouble::Disobeys => "Bitte am Gerät selbst bedienen, und nach neuer Firmware sehen.",
        Trouble::NeedsPerson => "Bitte den Bildschirm mit seiner Taste einschalten.",
        Trouble::Flood => "Bitte prüfen, ob die Taste klemmt, und das Gerät neu einstecken.",
        Trouble::TableRejected => "Es gilt die vorige Tabelle. Bitte die genannte Zeile ändern.",
        Trouble::KeyUnknown | Trouble::ActionUnknown | Trouble::NamedTwice => {
            "Die anderen Zeilen gelten. Bitte die genannte ändern; `roomd check-config` erklärt sie."
        }
        Trouble::Protected => {
            "Bitte den geschützten Inhalt (HDCP) schließen, oder am Laptop HDCP ausschalten."
        }
        Trouble::OutOfRange => "Bitte am Laptop 1920×1080 mit 60 Hz einstellen.",
        Trouble::NoPicture => {
            "Bitte prüfen, ob der Laptop wach ist und ein Bild über das Kabel ausgibt; geschützte Inhalte (HDCP) bleiben dunkel."
        }
        Trouble::FellBack => {
            "Es funktioniert. Kommt es wieder vor, bitte nach neuem Treiber und neuer Firmware sehen oder `hardware_encoder` ausschalten."
        }
    }
}

const fn english_remedy(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Missing => "Please check cable and power.",
        Trouble::Gone => {
            "Please check power and network, and on a tablet load the room's page again. A wired panel starts by itself; if that does not help, please restart the device."
        }
        Trouble::Stalled => {
            "The room restarts it by itself. If that does not help, please unplug it and plug it in."
        }
        Trouble::Unsteady => "Please check plug and cable, and replace the cable.",
        Trouble::InUse => "Please end the other program.",
        Trouble::NoFormat => "Please use another device, or newer firmware.",
        Trouble::Slow => "Please plug it in directly, not into a hub; cameras need enough light.",
        Trouble::Moved => "It works. Please plug it back, or change the setting.",
        Trouble::StandIn => "Please plug in the intended device, or change the setting.",
        Trouble::Nonsense => "It works with the rest. Please look for newer firmware.",
        Trouble::DataDamaged => "Please check cable and adapter of the display.",
        Trouble::Disobeys => "Please use the device's own controls, and look for newer firmware.",
        Trouble::NeedsPerson => "Please turn the display on by its button.",
        Trouble::Flood => "Please check whether the key is stuck, and plug the device in again.",
        Trouble::TableRejected => "The previous table holds. Please change the line that is named.",
        Trouble::KeyUnknown | Trouble::ActionUnknown | Trouble::NamedTwice => {
            "The other lines hold. Please change the one that is named; `roomd check-config` explains it."
        }
        Trouble::Protected => {
            "Please close the protected content (HDCP), or turn HDCP off at the laptop."
        }
        Trouble::OutOfRange => "Please set the laptop to 1920×1080 at 60 Hz.",
        Trouble::NoPicture => {
            "Please see that the laptop is awake and sends to the cable; protected content (HDCP) stays dark."
        }
        Trouble::FellBack => {
            "It works. If it happens again, please look for a newer driver and firmware, or turn `hardware_encoder` off."
        }
    }
}
