// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Member, ParticipantId, RefuseReason, WaitReason } from "../../wire/types";

/** How a connection to one member stands. */
export type LinkState = "connecting" | "connected" | "interrupted" | "failed";

export interface Link {
  readonly state: LinkState;
  /** This page made the offer, so this page restarts it. */
  readonly offerer: boolean;
  /** An offer of ours is not answered yet. */
  readonly pending: boolean;
  /** The other side's certificate, as its last description gave it. */
  readonly fingerprint: string;
  /** How often it was built anew without success. */
  readonly attempts: number;
}

export type Cause =
  | { readonly kind: "left" | "ended" | "lost" }
  | { readonly kind: "refused"; readonly reason: RefuseReason };

export type Phase =
  | { readonly name: "prejoin" | "connecting" | "meeting" }
  | { readonly name: "waiting"; readonly reason: WaitReason }
  | { readonly name: "password"; readonly wrong: boolean }
  | { readonly name: "over"; readonly cause: Cause };

export interface ChatLine {
  readonly key: number;
  readonly from: ParticipantId;
  readonly name: string;
  readonly text: string;
  readonly at: string;
}

/** What this page sends. */
export interface Sending {
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly sharing: boolean;
}

/** Everything the page knows of the call; a plain value. */
export interface Call {
  readonly phase: Phase;
  readonly roomName: string;
  readonly name: string;
  readonly password: string | null;
  readonly resume: string | null;
  readonly self: ParticipantId | null;
  readonly iceServers: readonly string[];
  readonly members: readonly Member[];
  readonly links: ReadonlyMap<ParticipantId, Link>;
  readonly chat: readonly ChatLine[];
  readonly chatOpen: boolean;
  readonly unread: number;
  readonly sending: Sending;
  readonly hand: boolean;
  /** Whose shared content is shown; the one who began last. */
  readonly sharer: ParticipantId | null;
  readonly wantedLines: number;
  /** What the room was told of how large its camera is shown. */
  readonly shownLines: number;
  /** The channel to the room is open. */
  readonly online: boolean;
  /** Attempts to open it since a message last came through. */
  readonly attempt: number;
}

/** Chat lines kept; the oldest go first. */
export const CHAT_LINES = 500;
/** Members the page is willing to show and connect to. */
export const MEMBERS = 32;
export const NAME_LENGTH = 80;
export const TEXT_LENGTH = 2000;

export function initialCall(): Call {
  return {
    phase: { name: "prejoin" },
    roomName: "",
    name: "",
    password: null,
    resume: null,
    self: null,
    iceServers: [],
    members: [],
    links: new Map(),
    chat: [],
    chatOpen: false,
    unread: 0,
    sending: { microphone: false, camera: false, sharing: false },
    hand: false,
    sharer: null,
    wantedLines: 720,
    shownLines: 720,
    online: false,
    attempt: 0,
  };
}

/** Every connection stands, and there is at least one: each was verified by its certificate. */
export function allConnected(call: Call): boolean {
  return (
    call.members.length > 0 &&
    call.members.every((member) => call.links.get(member.id)?.state === "connected")
  );
}
