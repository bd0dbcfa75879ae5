// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { ROOM, VERSION, type FromGuest, type Member, type ParticipantId, type ToGuest } from "../../wire/types";
import {
  CHAT_LINES,
  initialCall,
  MEMBERS,
  NAME_LENGTH,
  TEXT_LENGTH,
  type Call,
  type Cause,
  type ChatLine,
  type Link,
  type LinkState,
} from "./call";
import type { Announcement, Effect, Input, Step } from "./effects";
import { shownLines } from "./encoding";
import { fingerprints } from "./sdp";
import { isVisible } from "./text";

const INTERRUPTED_MS = 4000;
/** The room answers a restart within this. */
const ANSWER_MS = 5000;
const BUILD_MS = 15_000;
const BUILD_MAX_MS = 60_000;
const REDIAL_MS = [500, 1000, 2000, 4000, 8000] as const;
/** Without ever having heard the room, and after having heard it. */
const REDIALS = { first: 5, later: 20 } as const;

/** One step of the page: what happened goes in, what to do comes out. */
export function step(call: Call, input: Input): Step {
  switch (input.type) {
    case "join":
      return join(call, input.name);
    case "password":
      return givePassword(call, input.password);
    case "socket-open":
      return active(call)
        ? [{ ...call, online: true }, [send(hello(call))]]
        : [call, [{ type: "close-socket" }]];
    case "socket-closed":
      return socketClosed(call);
    case "leave":
      return over(call, { kind: "left" }, call.online ? [send({ type: "bye" })] : []);
    case "again":
      return [{ ...initialCall(), name: call.name, sending: call.sending }, []];
    case "message":
      return active(call) ? message({ ...call, attempt: 0 }, input.message) : [call, []];
    case "link":
      return linkChanged(call, input.peer, input.state);
    case "described":
      return described(call, input.peer, input.kind, input.sdp);
    case "gathered":
      return call.online && call.links.has(input.peer)
        ? [
            call,
            [
              send({
                type: "candidate",
                to: input.peer,
                candidate: input.candidate,
                mid: input.mid,
              }),
            ],
          ]
        : [call, []];
    case "sending":
      return [
        { ...call, sending: input.sending },
        inMeeting(call) && call.online ? [send({ type: "state", ...input.sending })] : [],
      ];
    case "hand":
      return inMeeting(call) && call.online
        ? [{ ...call, hand: input.raised }, [send({ type: "hand", raised: input.raised })]]
        : [call, []];
    case "shown":
      return shown(call, shownLines(input.height));
    case "chat":
      return writeChat(call, input.text);
    case "chat-open":
      return [{ ...call, chatOpen: input.open, unread: input.open ? 0 : call.unread }, []];
    case "timer":
      return timer(call, input.timer);
  }
}

function send(what: FromGuest): Effect {
  return { type: "send", message: what };
}

function announce(announcement: Announcement): Effect {
  return { type: "announce", announcement };
}

function inMeeting(call: Call): boolean {
  return call.phase.name === "meeting";
}

function active(call: Call): boolean {
  return call.phase.name !== "prejoin" && call.phase.name !== "over";
}

function hello(call: Call): FromGuest {
  return {
    type: "hello",
    version: VERSION,
    name: call.name,
    password: call.password,
    resume: call.resume,
  };
}

function join(call: Call, given: string): Step {
  const name = [...given.trim()].slice(0, NAME_LENGTH).join("");
  if (call.phase.name !== "prejoin" || !isVisible(name)) return [call, []];
  return [{ ...call, name, phase: { name: "connecting" } }, [{ type: "open-socket" }]];
}

function givePassword(call: Call, password: string): Step {
  if (call.phase.name !== "password" || password === "") return [call, []];
  const next: Call = { ...call, password, phase: { name: "connecting" } };
  return [next, call.online ? [send(hello(next))] : []];
}

function shown(call: Call, lines: number): Step {
  if (lines === call.shownLines) return [call, []];
  const said = inMeeting(call) && call.online;
  return [{ ...call, shownLines: lines }, said ? [send({ type: "wanted-height", lines })] : []];
}

