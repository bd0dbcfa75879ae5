// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { FaultCode } from "../../api/types";
import type { Explained } from "../catalogue";

export const faults: Record<FaultCode, Explained> = {
  "calendar-unreachable": {
    title: "Kalender nicht erreichbar",
    remedy: "Es gilt der zuletzt bekannte Stand. Beitreten bleibt möglich.",
  },
  "calendar-refused": {
    title: "Kalender weist den Raum ab",
    remedy: "Bitte die Betreuung, das Raumkonto des Kalenders zu prüfen.",
  },
  "calendar-entries-skipped": {
    title: "Einzelne Termine nicht lesbar",
    remedy: "Die übrigen Termine stimmen. Näheres steht unter „Diagnose“.",
  },
  "config-rejected": {
    title: "Neue Einstellungen fehlerhaft",
    remedy: "Der Raum arbeitet mit den letzten gültigen Einstellungen weiter.",
  },
  "camera-missing": {
    title: "Kamera liefert kein Bild",
    remedy: "Prüfen Sie das Kabel der Kamera. Ohne Kamera geht es mit Ton weiter.",
  },
  "microphone-missing": {
    title: "Mikrofon liefert keinen Ton",
    remedy: "Prüfen Sie Kabel und Stummtaste des Mikrofons.",
  },
  "loudspeaker-missing": {
    title: "Kein Lautsprecher",
    remedy: "Prüfen Sie das Kabel und ob der Lautsprecher eingeschaltet ist.",
  },
  "display-missing": {
    title: "Raumdisplay ohne Bild",
    remedy: "Schalten Sie das Display ein und prüfen Sie das Kabel.",
  },
  "destination-not-allowed": {
    title: "Ziel nicht freigegeben",
    remedy: "Der Raum öffnet nur freigegebene Dienste. Bitte die Betreuung um Freigabe.",
  },
  "platform-unknown": {
    title: "Konferenzdienst unbekannt",
    remedy: "Dieser Raum kann dem Dienst nicht beitreten. Fragen Sie nach einem anderen Link.",
  },
  "meeting-unknown": {
    title: "Besprechung nicht gefunden",
    remedy: "Der Link ist abgelaufen oder unvollständig. Bitte um einen neuen Link.",
  },
  "meeting-refused": {
    title: "Kein Zutritt zur Besprechung",
    remedy: "Der Gastgeber hat den Raum nicht eingelassen. Sprechen Sie ihn an.",
  },
  "password-required": {
    title: "Kennwort nötig",
    remedy: "Fragen Sie den Gastgeber nach dem Kennwort und treten Sie erneut bei.",
  },
  "meeting-unreachable": {
    title: "Besprechung nicht erreichbar",
    remedy: "Der Server antwortet nicht. Versuchen Sie es in einer Minute erneut.",
  },
  "connection-lost": {
    title: "Verbindung verloren",
    remedy: "Die Besprechung war nicht mehr erreichbar. Treten Sie erneut bei.",
  },
  "peer-not-verified": {
    title: "Teilnehmer nicht bestätigt",
    remedy: "Sein Zertifikat passt nicht. Mit ihm wird weder Bild noch Ton ausgetauscht.",
  },
  "guest-dropped": {
    title: "Teilnehmer getrennt",
    remedy: "Seine Daten waren fehlerhaft. Er kann erneut beitreten.",
  },
  "media-failed": {
    title: "Bild und Ton neu gestartet",
    remedy: "Es geht gleich weiter. Wiederholt es sich, rufen Sie die Betreuung.",
  },
  "account-unreachable": {
    title: "Konferenzkonto nicht erreichbar",
    remedy: "Sein Server antwortet nicht. Der Raum versucht es von selbst weiter.",
  },
  "account-refused": {
    title: "Konferenzkonto wird nicht anerkannt",
    remedy: "Bitte die Betreuung, Anmeldung und Bestätigung des Raumkontos zu prüfen.",
  },
  "account-unverified": {
    title: "Raumkonto nicht bestätigt",
    remedy: "Andere sehen bei diesem Raum eine Warnung. Die Betreuung hinterlegt den Wiederherstellungsschlüssel.",
  },
  "encryption-missing": {
    title: "Besprechung nicht Ende-zu-Ende-verschlüsselt",
    remedy: "Der Raum tritt nur verschlüsselten Besprechungen bei. Bitten Sie um eine solche.",
  },
  "call-not-allowed": {
    title: "Anrufe sind dort nicht erlaubt",
    remedy: "Mitglieder dürfen dort nicht an Anrufen teilnehmen. Der Gastgeber kann das ändern.",
  },
  "transport-missing": {
    title: "Kein Konferenzserver",
    remedy: "Der Server des Raumkontos nennt keinen. Rufen Sie die Betreuung.",
  },
  "token-refused": {
    title: "Konferenzserver weist den Raum ab",
    remedy: "Er gibt dem Raumkonto keinen Zugang. Rufen Sie die Betreuung.",
  },
  "token-service-down": {
    title: "Zugang zum Konferenzserver gestört",
    remedy: "Der Dienst, der den Raum einlässt, antwortet nicht. Versuchen Sie es in einigen Minuten erneut.",
  },
  "knock-denied": {
    title: "Anklopfen abgelehnt",
    remedy: "Die Teilnehmer haben den Raum nicht eingelassen. Sprechen Sie sie an.",
  },
  "link-broken": {
    title: "Link unvollständig",
    remedy: "Er nennt keine Besprechung. Bitten Sie um den vollständigen Link.",
  },
  "clock-wrong": {
    title: "Uhr des Geräts geht falsch",
    remedy: "Die Betreuung muss die Zeiteinstellung des Geräts prüfen.",
  },
  "meeting-full": {
    title: "Besprechung ist voll",
    remedy: "Verlässt jemand die Besprechung, kann der Raum erneut beitreten.",
  },
  "removed-from-meeting": {
    title: "Aus der Besprechung entfernt",
    remedy: "Jemand hat den Raum entfernt. Sprechen Sie den Gastgeber an.",
  },
  replaced: {
    title: "Raumkonto ist anderswo beigetreten",
    remedy: "Ein anderes Gerät nutzt das Konto. Rufen Sie die Betreuung.",
  },
  "message-not-sent": {
    title: "Nachricht nicht gesendet",
    remedy: "Die Besprechung hat sie nicht angenommen. Bitte erneut senden.",
  },
  "sending-refused": {
    title: "Bild oder Ton wird nicht angenommen",
    remedy: "Der Gastgeber kann dem Raum das Senden erlauben.",
  },
  "moderation-refused": {
    title: "Das darf der Raum hier nicht",
    remedy: "Wer die Besprechung verwaltet, kann es dem Raum erlauben.",
  },
  "key-unusable": {
    title: "Ein fremder Schlüssel passt nicht",
    remedy: "Wessen Bild fehlt, der sollte neu beitreten.",
  },
  "participant-unreadable": {
    title: "Jemand ist hier nicht zu sehen",
    remedy: "Die App der Person ist zu neu oder zu alt für den Raum.",
  },
  "content-lost": {
    title: "Kein Signal vom Laptop",
    remedy: "Prüfen Sie Kabel und Laptop. Kommt das Signal nicht gleich zurück, teilen Sie erneut.",
  },
};
