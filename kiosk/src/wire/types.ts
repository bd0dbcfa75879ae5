// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Generated from roomd/providers/direct/src/wire.rs; changes belong there.

export const VERSION = 1;

export const ROOM = "room";

/** Personal data. */
export type Pii<T> = T;

/**
 * A password, token or key. Prints as `[secret]` and is wiped from memory when dropped.
 */
export type Secret = string;

/**
 * Names a participant within one meeting; random, says nothing about the person.
 */
export type ParticipantId = string;

/**
 * Someone in the meeting.
 */
export type Member = { 
/**
 * Who.
 */
id: ParticipantId, 
/**
 * Their name.
 */
name: Pii<string>, 
/**
 * Microphone on.
 */
microphone: boolean, 
/**
 * Camera on.
 */
camera: boolean, 
/**
 * Sharing a window or tab.
 */
sharing: boolean, 
/**
 * Hand raised.
 */
hand: boolean, };

/**
 * Why a guest waits.
 */
export type WaitReason = "not-started" | "lobby" | "full";

/**
 * Why a guest is not in the meeting.
 */
export type RefuseReason = "unknown-meeting" | "denied" | "removed" | "too-many" | "too-slow" | "bad-message" | "version";

/**
 * From a guest's page to the room.
 */
export type FromGuest = { "type": "hello", 
/**
 * [`VERSION`].
 */
version: number, 
/**
 * 1 to 80 characters.
 */
name: Pii<string>, 
/**
 * The meeting's password, if it has one.
 */
password: Secret | null, 
/**
 * From an earlier `welcome`: comes back without the lobby within 60 s.
 */
resume: Secret | null, } | { "type": "offer", 
/**
 * `room`, or a guest.
 */
to: ParticipantId, 
/**
 * The description.
 */
sdp: Pii<string>, } | { "type": "answer", 
/**
 * A guest.
 */
to: ParticipantId, 
/**
 * The description.
 */
sdp: Pii<string>, } | { "type": "candidate", 
/**
 * `room`, or a guest.
 */
to: ParticipantId, 
/**
 * The `candidate:` line; empty at the end of gathering.
 */
candidate: Pii<string>, 
/**
 * The m-line it belongs to.
 */
mid: string | null, } | { "type": "state", 
/**
 * Microphone on.
 */
microphone: boolean, 
/**
 * Camera on.
 */
camera: boolean, 
/**
 * A window or tab is shared.
 */
sharing: boolean, } | { "type": "hand", 
/**
 * Raised.
 */
raised: boolean, } | { "type": "wanted-height", 
/**
 * Lines.
 */
lines: number, } | { "type": "chat", 
/**
 * 1 to 2000 characters of plain text.
 */
text: Pii<string>, } | { "type": "bye" };

/**
 * From the room to a guest's page.
 */
export type ToGuest = { "type": "waiting", 
/**
 * Why.
 */
reason: WaitReason, 
/**
 * The room's name.
 */
roomName: string, } | { "type": "password-required", 
/**
 * The one given was wrong.
 */
wrong: boolean, } | { "type": "welcome", 
/**
 * The guest's own id.
 */
id: ParticipantId, 
/**
 * The room's name.
 */
roomName: string, 
/**
 * STUN servers, mostly none.
 */
iceServers: Array<string>, 
/**
 * Everyone already there, the room (`room`) included. The newcomer offers to each.
 */
members: Array<Member>, 
/**
 * For `hello`, after a lost connection.
 */
resume: Secret, } | { "type": "refused", 
/**
 * Why.
 */
reason: RefuseReason, } | { "type": "member", 
/**
 * Who, as they are.
 */
member: Member, } | { "type": "member-left", 
/**
 * Who.
 */
id: ParticipantId, } | { "type": "offer", 
/**
 * Who.
 */
from: ParticipantId, 
/**
 * The description.
 */
sdp: Pii<string>, } | { "type": "answer", 
/**
 * `room`, or a guest.
 */
from: ParticipantId, 
/**
 * The description.
 */
sdp: Pii<string>, } | { "type": "candidate", 
/**
 * `room`, or a guest.
 */
from: ParticipantId, 
/**
 * The `candidate:` line; empty at the end of gathering.
 */
candidate: Pii<string>, 
/**
 * The m-line it belongs to.
 */
mid: string | null, } | { "type": "chat", 
/**
 * Who.
 */
from: ParticipantId, 
/**
 * Their name.
 */
name: Pii<string>, 
/**
 * Plain text.
 */
text: Pii<string>, 
/**
 * When.
 */
at: string, } | { "type": "wanted-height", 
/**
 * 180, 360, 720 or 1080.
 */
lines: number, } | { "type": "restart" } | { "type": "ended" };