function socketClosed(call: Call): Step {
  if (!active(call)) return [{ ...call, online: false }, []];
  const attempt = call.attempt + 1;
  const limit = call.roomName === "" ? REDIALS.first : REDIALS.later;
  if (attempt > limit) return over(call, { kind: "lost" }, []);
  const ms = REDIAL_MS[Math.min(attempt, REDIAL_MS.length) - 1] ?? 8000;
  const effects: Effect[] = [{ type: "timer", timer: "redial", ms }];
  if (call.online && inMeeting(call)) effects.push(announce({ what: "offline" }));
  return [{ ...call, online: false, attempt }, effects];
}

function over(call: Call, cause: Cause, first: readonly Effect[]): Step {
  return [
    {
      ...call,
      phase: { name: "over", cause },
      online: false,
      resume: null,
      password: null,
      self: null,
      members: [],
      links: new Map(),
      chat: [],
      unread: 0,
      hand: false,
      sharer: null,
      attempt: 0,
    },
    [
      ...first,
      { type: "cancel", timer: "redial" },
      { type: "close-socket" },
      { type: "disconnect-all" },
      { type: "release-devices" },
    ],
  ];
}

function message(call: Call, it: ToGuest): Step {
  switch (it.type) {
    case "waiting":
      return [
        {
          ...outOfMeeting(call),
          roomName: it.roomName,
          phase: { name: "waiting", reason: it.reason },
        },
        inMeeting(call) ? [{ type: "disconnect-all" }] : [],
      ];
    case "password-required":
      return [
        {
          ...outOfMeeting(call),
          password: null,
          phase: { name: "password", wrong: it.wrong },
        },
        inMeeting(call) ? [{ type: "disconnect-all" }] : [],
      ];
    case "welcome":
      return welcome(call, it);
    case "refused":
      return over(call, { kind: "refused", reason: it.reason }, []);
    case "ended":
      return over(call, { kind: "ended" }, []);
    case "wanted-height":
      return [{ ...call, wantedLines: it.lines }, [{ type: "limit", lines: it.lines }]];
    case "member":
    case "member-left":
    case "offer":
    case "answer":
    case "candidate":
    case "chat":
      return inMeeting(call) ? meetingMessage(call, it) : [call, []];
    case "restart":
      return roomMoved(call);
  }
}

function outOfMeeting(call: Call): Call {
  return { ...call, members: [], links: new Map(), sharer: null };
}

function meetingMessage(
  call: Call,
  it: Extract<
    ToGuest,
    { type: "member" | "member-left" | "offer" | "answer" | "candidate" | "chat" }
  >,
): Step {
  switch (it.type) {
    case "member":
      return memberChanged(call, it.member);
    case "member-left":
      return memberLeft(call, it.id);
    case "offer":
      return offered(call, it.from, it.sdp);
    case "answer": {
      const link = call.links.get(it.from);
      if (!link?.pending) return [call, []];
      // Another certificate than before is another connection, not a restart of this one.
      if (link.fingerprint !== "" && link.fingerprint !== fingerprints(it.sdp)) {
        const attempts = link.attempts + 1;
        return [
          withLink(call, it.from, newLink(true, attempts)),
          connect(it.from, call.iceServers, attempts),
        ];
      }
      return [
        withLink(call, it.from, { ...link, pending: false, fingerprint: fingerprints(it.sdp) }),
        [{ type: "take-answer", peer: it.from, sdp: it.sdp }],
      ];
    }
    case "candidate":
      return call.links.has(it.from)
        ? [
            call,
            [{ type: "take-candidate", peer: it.from, candidate: it.candidate, mid: it.mid }],
          ]
        : [call, []];
    case "chat":
      return heardChat(call, it);
  }
}

