// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ContentShare, ContentSignal } from "../../api/types";
import type { Explained } from "../catalogue";

/** What somebody in the room shows with a cable. */
export const content = {
  title: "Inhalt teilen",
  choose: "Eingang wählen",
  connected: "Angeschlossen",
  opening: "Das Bild wird geholt …",
  preview: (name: string) => `Vorschau: was an „${name}“ anliegt`,
  hint: "Die anderen sehen erst etwas, wenn Sie auf Teilen drücken.",
  start: "Teilen",
  stop: "Nicht mehr teilen",
  freeze: "Bild anhalten",
  unfreeze: "Bild weiterlaufen lassen",
  frozen: "Geteilt: ein Standbild",
  crop: "Ausschnitt wählen",
  cropAgain: "Ausschnitt ändern",
  cropHint: "Ziehen Sie im Bild einen Rahmen auf. Nur was darin liegt, sehen die anderen.",
  cropDone: "Fertig",
  whole: "Ganzes Bild",
  leftHalf: "Linke Hälfte",
  rightHalf: "Rechte Hälfte",
  lost: "Kein Signal vom Laptop",
  lostHint: {
    held: "Die anderen sehen noch das letzte Bild. Prüfen Sie Kabel und Laptop.",
    paused: "Die anderen sehen nichts mehr. Kommt das Signal gleich zurück, geht es weiter.",
    ended: "Das Teilen ist beendet. Ist das Signal wieder da, drücken Sie erneut auf Teilen.",
  },
  buttonFrozen: "Standbild",
  button: {
    off: "Teilen",
    starting: "Startet …",
    on: "Wird geteilt",
    held: "Kein Signal",
    paused: "Kein Signal",
    ended: "Teilen",
  } satisfies Record<ContentShare, string>,
  share: {
    off: "Nur Sie sehen dieses Bild",
    starting: "Das Teilen beginnt …",
    on: "Die anderen sehen dieses Bild",
    held: "Die anderen sehen das letzte Bild",
    paused: "Die anderen sehen nichts",
    ended: "Nicht mehr geteilt",
  } satisfies Record<ContentShare, string>,
  signal: {
    missing: {
      title: "Der Eingang ist nicht angeschlossen",
      remedy: "Prüfen Sie das Kabel zwischen Adapter und Raumsystem.",
    },
    "no-signal": {
      title: "Kein Signal",
      remedy: "Stecken Sie das Kabel am Laptop ein, und schalten Sie ihn ein.",
    },
    unstable: {
      title: "Das Signal wird gesucht …",
      remedy: "Bleibt es dabei, stecken Sie das Kabel neu ein oder nehmen Sie ein anderes.",
    },
    "out-of-range": {
      title: "Diese Auflösung geht nicht",
      remedy: "Stellen Sie den Laptop auf 1920×1080 mit 60 Hz.",
    },
    protected: {
      title: "Das Bild ist kopiergeschützt (HDCP)",
      remedy: "Schließen Sie den geschützten Inhalt, oder schalten Sie HDCP am Laptop aus.",
    },
    ready: { title: "Angeschlossen", remedy: "" },
    live: { title: "Das Bild ist da", remedy: "" },
    "no-picture": {
      title: "Es kommt kein Bild",
      remedy: "Wecken Sie den Laptop, und prüfen Sie, ob er ein Bild über das Kabel ausgibt.",
    },
    dark: {
      title: "Das Bild hat nur eine Farbe",
      remedy: "Vielleicht ist es kopiergeschützt (HDCP), oder der Laptop schläft. Öffnen Sie etwas anderes, oder wecken Sie ihn.",
    },
  } satisfies Record<ContentSignal, Explained>,
} as const;
