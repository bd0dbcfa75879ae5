// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
export const de = {
  title: "Besprechung",
  titleIn: (room: string) => `Besprechung mit ${room}`,
  language: "Sprache",
  appearance: "Darstellung",
  light: "Hell",
  dark: "Dunkel",
  german: "Deutsch",
  english: "English",
  settings: "Einstellungen",
  close: "Schließen",
  you: "Sie",
  yourName: "Ihr Name",
  nameHint: "So sehen Sie die anderen.",
  nameMissing: "Bitte geben Sie Ihren Namen ein.",
  join: "Teilnehmen",
  prejoin: {
    heading: "Bereit zur Besprechung?",
    nothingSent:
      "Noch wird nichts gesendet. Bild und Ton verlassen dieses Gerät erst, wenn Sie teilnehmen.",
    preview: "Ihre Vorschau",
    cameraOff: "Kamera ist aus",
    level: "Pegel des Mikrofons",
  },
  device: {
    microphone: "Mikrofon",
    camera: "Kamera",
    both: "Kamera und Mikrofon",
    speaker: "Lautsprecher",
    standard: "Standard",
    microphoneOn: "Mikrofon ausschalten",
    microphoneOff: "Mikrofon einschalten",
    cameraOn: "Kamera ausschalten",
    cameraOff: "Kamera einschalten",
  },
  deviceError: {
    denied: (device: string) =>
      `${device}: kein Zugriff. Erlauben Sie ihn in der Adressleiste des Browsers. Teilnehmen können Sie auch so.`,
    missing: (device: string) => `${device}: nicht vorhanden. Teilnehmen können Sie auch so.`,
    busy: (device: string) =>
      `${device}: von einem anderen Programm belegt. Teilnehmen können Sie auch so.`,
    insecure: (device: string) =>
      `${device}: nur über eine sichere Verbindung (https) verfügbar.`,
  },
  connecting: { heading: "Verbindung wird aufgebaut", text: "Einen Augenblick bitte." },
  waiting: {
    notStarted: {
      heading: "Die Besprechung hat noch nicht begonnen",
      text: "Sie kommen weiter, sobald der Raum die Besprechung öffnet. Lassen Sie diese Seite offen.",
    },
    lobby: {
      heading: "Sie sind im Warteraum",
      text: "Jemand im Raum lässt Sie gleich herein. Lassen Sie diese Seite offen.",
    },
    full: {
      heading: "Die Besprechung ist voll",
      text: "Alle Plätze sind besetzt. Sie rücken nach, sobald einer frei wird.",
    },
    cancel: "Nicht mehr warten",
  },
  password: {
    heading: "Diese Besprechung hat ein Kennwort",
    text: "Sie finden es in der Einladung oder bekommen es von der einladenden Person.",
    label: "Kennwort",
    wrong: "Das Kennwort stimmt nicht. Bitte versuchen Sie es noch einmal.",
    missing: "Bitte geben Sie das Kennwort ein.",
    submit: "Weiter",
    show: "Kennwort zeigen",
  },
  meeting: {
    share: "Fenster oder Tab teilen",
    stopShare: "Teilen beenden",
    youShare: "Sie teilen ein Fenster oder einen Tab.",
    hand: "Hand heben",
    handDown: "Hand senken",
    chat: "Chat",
    chatUnread: (count: number) =>
      count === 1 ? "Chat, 1 neue Nachricht" : `Chat, ${count} neue Nachrichten`,
    people: "Personen",
    peopleCount: (count: number) => (count === 1 ? "1 Person" : `${count} Personen`),
    leave: "Verlassen",
    controls: "Steuerung",
    tiles: "Teilnehmende",
    muted: "Mikrofon aus",
    noCamera: "Kamera aus",
    sharing: "teilt Inhalt",
    handRaised: "Hand gehoben",
    speaking: "spricht",
    connecting: "verbindet …",
    interrupted: "Verbindung unterbrochen",
    room: "Raum",
    sharedBy: (name: string) => `${name} teilt`,
    encrypted: "Ende-zu-Ende-verschlüsselt",
    encryptedText:
      "Bild und Ton gehen auf direktem Weg zwischen den Geräten. Jede Verbindung steht, und ihr Zertifikat ist geprüft.",
    securing: "Verbindungen werden gesichert",
    securingText: "Noch steht nicht jede Verbindung. Bis dahin gilt die Verschlüsselung nicht als geprüft.",
    offline: "Verbindung zum Raum unterbrochen. Sie wird wiederhergestellt.",
  },
  shareError: {
    "whole-screen":
      "Der ganze Bildschirm wird nicht geteilt, weil er mehr zeigt, als Sie meinen. Wählen Sie ein Fenster oder einen Tab.",
    failed: "Teilen ist nicht gelungen. Versuchen Sie es mit einem anderen Fenster.",
  },
  chat: {
    empty: "Noch keine Nachrichten.",
    forgotten: "Nachrichten werden nirgends gespeichert.",
    placeholder: "Nachricht an alle",
    send: "Senden",
  },
  over: {
    left: { heading: "Sie haben die Besprechung verlassen", text: "Kamera und Mikrofon sind aus." },
    ended: {
      heading: "Die Besprechung ist beendet",
      text: "Kamera und Mikrofon sind aus. Sie können diese Seite schließen.",
    },
    lost: {
      heading: "Der Raum ist nicht zu erreichen",
      text: "Prüfen Sie die Netzwerkverbindung dieses Geräts und versuchen Sie es noch einmal.",
    },
    "unknown-meeting": {
      heading: "Diese Besprechung gibt es nicht",
      text: "Vergleichen Sie die Adresse mit der Einladung, oder fragen Sie die einladende Person.",
    },
    denied: {
      heading: "Sie wurden nicht eingelassen",
      text: "Wenn das ein Versehen war, melden Sie sich bei der einladenden Person.",
    },
    removed: {
      heading: "Sie wurden aus der Besprechung entfernt",
      text: "Wenn das ein Versehen war, melden Sie sich bei der einladenden Person.",
    },
    "too-many": {
      heading: "Zu viele Versuche",
      text: "Warten Sie einige Minuten und versuchen Sie es dann noch einmal.",
    },
    "too-slow": {
      heading: "Die Zeit ist abgelaufen",
      text: "Der Raum hat zu lange auf Ihre Eingabe gewartet. Versuchen Sie es noch einmal.",
    },
    "bad-message": {
      heading: "Die Verbindung wurde getrennt",
      text: "Der Raum hat diese Seite nicht verstanden. Laden Sie die Seite neu.",
    },
    version: {
      heading: "Diese Seite ist veraltet",
      text: "Laden Sie die Seite neu, dann geht es weiter.",
    },
    again: "Noch einmal teilnehmen",
    retry: "Noch einmal versuchen",
    reload: "Seite neu laden",
  },
  say: {
    joined: "Sie sind in der Besprechung.",
    offline: "Verbindung unterbrochen.",
    online: "Verbindung wiederhergestellt.",
    came: (name: string) => `${name} ist dazugekommen.`,
    went: (name: string) => `${name} ist gegangen.`,
    hand: (name: string) => `${name} hebt die Hand.`,
    shares: (name: string) => `${name} teilt Inhalt.`,
    wrote: (name: string) => `Nachricht von ${name}.`,
  },
};