function welcome(call: Call, it: Extract<ToGuest, { type: "welcome" }>): Step {
  const same = inMeeting(call) && call.self === it.id;
  const members = it.members.filter((member) => member.id !== it.id).slice(0, MEMBERS);
  const effects: Effect[] = [];
  if (!same && inMeeting(call)) effects.push({ type: "disconnect-all" });
  const old = same ? call.links : new Map<ParticipantId, Link>();
  for (const peer of old.keys()) {
    if (!members.some((member) => member.id === peer)) {
      effects.push({ type: "disconnect", peer }, ...forget(peer));
    }
  }
  const links = new Map<ParticipantId, Link>();
  for (const { id: peer } of members) {
    const link = old.get(peer);
    // A restart that was never answered went with the channel, and is begun again.
    if (link && (!link.pending || isRestarting(link))) {
      const again = link.offerer && (link.pending || link.state !== "connected");
      links.set(peer, { ...link, pending: again });
      if (again) effects.push(...restart(peer, link));
    } else {
      links.set(peer, newLink(true));
      effects.push(...connect(peer, it.iceServers, 0));
    }
  }
  const next: Call = {
    ...call,
    phase: { name: "meeting" },
    roomName: it.roomName,
    self: it.id,
    resume: it.resume,
    iceServers: it.iceServers,
    members,
    links,
    sharer: sharerAmong(members, call.members, call.sharer),
  };
  effects.unshift(send({ type: "state", ...call.sending }));
  if (call.hand) effects.unshift(send({ type: "hand", raised: true }));
  effects.unshift(send({ type: "wanted-height", lines: call.shownLines }));
  effects.push(announce({ what: same ? "online" : "joined" }));
  return [next, effects];
}

function newLink(offerer: boolean, attempts = 0): Link {
  return { state: "connecting", offerer, pending: offerer, fingerprint: "", attempts };
}

function withLink(call: Call, peer: ParticipantId, link: Link): Call {
  return { ...call, links: new Map(call.links).set(peer, link) };
}

function forget(peer: ParticipantId): Effect[] {
  return [
    { type: "cancel", timer: `interrupted:${peer}` },
    { type: "cancel", timer: `build:${peer}` },
  ];
}

function buildTimer(peer: ParticipantId, attempts: number): Effect {
  const ms = Math.min(BUILD_MS * 2 ** attempts, BUILD_MAX_MS);
  return { type: "timer", timer: `build:${peer}`, ms };
}

function connect(
  peer: ParticipantId,
  iceServers: readonly string[],
  attempts: number,
): Effect[] {
  return [{ type: "connect", peer, iceServers }, buildTimer(peer, attempts)];
}

function restart(peer: ParticipantId, link: Link): Effect[] {
  const effects: Effect[] = [{ type: "restart", peer }, buildTimer(peer, link.attempts)];
  // A room that does not answer may have left the address that the channel goes to.
  if (peer === ROOM) effects.push({ type: "timer", timer: "channel", ms: ANSWER_MS });
  return effects;
}

/** A restart was offered and is not answered yet. */
function isRestarting(link: Link): boolean {
  return link.pending && link.fingerprint !== "";
}

/** The room has other addresses; media goes on over the old path while that works. */
function roomMoved(call: Call): Step {
  const link = call.links.get(ROOM);
  if (!inMeeting(call) || !link?.offerer || link.pending) return [call, []];
  return [withLink(call, ROOM, { ...link, pending: true }), restart(ROOM, link)];
}

/** Opens the channel anew, at the address that the room's name has by now. */
function channelSilent(call: Call): Step {
  const link = call.links.get(ROOM);
  if (!inMeeting(call) || !call.online || !link || !isRestarting(link)) return [call, []];
  return [{ ...call, online: false }, [announce({ what: "offline" }), { type: "open-socket" }]];
}

function memberChanged(call: Call, member: Member): Step {
  if (member.id === call.self) return [{ ...call, hand: member.hand }, []];
  const before = call.members.find((other) => other.id === member.id);
  const effects: Effect[] = [];
  let members: readonly Member[];
  if (before) {
    members = call.members.map((other) => (other.id === member.id ? member : other));
    if (member.hand && !before.hand) effects.push(announce({ what: "hand", name: member.name }));
    if (member.sharing && !before.sharing) {
      effects.push(announce({ what: "shares", name: member.name }));
    }
  } else {
    if (call.members.length >= MEMBERS) return [call, []];
    members = [...call.members, member];
    // The newcomer offers; if its offer is lost, this side does.
    effects.push(announce({ what: "came", name: member.name }), buildTimer(member.id, 0));
  }
  const sharer = sharerAmong(members, call.members, call.sharer);
  return [{ ...call, members, sharer }, effects];
}

function memberLeft(call: Call, id: ParticipantId): Step {
  const member = call.members.find((other) => other.id === id);
  if (!member) return [call, []];
  const members = call.members.filter((other) => other.id !== id);
  const links = new Map(call.links);
  links.delete(id);
  return [
    { ...call, members, links, sharer: sharerAmong(members, call.members, call.sharer) },
    [
      { type: "disconnect", peer: id },
      ...forget(id),
      announce({ what: "went", name: member.name }),
    ],
  ];
}

