// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { FromGuest, ParticipantId, ToGuest } from "../../wire/types";
import type { Call, LinkState, Sending } from "./call";

export type Input =
  | { readonly type: "join"; readonly name: string }
  | { readonly type: "password"; readonly password: string }
  | { readonly type: "socket-open" | "socket-closed" | "leave" | "again" }
  | { readonly type: "message"; readonly message: ToGuest }
  | { readonly type: "link"; readonly peer: ParticipantId; readonly state: LinkState }
  | {
      readonly type: "described";
      readonly peer: ParticipantId;
      readonly kind: "offer" | "answer";
      readonly sdp: string;
    }
  | {
      readonly type: "gathered";
      readonly peer: ParticipantId;
      readonly candidate: string;
      readonly mid: string | null;
    }
  | { readonly type: "sending"; readonly sending: Sending }
  | { readonly type: "hand"; readonly raised: boolean }
  /** The room's tile is so high, in pixels of the screen. */
  | { readonly type: "shown"; readonly height: number }
  | { readonly type: "chat"; readonly text: string }
  | { readonly type: "chat-open"; readonly open: boolean }
  | { readonly type: "timer"; readonly timer: string };

export type Announcement =
  | { readonly what: "joined" | "offline" | "online" }
  | { readonly what: "came" | "went" | "hand" | "shares" | "wrote"; readonly name: string };

export type Effect =
  | { readonly type: "open-socket" | "close-socket" | "disconnect-all" | "release-devices" }
  | { readonly type: "send"; readonly message: FromGuest }
  | { readonly type: "timer"; readonly timer: string; readonly ms: number }
  | { readonly type: "cancel"; readonly timer: string }
  /** Build a connection and offer it; an older one to the same member goes. */
  | {
      readonly type: "connect";
      readonly peer: ParticipantId;
      readonly iceServers: readonly string[];
    }
  /** Answer an offer, with a new connection if `fresh`. */
  | {
      readonly type: "take-offer";
      readonly peer: ParticipantId;
      readonly sdp: string;
      readonly fresh: boolean;
      readonly iceServers: readonly string[];
    }
  | { readonly type: "take-answer"; readonly peer: ParticipantId; readonly sdp: string }
  | {
      readonly type: "take-candidate";
      readonly peer: ParticipantId;
      readonly candidate: string;
      readonly mid: string | null;
    }
  | { readonly type: "restart" | "disconnect"; readonly peer: ParticipantId }
  | { readonly type: "limit"; readonly lines: number }
  | { readonly type: "announce"; readonly announcement: Announcement };

export type Step = readonly [Call, readonly Effect[]];
