// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ToGuest } from "../../wire/types";

type Kind = "string" | "boolean" | "number" | "string?" | "strings" | "member" | "members";
type Shape = Readonly<Record<string, Kind>>;

const MEMBER: Shape = {
  id: "string",
  name: "string",
  microphone: "boolean",
  camera: "boolean",
  sharing: "boolean",
  hand: "boolean",
};

const SHAPES: { readonly [T in ToGuest["type"]]: Shape } = {
  waiting: { reason: "string", roomName: "string" },
  "password-required": { wrong: "boolean" },
  welcome: {
    id: "string",
    roomName: "string",
    iceServers: "strings",
    members: "members",
    resume: "string",
  },
  refused: { reason: "string" },
  member: { member: "member" },
  "member-left": { id: "string" },
  offer: { from: "string", sdp: "string" },
  answer: { from: "string", sdp: "string" },
  candidate: { from: "string", candidate: "string", mid: "string?" },
  chat: { from: "string", name: "string", text: "string", at: "string" },
  "wanted-height": { lines: "number" },
  restart: {},
  ended: {},
};

/** Reads a message of the room; null when it is none. */
export function parse(text: string): ToGuest | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const type = value["type"];
  if (typeof type !== "string" || !Object.hasOwn(SHAPES, type)) return null;
  const shape = SHAPES[type as ToGuest["type"]];
  return fits(value, shape) ? (value as unknown as ToGuest) : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fits(value: Record<string, unknown>, shape: Shape): boolean {
  return Object.entries(shape).every(([key, kind]) => is(value[key], kind));
}

function is(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case "string":
    case "boolean":
      return typeof value === kind;
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "string?":
      return value === null || value === undefined || typeof value === "string";
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "member":
      return isObject(value) && fits(value, MEMBER);
    case "members":
      return Array.isArray(value) && value.every((item) => is(item, "member"));
  }
}