/** Whoever began last is shown; when they stop, another who still shares. */
function sharerAmong(
  now: readonly Member[],
  before: readonly Member[],
  shown: ParticipantId | null,
): ParticipantId | null {
  const sharing = now.filter((member) => member.sharing);
  const began = sharing.find(
    (member) => !before.some((other) => other.id === member.id && other.sharing),
  );
  if (began) return began.id;
  return (sharing.find((member) => member.id === shown) ?? sharing[0])?.id ?? null;
}

function offered(call: Call, peer: ParticipantId, sdp: string): Step {
  if (!call.members.some((member) => member.id === peer) || call.self === null) return [call, []];
  const old = call.links.get(peer);
  // Both sides offered at once: the one with the smaller id gives way.
  if (old?.pending && (peer === ROOM || call.self > peer)) return [call, []];
  const fingerprint = fingerprints(sdp);
  const fresh = !old || old.pending || old.fingerprint !== fingerprint;
  const link: Link = fresh ? { ...newLink(false), fingerprint } : old;
  return [
    withLink(call, peer, link),
    [
      { type: "take-offer", peer, sdp, fresh, iceServers: call.iceServers },
      ...(fresh ? [buildTimer(peer, 0)] : []),
    ],
  ];
}

function described(
  call: Call,
  peer: ParticipantId,
  kind: "offer" | "answer",
  sdp: string,
): Step {
  const link = call.links.get(peer);
  if (!link || !call.online) return [call, []];
  if (kind === "answer") return [call, [send({ type: "answer", to: peer, sdp })]];
  return [withLink(call, peer, { ...link, pending: true }), [send({ type: "offer", to: peer, sdp })]];
}

function linkChanged(call: Call, peer: ParticipantId, state: LinkState): Step {
  const link = call.links.get(peer);
  if (!link) return [call, []];
  const next = withLink(call, peer, {
    ...link,
    state,
    attempts: state === "connected" ? 0 : link.attempts,
  });
  switch (state) {
    case "connecting":
      return [next, []];
    case "connected":
      return [next, [...forget(peer), { type: "limit", lines: call.wantedLines }]];
    case "interrupted":
      return [next, [{ type: "timer", timer: `interrupted:${peer}`, ms: INTERRUPTED_MS }]];
    case "failed":
      return [next, link.offerer && call.online ? restart(peer, link) : []];
  }
}

function timer(call: Call, name: string): Step {
  if (name === "redial") return active(call) ? [call, [{ type: "open-socket" }]] : [call, []];
  if (name === "channel") return channelSilent(call);
  const colon = name.indexOf(":");
  const peer = name.slice(colon + 1);
  if (!inMeeting(call) || !call.members.some((member) => member.id === peer)) return [call, []];
  const link = call.links.get(peer);
  if (link?.state === "connected") return [call, []];
  // Without the channel nothing can be agreed; coming back to the room sees to it.
  if (!call.online || (link && !link.offerer)) return [call, []];
  if (name.startsWith("interrupted:") && link) return [call, restart(peer, link)];
  const attempts = (link?.attempts ?? 0) + 1;
  return [
    withLink(call, peer, newLink(true, attempts)),
    connect(peer, call.iceServers, attempts),
  ];
}

function writeChat(call: Call, given: string): Step {
  const text = [...given.trim()].slice(0, TEXT_LENGTH).join("");
  if (!inMeeting(call) || !call.online || !isVisible(text)) return [call, []];
  return [call, [send({ type: "chat", text })]];
}

function heardChat(call: Call, it: Extract<ToGuest, { type: "chat" }>): Step {
  const key = (call.chat.at(-1)?.key ?? 0) + 1;
  const line: ChatLine = { key, from: it.from, name: it.name, text: it.text, at: it.at };
  const chat = [...call.chat, line].slice(-CHAT_LINES);
  const news = it.from !== call.self && !call.chatOpen;
  return [
    { ...call, chat, unread: call.unread + (news ? 1 : 0) },
    it.from === call.self ? [] : [announce({ what: "wrote", name: it.name })],
  ];
}
