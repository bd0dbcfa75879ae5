// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Every state that the panel draws, as a snapshot; each is a screenshot and an accessibility check.
import type { Levels, State } from "../../src/api/types";
import type { Link } from "../../src/room";
import type { Ui } from "../../src/snapshot";
import { BOTH, FRONT, HDMI, HEALTH_TROUBLED, HEALTH_WELL, HEAR_FAILED, HEAR_LISTENING, HEAR_SPEAKING, SOUND_RUNNING, SOUND_TROUBLED, SOUND_WELL, TABLE, slide } from "./hardware";
import { chat, crowd, person } from "./people";
import { CALL, DAY, IDLE, NOW, at, entry, idle, inCall } from "./state";

export interface Story {
  readonly link?: Link;
  readonly state: State | null;
  readonly ui?: Partial<Ui>;
  readonly levels?: Partial<Levels>;
  /** What the content inputs show. */
  readonly preview?: Blob;
  /** The panel is the device's own screen: its fields bring the keyboard. */
  readonly wired?: boolean;
}

const LONG = "Gemeinsame Sitzung des Ausschusses für Stadtentwicklung, Bauwesen und Verkehr mit dem Rechnungsprüfungsausschuss zur Fortschreibung des Nahverkehrsplans";
const LATER = new Date(NOW + 45_000).toISOString();

const CONTENT = { kind: "content", input: null, cropping: false } as const;

function agenda(change: Partial<State["agenda"]>): State {
  return idle({ agenda: { ...IDLE.agenda, ...change } });
}

