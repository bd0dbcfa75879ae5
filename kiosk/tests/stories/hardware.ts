// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Camera, CameraAdjusts, CameraPreset, ContentInput, Health, HealthItem, Severity, SoundTest, SoundTestLine } from "../../src/api/types";

/** A drawn room, seen closer or from farther away; a camera's own picture would be a photograph. */
function view(x: number, y: number, width: number): string {
  const seats = [40, 90, 150, 210, 260].map(
    (at, seat) =>
      `<circle cx='${at}' cy='${72 + (seat % 2) * 4}' r='11' fill='#d9b99b'/><path d='M${at - 20} 118q20-46 40 0z' fill='#${["41618c", "6b4a6e", "3f6b57", "7a5a3a", "46506b"][seat]}'/>`,
  );
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='${x} ${y} ${width} ${(width * 9) / 16}'><path fill='#c9cfd6' d='M0 0h320v180H0z'/><path fill='#8aa7bd' d='M24 14h76v44H24z'/><path fill='#22303f' d='M196 12h92v46h-92z'/>${seats.join("")}<path fill='#8a6748' d='M10 112h300l10 68H0z'/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

const preset = (name: string, thumbnail: string | null): CameraPreset => ({ name, thumbnail });

const range = (min: number, max: number): CameraAdjusts["range"] => ({ min, max, step: 1, default: min });

export const FRONT: Camera = {
  name: "Kamera vorn",
  present: true,
  active: true,
  moves: true,
  zooms: true,
  adjusts: [
    { setting: "focus", automatic: true, once: false, value: 30, range: range(0, 250) },
    { setting: "exposure", automatic: false, once: false, value: 200, range: range(3, 2047) },
    { setting: "backlight", automatic: null, once: false, value: 0, range: range(0, 1) },
  ],
  presets: [
    preset("Ganzer Tisch", view(0, 0, 320)),
    preset("Rednerpult", view(180, 30, 110)),
    preset("Sitz der Oberbürgermeisterin Dr. Großmann", view(110, 50, 90)),
    preset("Fensterseite", null),
  ],
};

export const TABLE: Camera = {
  name: "Logitech BRIO Ultra HD Webcam",
  present: true,
  active: false,
  moves: false,
  zooms: false,
  adjusts: [],
  presets: [],
};

export const HDMI: ContentInput = {
  name: "Tischanschluss",
  signal: "ready",
  width: 1920,
  height: 1080,
  share: "off",
  frozen: false,
  crop: { x: 0, y: 0, width: 1000, height: 1000 },
};

/** A drawn slide, in the shape of the laptop that shows it. */
export function slide(width = 1600, height = 900): Blob {
  const bars = [420, 610, 300, 760].map((length, row) => `<path fill='#2f6db0' d='M120 ${320 + row * 110}h${length}v60h-${length}z'/>`);
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' width='${width}' height='${height}'><path fill='#f6f7f9' d='M0 0h${width}v${height}H0z'/><path fill='#22303f' d='M120 120h720v70H120z'/><path fill='#9aa7b4' d='M120 220h460v30H120z'/>${bars.join("")}</svg>`;
  return new Blob([svg], { type: "image/svg+xml" });
}

export const BOTH: Camera[] = [FRONT, TABLE];

function item(
  code: string,
  severity: Severity | null,
  device: string,
  de: string,
  en: string,
  more: Partial<HealthItem> = {},
): HealthItem {
  return { code, severity, device, text: { de, en }, remedy: null, detail: null, ...more };
}

const CAMERA = item(
  "camera-ok",
  null,
  "front",
  "Die Kamera „PTZ Pro 2“ ist in Ordnung.",
  "The camera “PTZ Pro 2” is well.",
);
const MICROPHONE = item(
  "microphone-ok",
  null,
  "usb:0b0e:2420/A1B2C3D4@1-1.3:1.0",
  "Das Mikrofon „Jabra SPEAK 750“ ist in Ordnung.",
  "The microphone “Jabra SPEAK 750” is well.",
);
const REST: HealthItem[] = [
  item(
    "loudspeaker-ok",
    null,
    "usb:0b0e:2420/A1B2C3D4@1-1.3:1.0",
    "Der Lautsprecher „Jabra SPEAK 750“ ist in Ordnung.",
    "The loudspeaker “Jabra SPEAK 750” is well.",
  ),
  item(
    "display-ok",
    null,
    "HDMI-A-1",
    "Der Bildschirm „Samsung QM55C“ ist in Ordnung.",
    "The display “Samsung QM55C” is well.",
  ),
  item("panel-ok", null, "panel", "Das Bedienfeld „ILITEK Touch“ ist in Ordnung.", "The panel “ILITEK Touch” is well."),
];

export const HEALTH_WELL: Health = { score: 100, items: [CAMERA, MICROPHONE, ...REST] };

export const HEALTH_TROUBLED: Health = {
  score: 47,
  items: [
    item(
      "camera-slow",
      "notice",
      "usb:046d:085e@1-1.4.2:1.0",
      "Die Kamera „Logitech BRIO“ liefert weniger, als zu erwarten ist.",
      "The camera “Logitech BRIO” delivers less than can be expected.",
      {
        remedy: {
          de: "Bitte direkt statt über einen Hub anschließen; Kameras brauchen genug Licht.",
          en: "Please plug it in directly, not into a hub; cameras need enough light.",
        },
        detail: "15 of 30 frames per second for 60 s",
      },
    ),
    item(
      "camera-missing",
      "error",
      "front",
      "Die Kamera „PTZ Pro 2“ fehlt.",
      "The camera “PTZ Pro 2” is missing.",
      { remedy: { de: "Bitte Kabel und Stromversorgung prüfen.", en: "Please check cable and power." } },
    ),
    MICROPHONE,
    ...REST,
    item(
      "keys-moved",
      "notice",
      "usb:0079:0006@1-1.1:1.0",
      "Die Taste „Tischtaster“ steckt in einem anderen Anschluss.",
      "The key “Tischtaster” is plugged into another port.",
      {
        remedy: {
          de: "Es funktioniert. Bitte zurückstecken, oder die Einstellung anpassen.",
          en: "It works. Please plug it back, or change the setting.",
        },
        detail: "1-1.2 -> 1-1.1",
      },
    ),
    item(
      "display-control-disobeys",
      "warning",
      "/dev/cec0",
      "Die Steuerung des Bildschirms „Samsung QM55C“ folgt dem Raum nicht.",
      "The display control “Samsung QM55C” does not follow the room.",
      {
        remedy: {
          de: "Bitte am Gerät selbst bedienen, und nach neuer Firmware sehen.",
          en: "Please use the device's own controls, and look for newer firmware.",
        },
      },
    ),
  ],
};

function line(code: string, severity: Severity | null, de: string, en: string, remedy: SoundTestLine["remedy"] = null): SoundTestLine {
  return { code, severity, text: { de, en }, remedy };
}

const HEARD = line("self-test-heard", null, "Der Lautsprecher kommt mit -31,4 dBFS am Mikrofon an.", "The loudspeaker reaches the microphone at -31.4 dBFS.");
const DRIFT = line("self-test-drift", null, "Die Uhren von Mikrofon und Lautsprecher gehen um 12,3 ppm auseinander.", "The clocks of microphone and loudspeaker differ by 12.3 ppm.");

export const SOUND_WELL: SoundTest = {
  progress: null,
  selfHear: null,
  selfHearFailed: null,
  result: {
    at: "2026-06-11T06:30:00Z",
    microphone: "Jabra SPEAK 750",
    loudspeaker: "Jabra SPEAK 750",
    severity: null,
    lines: [line("self-test-delay", null, "Der Weg vom Lautsprecher zum Mikrofon dauert 83,4 ms.", "The way from the loudspeaker to the microphone takes 83.4 ms."), HEARD, DRIFT],
  },
};

export const SOUND_TROUBLED: SoundTest = {
  progress: null,
  selfHear: null,
  selfHearFailed: null,
  result: {
    at: "2025-11-03T14:05:00Z",
    microphone: null,
    loudspeaker: null,
    severity: "error",
    lines: [
      line("self-test-clipping", "error", "Das Mikrofon ist übersteuert.", "The microphone is overdriven.", {
        de: "Bitte Lautsprecher leiser stellen oder weiter vom Mikrofon entfernen.",
        en: "Please turn the loudspeaker down, or move it away from the microphone.",
      }),
      line("self-test-delay", "warning", "Der Weg vom Lautsprecher zum Mikrofon dauert 212,0 ms.", "The way from the loudspeaker to the microphone takes 212.0 ms.", {
        de: "Bitte Nachbearbeitung am Fernseher ausschalten (Spielmodus).",
        en: "Please turn off processing at the television (game mode).",
      }),
      HEARD,
    ],
  },
};

export const SOUND_RUNNING: SoundTest = { progress: 42, result: SOUND_WELL.result, selfHear: null, selfHearFailed: null };

export const HEAR_SPEAKING: SoundTest = {
  ...SOUND_WELL,
  selfHear: { phase: "speaking", endsAt: "2026-06-11T06:40:05Z" },
};

export const HEAR_FAILED: SoundTest = { ...SOUND_WELL, selfHearFailed: "microphone-missing" };

export const HEAR_LISTENING: SoundTest = {
  ...SOUND_WELL,
  selfHear: { phase: "listening", endsAt: "2026-06-11T06:40:10.500Z" },
};
