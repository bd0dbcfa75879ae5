// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { AgendaEntry, Call, State } from "../../src/api/types";
import { person } from "./people";

/** Monday, 23 November 2026, 9:12 in Berlin. */
export const NOW = Date.UTC(2026, 10, 23, 8, 12);

export function at(hour: number, minute = 0): string {
  return new Date(Date.UTC(2026, 10, 23, hour - 1, minute)).toISOString();
}

export function entry(id: string, title: string | null, from: string, to: string, change: Partial<AgendaEntry> = {}): AgendaEntry {
  return {
    id,
    title,
    start: from,
    end: to,
    allDay: false,
    attendance: "accepted",
    link: { kind: "joinable", provider: "direct" },
    warnings: [],
    ...change,
  };
}

export const DAY: AgendaEntry[] = [
  entry("jf", "Jour fixe Digitalisierung", at(9, 30), at(10, 15)),
  entry("haushalt", "Haushaltsgespräch mit der Kämmerei", at(10, 30), at(11, 30), {
    link: { kind: "joinable", provider: "opentalk" },
    warnings: ["password-in-invitation"],
  }),
  entry("bau", "Vor-Ort-Termin Bauamt", at(12), at(13), { link: { kind: "none" } }),
  entry("extern", "Vorstellung neuer Dienstleister", at(13, 30), at(14, 30), {
    link: { kind: "refused", host: "meet.example.com", reason: "not-allowed" },
    attendance: "needs-action",
  }),
  entry("personal", null, at(15), at(16), {
    link: { kind: "joinable", provider: "jitsi" },
    attendance: "tentative",
  }),
];

export const IDLE: State = {
  room: {
    name: "Sitzungssaal 2",
    phase: { phase: "idle" },
    language: "de",
    timeZone: "Europe/Berlin",
    hostsMeetings: true,
    joinsSending: false,
    version: "0.1.0",
    support: "IT-Service, Telefon 4711",
  },
  agenda: { entries: DAY, readAt: at(9, 11), stale: false, configured: true, skipped: [] },
  call: null,
  devices: {
    camera: "Logitech BRIO",
    microphone: "Jabra SPEAK 750",
    loudspeaker: "Jabra SPEAK 750",
    display: "HDMI-A-1 · 1920×1080",
    contentDisplay: null,
    testPicture: false,
    displayAsks: false,
  },
  cameras: [],
  content: [],
  health: { score: 100, items: [] },
  soundTest: { progress: null, result: null, selfHear: null, selfHearFailed: null },
  pairing: null,
  faults: [],
  statistics: {
    joinMs: null,
    firstRemoteFrameMs: null,
    fpsSent: null,
    fpsReceived: null,
    avOffsetMs: null,
    cpuPercent: 4.2,
    rssMb: 61,
    threads: 14,
    descriptors: 47,
    badMessages: 0,
    freezes: 0,
    sound: { stretchedMs: 0, compressedMs: 0, skippedMs: 0, missingMs: 0 },
    peers: [],
    streams: [],
    sent: [],
    qualityLimit: null,
    voice: null,
  },
};

export const CALL: Call = {
  title: "Jour fixe Digitalisierung",
  provider: "direct",
  guestUrl: "https://sitzungssaal-2.rathaus.example/meet/k7m2-x9q4-ra5t",
  since: at(9, 2),
  sending: true,
  microphone: true,
  camera: true,
  content: false,
  volume: 65,
  layout: "grid",
  hand: false,
  e2ee: "verified",
  participants: [
    person("p0", "Erika Mustermann", { speaking: true }),
    person("p1", "Ahmet Yılmaz", { microphone: false, sharing: true }),
    person("p2", "Katarzyna Wiśniewska", { camera: false, hand: true, reaction: "👏", connection: "poor" }),
  ],
  waiting: [],
  speaker: "p0",
  sharer: "p1",
  chat: [],
  passwordWanted: null,
  countdown: null,
  canAdmit: true,
  canChat: true,
  canRaiseHand: true,
  canShare: true,
  previews: [],
};

export function idle(change: Partial<State> = {}, room: Partial<State["room"]> = {}): State {
  return { ...IDLE, ...change, room: { ...IDLE.room, ...room } };
}

export function inCall(call: Partial<Call> = {}, change: Partial<State> = {}): State {
  return { ...IDLE, call: { ...CALL, ...call }, ...change, room: { ...IDLE.room, phase: { phase: "in-call" } } };
}
