// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Refusal } from "../../api/types";
import type { Explained } from "../catalogue";

export const refusals: Record<Refusal, Explained> = {
  "calendar-read-only": {
    title: "Dieser Kalender nimmt keine Antworten an",
    remedy: "Sagen Sie der einladenden Person selbst zu oder ab.",
  },
  "not-invited": {
    title: "Der Raum ist zu diesem Termin nicht eingeladen",
    remedy: "Bitten Sie die einladende Person, den Raum einzuladen.",
  },
  "calendar-conflict": {
    title: "Der Termin wurde gerade geändert",
    remedy: "Sehen Sie ihn noch einmal an, und antworten Sie dann.",
  },
  "calendar-refused": {
    title: "Der Kalender nimmt die Antwort nicht an",
    remedy: "Das Konto des Raums darf das nicht. Rufen Sie die Betreuung.",
  },
  "calendar-unreachable": {
    title: "Der Kalender antwortet nicht",
    remedy: "Versuchen Sie es in einigen Minuten noch einmal.",
  },
  "pairing-locked": {
    title: "Koppeln ist gerade gesperrt",
    remedy: "Es gab zu viele falsche Codes. Warten Sie einige Minuten.",
  },
  "camera-unknown": {
    title: "Diese Kamera ist nicht angeschlossen",
    remedy: "Prüfen Sie das Kabel der Kamera, oder wählen Sie eine andere.",
  },
  "camera-refused": {
    title: "Die Kamera folgt nicht",
    remedy: "Sie kann das nicht, oder sie ist am Anschlag. Versuchen Sie eine andere Richtung.",
  },
  "camera-cannot": {
    title: "Die Kamera kann das nicht",
    remedy: "Sie stellt das selbst ein, oder gar nicht.",
  },
  "camera-value": {
    title: "Diesen Wert hat die Kamera nicht",
    remedy: "Wählen Sie einen anderen.",
  },
  "preset-unknown": {
    title: "Diese Position gibt es nicht mehr",
    remedy: "Die Anzeige ist gleich wieder aktuell.",
  },
  "preset-name": {
    title: "Dieser Name geht nicht",
    remedy: "Der Name einer Position hat 1 bis 40 Zeichen.",
  },
  "presets-full": {
    title: "Die Kamera merkt sich keine weiteren Positionen",
    remedy: "Löschen Sie zuerst eine, die niemand mehr braucht.",
  },
  "content-unknown": {
    title: "Dieser Eingang ist nicht angeschlossen",
    remedy: "Prüfen Sie das Kabel des Eingangs, oder wählen Sie einen anderen.",
  },
  "content-no-picture": {
    title: "Kein Bild zum Teilen",
    remedy: "Prüfen Sie Kabel und Laptop, und versuchen Sie es dann noch einmal.",
  },
  "content-protected": {
    title: "Das Bild ist kopiergeschützt (HDCP)",
    remedy: "Schließen Sie den geschützten Inhalt, oder schalten Sie HDCP am Laptop aus.",
  },
  "in-call": {
    title: "Während einer Besprechung geht das nicht",
    remedy: "Verlassen Sie zuerst die Besprechung.",
  },
  "sound-test-runs": {
    title: "Der Tontest läuft",
    remedy: "Warten Sie, bis er fertig ist, oder brechen Sie ihn ab.",
  },
  "microphone-muted": {
    title: "Das Mikrofon ist am Gerät stummgeschaltet",
    remedy: "Drücken Sie seine Stummtaste, und versuchen Sie es dann noch einmal.",
  },
  "microphone-missing": {
    title: "Kein Mikrofon angeschlossen",
    remedy: "Prüfen Sie das Kabel des Mikrofons.",
  },
  "loudspeaker-missing": {
    title: "Kein Lautsprecher angeschlossen",
    remedy: "Prüfen Sie Kabel und Stromversorgung des Lautsprechers.",
  },
  "not-now": { title: "Das geht gerade nicht", remedy: "Der Raum ist in einem anderen Zustand." },
  unknown: { title: "Nicht mehr vorhanden", remedy: "Die Anzeige ist gleich wieder aktuell." },
  "bad-link": { title: "Das ist kein Link", remedy: "Prüfen Sie die Adresse und versuchen Sie es erneut." },
  "destination-not-allowed": {
    title: "Ziel nicht freigegeben",
    remedy: "Der Raum öffnet nur freigegebene Dienste. Bitte die Betreuung um Freigabe.",
  },
  "platform-unknown": {
    title: "Konferenzdienst unbekannt",
    remedy: "Dieser Raum kann dem Dienst nicht beitreten.",
  },
  "bad-request": { title: "Nicht verstanden", remedy: "Die Eingabe ist zu lang oder ungültig." },
  busy: { title: "Der Raum ist ausgelastet", remedy: "Versuchen Sie es in einem Moment erneut." },
};
