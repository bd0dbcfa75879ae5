// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What the views take: the room's state as it was told, and what is open on this screen. A story is
// such a snapshot written by hand.
import type { ReadonlySignal } from "@preact/signals";
import type { BookingId, Language, Levels, ParticipantId, Refusal, Request, State } from "./api/types";
import type { Link, PairResult } from "./room";
import type { Theme } from "./theme";

export type Dialog =
  | { readonly kind: "booking"; readonly booking: BookingId }
  | { readonly kind: "join-link" }
  | { readonly kind: "start-meeting" }
  | { readonly kind: "leave" }
  | { readonly kind: "remove"; readonly participant: ParticipantId }
  | { readonly kind: "diagnosis" }
  | CameraDialog
  | ContentDialog;

/** The cameras; their positions while they are being tidied; and one that is saved or deleted. */
export type CameraDialog =
  | { readonly kind: "cameras" }
  | { readonly kind: "edit-presets" }
  | { readonly kind: "save-preset"; readonly camera: string }
  | { readonly kind: "delete-preset"; readonly camera: string; readonly preset: string };

/** The content inputs: which one is looked at, and whether a part of it is being cut out. */
export interface ContentDialog {
  readonly kind: "content";
  readonly input: string | null;
  readonly cropping: boolean;
}

export type Tab = "people" | "chat" | "invite";

/** How far the pairing of this tablet is. */
export interface PairingEntry {
  readonly code: string;
  readonly status: "typing" | "checking" | "shown" | Exclude<PairResult, { kind: "paired" }>;
}

/** What is open on this screen; the room knows nothing of it. */
export interface Ui {
  readonly dialog: Dialog | null;
  readonly tab: Tab;
  /** The participant whose row is open. */
  readonly person: ParticipantId | null;
  readonly toast: Refusal | null;
  /** The last line of the chat that was on the screen. */
  readonly seenChat: number;
  readonly pairing: PairingEntry;
  /** Until the room says which language it speaks. */
  readonly language: Language;
}

export interface Snapshot {
  readonly link: Link;
  readonly state: State | null;
  readonly ui: Ui;
  readonly theme: Theme;
}

/** What changes many times a second; read only by the small parts that show it. */
export interface Live {
  /** Milliseconds since 1970. */
  readonly now: ReadonlySignal<number>;
  readonly levels: ReadonlySignal<Levels>;
}

/** What a person can do. */
export interface Actions {
  /** Done when the room has answered; why it refuses is shown. */
  request(request: Request): Promise<void>;
  /** What a content input shows now; null when it shows nothing. The room opens it while it is asked. */
  preview(input: string): Promise<Blob | null | "busy">;
  open(dialog: Dialog | null): void;
  show(change: Partial<Pick<Ui, "tab" | "person" | "toast" | "seenChat" | "language">>): void;
  theme(theme: Theme): void;
  pairDigit(digit: string): void;
  pairRemove(): void;
  pairShow(): void;
}

export const FRESH_UI: Ui = {
  dialog: null,
  tab: "people",
  person: null,
  toast: null,
  seenChat: 0,
  pairing: { code: "", status: "typing" },
  language: "de",
};