export const STORIES: Record<string, Story> = {
  pairing: { link: "unpaired", state: null, ui: { pairing: { code: "418", status: "typing" } } },
  "pairing-wrong": {
    link: "unpaired",
    state: null,
    ui: { pairing: { code: "", status: { kind: "wrong", triesLeft: 2 } } },
  },
  "pairing-locked": {
    link: "unpaired",
    state: null,
    ui: { pairing: { code: "", status: { kind: "locked", retryAfterSeconds: 60 } } },
  },
  connecting: { link: "connecting", state: null },
  "connecting-over": { link: "connecting", state: inCall() },

  idle: { state: idle() },
  "idle-busy": {
    state: agenda({ entries: [entry("lauf", "Standesamt intern", at(9), at(9, 45), { link: { kind: "none" } }), ...DAY.slice(1)] }),
  },
  "idle-empty": { state: agenda({ entries: [] }) },
  "idle-no-calendar": {
    state: idle({ agenda: { entries: [], readAt: null, stale: false, configured: false, skipped: [] } }),
  },
  "idle-stale": {
    state: idle({ agenda: { ...IDLE.agenda, stale: true }, faults: [{ code: "calendar-unreachable", detail: null }] }),
  },
  "idle-long": {
    state: idle(
      {
        agenda: {
          ...IDLE.agenda,
          entries: [
            entry("tag", "Klausurtagung des Verwaltungsvorstands", at(0), new Date(Date.UTC(2026, 10, 25, 23)).toISOString(), { allDay: true, link: { kind: "none" } }),
            entry("lang", LONG, at(9, 30), at(12), { warnings: ["short-id", "reused-id", "password-in-invitation"] }),
            entry("wort", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", at(12), at(13), { attendance: "declined" }),
            ...DAY.slice(3),
            ...DAY.slice(0, 3).map((item) => ({ ...item, id: `${item.id}-2`, start: at(17), end: at(18) })),
          ],
        },
      },
      { name: "Großer Sitzungssaal im Alten Rathaus, Ostflügel, 2. Obergeschoss" },
    ),
  },
  "idle-faults": {
    state: idle({
      faults: [
        { code: "camera-missing", detail: "usb 1-1.2: no frames for 10 s" },
        { code: "microphone-missing", detail: null },
        { code: "config-rejected", detail: "/etc/roomd/roomd.toml:14:3" },
      ],
    }),
  },
  "idle-joins-sending": { state: idle({}, { joinsSending: true }) },
  "idle-refused-toast": { state: idle(), ui: { toast: "destination-not-allowed" } },
  "join-link": { state: idle(), ui: { dialog: { kind: "join-link" } } },
  "start-meeting": { state: idle(), ui: { dialog: { kind: "start-meeting" } } },
  "keyboard-link": { state: idle(), ui: { dialog: { kind: "join-link" } }, wired: true },
  "keyboard-password": {
    state: { ...inCall({ sending: false, passwordWanted: true }), room: { ...IDLE.room, phase: { phase: "joining" } } },
    wired: true,
  },
  "keyboard-chat": { state: inCall({ chat: chat() }), ui: { tab: "chat", seenChat: 5 }, wired: true },
  "booking-joinable": { state: idle(), ui: { dialog: { kind: "booking", booking: "haushalt" } } },
  "booking-refused": { state: idle(), ui: { dialog: { kind: "booking", booking: "extern" } } },

  offered: { state: idle({ agenda: { ...IDLE.agenda, entries: [entry("jf", "Jour fixe Digitalisierung", at(9, 15), at(10, 15)), ...DAY.slice(1)] } }, { phase: { phase: "offered", booking: "jf" } }) },
  "offered-long": {
    state: idle(
      { agenda: { ...IDLE.agenda, entries: [entry("jf", LONG, at(9), at(10, 15)), ...DAY.slice(1)] }, faults: [{ code: "camera-missing", detail: null }] },
      { phase: { phase: "offered", booking: "jf" }, joinsSending: true },
    ),
  },

  joining: {
    state: { ...inCall({ sending: false, participants: [] }), room: { ...IDLE.room, phase: { phase: "joining" } } },
    levels: { microphone: 34 },
  },
  "joining-sending": {
    state: { ...inCall({ participants: [] }), room: { ...IDLE.room, joinsSending: true, phase: { phase: "joining" } } },
  },
  lobby: {
    state: { ...inCall({ sending: false, participants: [] }), room: { ...IDLE.room, phase: { phase: "lobby" } } },
    levels: { microphone: 12 },
  },
  password: {
    state: { ...inCall({ sending: false, passwordWanted: false }), room: { ...IDLE.room, phase: { phase: "joining" } } },
  },
  "password-wrong": {
    state: { ...inCall({ sending: false, passwordWanted: true }), room: { ...IDLE.room, phase: { phase: "joining" } } },
  },

  "in-call-silent": {
    state: inCall({ sending: false, microphone: false, camera: false }),
    levels: { microphone: 38 },
  },
  "in-call": { state: inCall(), levels: { microphone: 62 } },
  "in-call-muted": { state: inCall({ microphone: false, camera: false, hand: true, volume: 0, layout: "share" }) },
  "in-call-alone": {
    state: inCall({ participants: [], e2ee: "pending", title: null }),
    ui: { tab: "invite" },
  },
  "in-call-nobody": { state: inCall({ participants: [], e2ee: "pending" }) },
  "in-call-countdown": {
    state: inCall({ participants: [], e2ee: "pending", countdown: { endsAt: LATER } }),
  },
  "in-call-waiting": {
    state: inCall({
      sending: false,
      microphone: false,
      camera: false,
      waiting: [person("w1", "Fatima O’Neill"), person("w2", "Maximilian-Alexander von und zu Hohenlohe-Langenburg")],
    }),
  },
  "in-call-forty": {
    state: inCall({ participants: crowd(40), e2ee: "off", title: LONG, chat: chat() }, { faults: [{ code: "peer-not-verified", detail: null }] }),
    ui: { person: "p2" },
    levels: { microphone: 80 },
  },
  "in-call-troubled": {
    state: inCall({
      participants: [person("p0", "Erika Mustermann"), person("p1", "Ahmet Yılmaz"), person("p2", "Zoë Schulz")],
      previews: [
        { stream: 1, participant: "p0", kind: "camera", live: false, trouble: "stalled" },
        { stream: 2, participant: "p1", kind: "camera", live: false, trouble: "undecodable" },
        { stream: 3, participant: "p2", kind: "audio", live: false, trouble: "undecryptable" },
      ],
    }),
  },
  "in-call-chat": { state: inCall({ chat: chat() }), ui: { tab: "chat", seenChat: 5 } },
  "in-call-chat-empty": { state: inCall(), ui: { tab: "chat" } },
  "in-call-leave": { state: inCall(), ui: { dialog: { kind: "leave" } } },
  "in-call-remove": { state: inCall(), ui: { dialog: { kind: "remove", participant: "p1" } } },
  reconnecting: { state: { ...inCall(), room: { ...IDLE.room, phase: { phase: "reconnecting", attempt: 2 } } } },
  leaving: { state: { ...inCall(), room: { ...IDLE.room, phase: { phase: "leaving" } } } },

  fault: { state: idle({}, { phase: { phase: "fault", code: "meeting-unreachable" } }) },
  "fault-not-allowed": { state: idle({}, { phase: { phase: "fault", code: "destination-not-allowed" } }) },
  "fault-long": { state: idle({ faults: [{ code: "account-refused", detail: null }] }, { phase: { phase: "fault", code: "encryption-missing" } }) },
  diagnosis: {
    state: {
      ...inCall(),
      faults: [{ code: "config-rejected", detail: "/etc/roomd/roomd.toml:14:3: unknown key `cammera`" }],
      agenda: { ...IDLE.agenda, skipped: [{ uid: "7f0c21b4-0d7e-4c2a-9d55-1a6b7f1e0c3a@rathaus.example", cause: "unknown-zone" }] },
      devices: { ...IDLE.devices, camera: null },
      statistics: {
        joinMs: 842, firstRemoteFrameMs: 1130, fpsSent: 29.8, fpsReceived: 29.9, avOffsetMs: -14, cpuPercent: 37.5, rssMb: 143, threads: 31, descriptors: 88, badMessages: 1, freezes: 1,
        sound: { stretchedMs: 84, compressedMs: 112, skippedMs: 0, missingMs: 35 },
        peers: [
          {
            participant: "p0",
            rttMs: 18,
            lossPercent: 0.2,
            receivedKbps: 1480,
            sentKbps: 1512,
            relays: 2,
            relayFailures: 0,
            relayFailure: null,
          },
          {
            participant: "p1",
            rttMs: null,
            lossPercent: null,
            receivedKbps: 620,
            sentKbps: 1498,
            relays: 0,
            relayFailures: 1,
            relayFailure: "turn_silent",
          },
        ],
        streams: [
          { stream: 1, kind: "audio", fps: 50, kbps: 31, width: null, height: null, jitterMs: 2.1, delayMs: 25, avOffsetMs: -14, lost: 3, freezes: 0 },
          { stream: 2, kind: "camera", fps: 29.8, kbps: 1420, width: 1280, height: 720, jitterMs: 6.4, delayMs: 58, avOffsetMs: -14, lost: 0, freezes: 1 },
          { stream: 3, kind: "screen", fps: 12.4, kbps: 610, width: 1920, height: 1080, jitterMs: 9.7, delayMs: 64, avOffsetMs: null, lost: 1, freezes: 0 },
        ],
        sent: [
          { kind: "audio", fps: 50, kbps: 30, targetKbps: null, width: null, height: null },
          { kind: "camera", fps: 30, kbps: 184, targetKbps: 200, width: 320, height: 180 },
          { kind: "camera", fps: 30, kbps: 1310, targetKbps: 1400, width: 1280, height: 720 },
        ],
        qualityLimit: "cpu-without-720p",
        voice: { delayMs: 84, erleDb: 31.4, driftPpm: -18.2 },
      },
      call: CALL,
    },
    ui: { dialog: { kind: "diagnosis" } },
  },

  "health-well": {
    state: idle({ health: HEALTH_WELL }),
    ui: { dialog: { kind: "diagnosis" } },
  },
  "health-troubled": {
    state: idle({
      health: HEALTH_TROUBLED,
      devices: { ...IDLE.devices, camera: null },
      faults: [
        { code: "camera-missing", detail: null },
        { code: "config-rejected", detail: "/etc/roomd/roomd.toml:14:3" },
      ],
    }),
    ui: { dialog: { kind: "diagnosis" } },
  },
  "sound-test-well": { state: idle({ soundTest: SOUND_WELL }), ui: { dialog: { kind: "diagnosis" } } },
  "sound-test-troubled": { state: idle({ soundTest: SOUND_TROUBLED }), ui: { dialog: { kind: "diagnosis" } } },
  "sound-test-running": { state: idle({ soundTest: SOUND_RUNNING }), ui: { dialog: { kind: "diagnosis" } } },
  "self-hear-speaking": {
    state: idle({ soundTest: HEAR_SPEAKING }),
    ui: { dialog: { kind: "diagnosis" } },
    levels: { microphone: 48 },
  },
  "self-hear-listening": { state: idle({ soundTest: HEAR_LISTENING }), ui: { dialog: { kind: "diagnosis" } } },
  "self-hear-failed": { state: idle({ soundTest: HEAR_FAILED }), ui: { dialog: { kind: "diagnosis" } } },
  "idle-self-hear": { state: idle({ soundTest: HEAR_SPEAKING }) },
  "self-hear-refused": {
    state: idle({ soundTest: SOUND_WELL }),
    ui: { dialog: { kind: "diagnosis" }, toast: "microphone-muted" },
  },
  "idle-cameras": { state: idle({ cameras: BOTH }) },
  "lobby-cameras": {
    state: { ...inCall({ sending: false, participants: [] }, { cameras: BOTH }), room: { ...IDLE.room, phase: { phase: "lobby" } } },
  },
  "in-call-cameras": { state: inCall({}, { cameras: BOTH }) },
  "in-call-silent-cameras": { state: inCall({ sending: false, microphone: false, camera: false }, { cameras: BOTH }) },
  cameras: { state: inCall({}, { cameras: BOTH }), ui: { dialog: { kind: "cameras" } } },
  "cameras-one": {
    state: idle({ cameras: [{ ...FRONT, presets: [] }] }),
    ui: { dialog: { kind: "cameras" } },
  },
  "cameras-fixed": {
    state: inCall({}, { cameras: [{ ...FRONT, active: false }, { ...TABLE, active: true }] }),
    ui: { dialog: { kind: "cameras" } },
  },
  "cameras-many": {
    state: inCall({}, {
      cameras: [
        { ...FRONT, moves: false, presets: Array.from({ length: 8 }, () => FRONT.presets).flat().map((preset, index) => ({ ...preset, name: `Platz ${index + 1}` })) },
        TABLE,
        { ...TABLE, name: "Dokumentenkamera am Rednerpult, rechts vorn neben der Tür" },
        { ...TABLE, name: "Kamera hinten", present: false },
      ],
    }),
    ui: { dialog: { kind: "cameras" } },
  },
  "cameras-unplugged": {
    state: inCall({}, { cameras: [{ ...FRONT, present: false }, TABLE] }),
    ui: { dialog: { kind: "cameras" } },
  },
  "cameras-none": {
    state: inCall({}, { cameras: [{ ...FRONT, present: false, active: false }, { ...TABLE, present: false }] }),
    ui: { dialog: { kind: "cameras" } },
  },
  "cameras-refused": {
    state: inCall({}, { cameras: BOTH }),
    ui: { dialog: { kind: "cameras" }, toast: "camera-refused" },
  },
  "cameras-edit": { state: inCall({}, { cameras: BOTH }), ui: { dialog: { kind: "edit-presets" } } },
  "preset-save": {
    state: inCall({}, { cameras: BOTH }),
    ui: { dialog: { kind: "save-preset", camera: FRONT.name } },
  },
  "preset-save-keyboard": {
    state: inCall({}, { cameras: BOTH }),
    ui: { dialog: { kind: "save-preset", camera: FRONT.name } },
    wired: true,
  },
  "preset-delete": {
    state: inCall({}, { cameras: BOTH }),
    ui: { dialog: { kind: "delete-preset", camera: FRONT.name, preset: "Ganzer Tisch" } },
  },
  "in-call-content": { state: inCall({}, { cameras: BOTH, content: [HDMI] }) },
  "in-call-content-shared": {
    state: inCall({ content: true }, { cameras: BOTH, content: [{ ...HDMI, signal: "live", share: "on" }] }),
  },
  "in-call-content-frozen": {
    state: inCall({ content: true }, { content: [{ ...HDMI, signal: "live", share: "on", frozen: true }] }),
  },
  "in-call-content-lost": {
    state: inCall(
      { content: true },
      { content: [{ ...HDMI, signal: "no-signal", share: "held" }], faults: [{ code: "content-lost", detail: null }] },
    ),
  },
  content: { state: inCall({}, { content: [{ ...HDMI, signal: "live" }] }), ui: { dialog: CONTENT }, preview: slide() },
  "content-opening": { state: inCall({}, { content: [HDMI] }), ui: { dialog: CONTENT } },
  "content-narrow": {
    state: inCall({}, { content: [{ ...HDMI, signal: "live" }] }),
    ui: { dialog: CONTENT },
    preview: slide(1200, 900),
  },
  "content-crop": {
    state: inCall({}, { content: [{ ...HDMI, signal: "live", crop: { x: 50, y: 80, width: 600, height: 500 } }] }),
    ui: { dialog: { ...CONTENT, cropping: true } },
    preview: slide(),
  },
  "content-shared": {
    state: inCall({ content: true }, { content: [{ ...HDMI, signal: "live", share: "on" }] }),
    ui: { dialog: CONTENT },
    preview: slide(),
  },
  "content-frozen": {
    state: inCall({ content: true }, { content: [{ ...HDMI, signal: "live", share: "on", frozen: true }] }),
    ui: { dialog: CONTENT },
    preview: slide(),
  },
  "content-held": {
    state: inCall({ content: true }, { content: [{ ...HDMI, signal: "no-signal", share: "held" }] }),
    ui: { dialog: CONTENT },
  },
  "content-ended": {
    state: inCall({}, { content: [{ ...HDMI, signal: "no-signal", share: "ended" }] }),
    ui: { dialog: CONTENT },
  },
  "content-protected": {
    state: inCall({}, { content: [{ ...HDMI, signal: "protected" }] }),
    ui: { dialog: CONTENT },
  },
  "content-dark": {
    state: inCall({}, { content: [{ ...HDMI, signal: "dark" }] }),
    ui: { dialog: CONTENT, toast: "content-no-picture" },
    preview: slide(),
  },
  "content-several": {
    state: inCall({}, {
      content: [
        { ...HDMI, signal: "live" },
        { ...HDMI, name: "HDMI-Wandler am Rednerpult, rechts vorn neben der Tür", signal: "out-of-range" },
        { ...HDMI, name: "Wandanschluss", signal: "missing" },
      ],
    }),
    ui: { dialog: CONTENT },
    preview: slide(),
  },
  "idle-display-asks": {
    state: idle({ devices: { ...IDLE.devices, displayAsks: true }, faults: [{ code: "camera-missing", detail: null }] }),
  },
  "offered-display-asks": {
    state: idle(
      {
        devices: { ...IDLE.devices, displayAsks: true },
        agenda: { ...IDLE.agenda, entries: [entry("jf", LONG, at(9, 15), at(10, 15)), ...DAY.slice(1)] },
      },
      { phase: { phase: "offered", booking: "jf" } },
    ),
  },
  "joining-display-asks": {
    state: {
      ...inCall({ sending: false, participants: [] }, { devices: { ...IDLE.devices, displayAsks: true }, cameras: BOTH }),
      room: { ...IDLE.room, phase: { phase: "joining" } },
    },
  },
  "in-call-display-asks": { state: inCall({}, { devices: { ...IDLE.devices, displayAsks: true }, cameras: BOTH }) },
  "in-call-silent-display-asks": {
    state: inCall({ sending: false, microphone: false, camera: false }, { devices: { ...IDLE.devices, displayAsks: true } }),
  },
};
