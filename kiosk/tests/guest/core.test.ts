// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { arrange } from "../../src/guest/core/arrange";
import { allConnected, CHAT_LINES, initialCall, MEMBERS, type Call } from "../../src/guest/core/call";
import type { Effect, Input } from "../../src/guest/core/effects";
import { cameraEncoding, preferVp8, tileLines } from "../../src/guest/core/encoding";
import { everyone, initials } from "../../src/guest/core/everyone";
import { parse } from "../../src/guest/core/parse";
import { isWholeScreen } from "../../src/guest/core/share";
import { Speaking } from "../../src/guest/core/speaking";
import { step } from "../../src/guest/core/step";
import { channelAddress } from "../../src/guest/signalling";
import type { Member, ToGuest } from "../../src/wire/types";

function member(id: string, change: Partial<Member> = {}): Member {
  return { id, name: id, microphone: true, camera: true, sharing: false, hand: false, ...change };
}

function welcome(self: string, members: Member[], resume = "t1"): Input {
  return {
    type: "message",
    message: { type: "welcome", id: self, roomName: "Saal", iceServers: [], members, resume },
  };
}

function said(message: ToGuest): Input {
  return { type: "message", message };
}

/** Runs the inputs; gives the call and the effects of the last one. */
function run(inputs: readonly Input[], start = initialCall()): [Call, readonly Effect[]] {
  return inputs.reduce<[Call, readonly Effect[]]>(
    ([call], input) => step(call, input) as [Call, readonly Effect[]],
    [start, []],
  );
}

const JOINED: Input[] = [{ type: "join", name: " Anna " }, { type: "socket-open" }];
const OFFER = "v=0\r\na=fingerprint:sha-256 AA:01\r\n";
const OTHER = "v=0\r\na=fingerprint:sha-256 BB:02\r\n";

function sent(effects: readonly Effect[]) {
  return effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
}
function peers(effects: readonly Effect[], type: "connect" | "restart" | "disconnect") {
  return effects.flatMap((effect) => (effect.type === type ? [(effect as { peer: string }).peer] : []));
}

describe("the call", () => {
  it("opens the channel and says who it is, nothing before", () => {
    const [joining, opening] = run(JOINED.slice(0, 1));
    assert.deepEqual(opening, [{ type: "open-socket" }]);
    assert.equal(joining.name, "Anna");
    const [, effects] = run(JOINED);
    assert.deepEqual(sent(effects), [
      { type: "hello", version: 1, name: "Anna", password: null, resume: null },
    ]);
    assert.deepEqual(run([{ type: "join", name: "  " }])[1], []);
    assert.deepEqual(run([{ type: "join", name: "\u200b\u2060" }])[1], [], "nothing to see");
  });

  it("keeps names within 80 characters without cutting one in half", () => {
    const [call] = run([{ type: "join", name: "😀".repeat(90) }]);
    assert.equal(call.name, "😀".repeat(80));
  });

  it("offers to everyone who is there, and answers those who come later", () => {
    const [, effects] = run([...JOINED, welcome("g1", [member("room"), member("g0")])]);
    assert.deepEqual(peers(effects, "connect"), ["room", "g0"]);
    assert.deepEqual(sent(effects), [
      { type: "wanted-height", lines: 720 },
      { type: "state", microphone: false, camera: false, sharing: false },
    ]);
    const [call, later] = run([
      ...JOINED,
      welcome("g1", [member("room")]),
      said({ type: "member", member: member("g2") }),
      said({ type: "offer", from: "g2", sdp: OFFER }),
    ]);
    assert.deepEqual(
      later.map(({ type }) => type),
      ["take-offer", "timer"],
    );
    assert.equal(call.links.get("g2")?.offerer, false);
  });

  it("tells the room how large its picture is shown, when that changes", () => {
    let [call] = run([...JOINED, welcome("g1", [member("room")])]);
    const lines = [700, 860, 870, 1300, 2000, 200, 0].flatMap((height) => {
      const [next, effects] = run([{ type: "shown", height }], call);
      call = next;
      return sent(effects).map((message) => (message as { lines?: number }).lines);
    });
    assert.deepEqual(lines, [1080, 180]);
    const [, back] = run([{ type: "socket-closed" }, { type: "socket-open" }, welcome("g1", [])], call);
    assert.ok(sent(back).some((message) => message.type === "wanted-height" && message.lines === 180));
    assert.deepEqual(sent(run([...JOINED, { type: "shown", height: 1080 }])[1]), []);
  });

  it("takes nothing from strangers", () => {
    for (const message of [
      { type: "offer", from: "g9", sdp: OFFER },
      { type: "answer", from: "g9", sdp: OFFER },
      { type: "candidate", from: "g9", candidate: "candidate:1", mid: "0" },
    ] satisfies ToGuest[]) {
      assert.deepEqual(run([...JOINED, welcome("g1", [member("room")]), said(message)])[1], []);
      assert.deepEqual(run([...JOINED, said(message)])[1], [], "not before the welcome either");
    }
  });

  it("when both offer at once, exactly one gives way", () => {
    const meet = (self: string, other: string) =>
      run([
        ...JOINED,
        welcome(self, [member("room"), member(other)]),
        said({ type: "offer", from: other, sdp: OFFER }),
      ])[1].some(({ type }) => type === "take-offer");
    assert.deepEqual([meet("g1", "g2"), meet("g2", "g1")], [true, false]);
    assert.equal(meet("g1", "room"), false);
  });

  it("tells a restart from a new connection by the certificate", () => {
    const there: Input[] = [
      ...JOINED,
      welcome("g1", [member("room")]),
      said({ type: "member", member: member("g2") }),
      said({ type: "offer", from: "g2", sdp: OFFER }),
    ];
    const fresh = (sdp: string) => {
      const [, effects] = run([...there, said({ type: "offer", from: "g2", sdp })]);
      return effects.find((effect) => effect.type === "take-offer")?.fresh;
    };
    assert.deepEqual([fresh(OFFER), fresh(OTHER)], [false, true]);
  });

  it("says encrypted only when every connection stands", () => {
    const stand = (peer: string): Input => ({ type: "link", peer, state: "connected" });
    const base: Input[] = [...JOINED, welcome("g1", [member("room"), member("g0")])];
    assert.equal(allConnected(run(base)[0]), false);
    assert.equal(allConnected(run([...base, stand("room")])[0]), false);
    assert.equal(allConnected(run([...base, stand("room"), stand("g0")])[0]), true);
    const lost: Input = { type: "link", peer: "g0", state: "interrupted" };
    assert.equal(allConnected(run([...base, stand("room"), stand("g0"), lost])[0]), false);
    const came = said({ type: "member", member: member("g2") });
    assert.equal(allConnected(run([...base, stand("room"), stand("g0"), came])[0]), false);
    assert.equal(allConnected(run([...JOINED, welcome("g1", [])])[0]), false);
  });

  it("restarts what this side offered, 4 s after an interruption or at once on failure", () => {
    const base: Input[] = [
      ...JOINED,
      welcome("g1", [member("room")]),
      said({ type: "answer", from: "room", sdp: OFFER }),
      { type: "link", peer: "room", state: "connected" },
    ];
    const interrupted: Input = { type: "link", peer: "room", state: "interrupted" };
    const [, waits] = run([...base, interrupted]);
    assert.deepEqual(waits, [{ type: "timer", timer: "interrupted:room", ms: 4000 }]);
    const due: Input = { type: "timer", timer: "interrupted:room" };
    assert.deepEqual(peers(run([...base, interrupted, due])[1], "restart"), ["room"]);
    const back: Input = { type: "link", peer: "room", state: "connected" };
    assert.deepEqual(run([...base, interrupted, back, due])[1], []);
    const failed: Input = { type: "link", peer: "room", state: "failed" };
    assert.deepEqual(peers(run([...base, failed])[1], "restart"), ["room"]);
    const late: Input = { type: "timer", timer: "build:room" };
    assert.deepEqual(peers(run([...base, failed, late])[1], "connect"), ["room"]);
  });

  it("builds anew when a restart is answered with another certificate", () => {
    const answer = (sdp: string) => said({ type: "answer", from: "room", sdp });
    const base: Input[] = [
      ...JOINED,
      welcome("g1", [member("room")]),
      answer(OFFER),
      { type: "link", peer: "room", state: "failed" },
      { type: "described", peer: "room", kind: "offer", sdp: OFFER },
    ];
    assert.deepEqual(
      run([...base, answer(OFFER)])[1].map(({ type }) => type),
      ["take-answer"],
    );
    const [call, effects] = run([...base, answer(OTHER)]);
    assert.deepEqual(peers(effects, "connect"), ["room"]);
    const last = run([answer(OTHER)], call)[1];
    assert.deepEqual(
      last.map(({ type }) => type),
      ["take-answer"],
    );
  });

  it("restarts when the room has other addresses, and once only", () => {
    const base: Input[] = [...JOINED, welcome("g1", [member("room")])];
    const moved = said({ type: "restart" });
    assert.deepEqual(run([...base, moved])[1], [], "not connected yet");
    const there: Input[] = [
      ...base,
      said({ type: "answer", from: "room", sdp: OFFER }),
      { type: "link", peer: "room", state: "connected" },
    ];
    const [moving, effects] = run([...there, moved]);
    assert.deepEqual(peers(effects, "restart"), ["room"]);
    assert.deepEqual(run([moved], moving)[1], []);
    const answered = run([said({ type: "answer", from: "room", sdp: OFFER })], moving)[0];
    assert.deepEqual(peers(run([moved], answered)[1], "restart"), ["room"]);
  });

  it("opens the channel anew when the room does not answer a restart", () => {
    const there: Input[] = [
      ...JOINED,
      welcome("g1", [member("room")]),
      said({ type: "answer", from: "room", sdp: OFFER }),
      { type: "link", peer: "room", state: "connected" },
      { type: "link", peer: "room", state: "failed" },
    ];
    const due: Input = { type: "timer", timer: "channel" };
    assert.ok(run(there)[1].some((effect) => effect.type === "timer" && effect.timer === "channel"));
    const offered: Input = { type: "described", peer: "room", kind: "offer", sdp: OFFER };
    const answer = said({ type: "answer", from: "room", sdp: OFFER });
    assert.deepEqual(run([...there, offered, answer, due])[1], []);
    const [waiting, effects] = run([...there, offered, due]);
    assert.ok(effects.some(({ type }) => type === "open-socket"));
    assert.equal(waiting.online, false);
    const back: Input[] = [{ type: "socket-open" }, welcome("g1", [member("room")], "t2")];
    const [, resumed] = run(back, waiting);
    assert.deepEqual(peers(resumed, "restart"), ["room"], "the certificate stays");
    assert.deepEqual(peers(resumed, "connect"), []);
  });

  it("leaves restarting to the side that offered", () => {
    const [, effects] = run([
      ...JOINED,
      welcome("g1", [member("room")]),
      said({ type: "member", member: member("g2") }),
      said({ type: "offer", from: "g2", sdp: OFFER }),
      { type: "link", peer: "g2", state: "failed" },
    ]);
    assert.deepEqual(effects, []);
  });

  it("comes back with its token and keeps what still stands", () => {
    const lost: Input[] = [
      ...JOINED,
      welcome("g1", [member("room"), member("g0")]),
      said({ type: "answer", from: "room", sdp: OFFER }),
      said({ type: "answer", from: "g0", sdp: OTHER }),
      { type: "link", peer: "room", state: "connected" },
      { type: "link", peer: "g0", state: "connected" },
      { type: "hand", raised: true },
      { type: "socket-closed" },
    ];
    const [away, effects] = run(lost);
    assert.equal(away.phase.name, "meeting");
    assert.equal(away.online, false);
    assert.deepEqual(effects[0], { type: "timer", timer: "redial", ms: 500 });
    const [, again] = run([{ type: "timer", timer: "redial" }, { type: "socket-open" }], away);
    assert.equal((sent(again)[0] as { resume?: string }).resume, "t1");
    const [back, resumed] = run(
      [{ type: "socket-open" }, welcome("g1", [member("room"), member("g5")], "t2")],
      away,
    );
    assert.deepEqual(peers(resumed, "connect"), ["g5"]);
    assert.deepEqual(peers(resumed, "disconnect"), ["g0"]);
    assert.deepEqual(peers(resumed, "restart"), []);
    assert.equal(back.links.get("room")?.state, "connected");
    assert.deepEqual(
      sent(resumed).map(({ type }) => type),
      ["wanted-height", "hand", "state"],
    );
    const [, other] = run([{ type: "socket-open" }, welcome("g7", [member("room")])], away);
    assert.ok(other.some(({ type }) => type === "disconnect-all"));
    assert.deepEqual(peers(other, "connect"), ["room"]);
  });

  it("gives up on a room that never answers, later on one it knew", () => {
    const closed: Input = { type: "socket-closed" };
    const tries = (before: Input[]) => {
      let [call] = run(before);
      let count = 0;
      while (call.phase.name !== "over" && count < 100) {
        [call] = run([closed], call);
        count += 1;
      }
      assert.deepEqual(call.phase, { name: "over", cause: { kind: "lost" } });
      return count;
    };
    assert.equal(tries(JOINED), 6);
    assert.equal(tries([...JOINED, welcome("g1", [member("room")])]), 21);
  });

  it("over means over: nothing is kept, nothing goes on", () => {
    const [call, effects] = run([
      { type: "join", name: "Anna" },
      { type: "socket-open" },
      welcome("g1", [member("room")]),
      said({ type: "chat", from: "room", name: "Saal", text: "hello", at: "2026-01-01T00:00:00Z" }),
      said({ type: "refused", reason: "removed" }),
    ]);
    assert.deepEqual(
      effects.map(({ type }) => type),
      ["cancel", "close-socket", "disconnect-all", "release-devices"],
    );
    assert.deepEqual([call.chat, call.members, call.resume, call.password], [[], [], null, null]);
    assert.deepEqual(run([{ type: "timer", timer: "redial" }, { type: "socket-closed" }], call)[1], []);
    assert.deepEqual(run([welcome("g1", [member("room")])], call)[1], []);
  });

  it("asks for the password again with a new one", () => {
    const [, effects] = run([
      ...JOINED,
      said({ type: "password-required", wrong: false }),
      { type: "password", password: "Linde" },
    ]);
    assert.equal((sent(effects)[0] as { password?: string }).password, "Linde");
  });

  it("shows whoever began to share last", () => {
    const share = (id: string, sharing: boolean) =>
      said({ type: "member", member: member(id, { sharing }) });
    const base: Input[] = [...JOINED, welcome("g1", [member("room"), member("g0"), member("g2")])];
    assert.equal(run([...base, share("g0", true)])[0].sharer, "g0");
    assert.equal(run([...base, share("g0", true), share("g2", true)])[0].sharer, "g2");
    const both: Input[] = [...base, share("g0", true), share("g2", true)];
    assert.equal(run([...both, share("g2", false)])[0].sharer, "g0");
    assert.equal(run([...both, said({ type: "member-left", id: "g2" })])[0].sharer, "g0");
  });

  it("counts what was not read, and bounds what is kept", () => {
    const line = (from: string) =>
      said({ type: "chat", from, name: from, text: "x", at: "2026-01-01T00:00:00Z" });
    const base: Input[] = [...JOINED, welcome("g1", [member("room")])];
    assert.equal(run([...base, line("room"), line("g1")])[0].unread, 1);
    assert.equal(run([...base, line("room"), { type: "chat-open", open: true }])[0].unread, 0);
    const flood = Array.from({ length: CHAT_LINES + 50 }, () => line("room"));
    const [call] = run([...base, ...flood]);
    assert.equal(call.chat.length, CHAT_LINES);
    assert.equal(new Set(call.chat.map(({ key }) => key)).size, CHAT_LINES);
    const crowd = Array.from({ length: 100 }, (_, i) =>
      said({ type: "member", member: member(`x${i}`) }),
    );
    assert.equal(run([...base, ...crowd])[0].members.length, MEMBERS);
  });

  it("lists the room first and oneself last", () => {
    const [call] = run([...JOINED, welcome("g1", [member("g0"), member("room")])]);
    assert.deepEqual(
      everyone(call).map(({ id }) => id),
      ["room", "g0", "g1"],
    );
  });
});

describe("reading the room's messages", () => {
  it("takes what fits and nothing else", () => {
    assert.deepEqual(parse('{"type":"ended"}'), { type: "ended" });
    assert.ok(parse('{"type":"candidate","from":"a","candidate":"","mid":null}'));
    for (const text of [
      "",
      "null",
      "[]",
      "{",
      '{"type":"nonsense"}',
      '{"type":"toString"}',
      '{"type":"chat","from":"a","name":1,"text":"t","at":"x"}',
      '{"type":"member","member":{"id":"a"}}',
      '{"type":"welcome","id":"a","roomName":"r","iceServers":[1],"members":[],"resume":"x"}',
      '{"type":"wanted-height","lines":"720"}',
    ]) {
      assert.equal(parse(text), null, text);
    }
  });
});

describe("small decisions", () => {
  it("the channel's address follows the page's", () => {
    assert.equal(
      channelAddress("https://room.example/meet/abc?x=1#y"),
      "wss://room.example/meet/abc/ws",
    );
    assert.equal(channelAddress("http://127.0.0.1:8/meet/abc/"), "ws://127.0.0.1:8/meet/abc/ws");
  });

  it("sends no more lines than wanted, and never enlarges", () => {
    assert.equal(cameraEncoding(360, 720).scaleResolutionDownBy, 2);
    assert.equal(cameraEncoding(1080, 720).scaleResolutionDownBy, 1);
    assert.ok(cameraEncoding(180, 720).maxBitrate < cameraEncoding(720, 720).maxBitrate);
    assert.ok(Number.isFinite(cameraEncoding(Number.MIN_VALUE, 0).scaleResolutionDownBy));
    assert.ok(tileLines(2) > tileLines(3) && tileLines(4) > tileLines(6));
  });

  it("prefers VP8 and keeps the others", () => {
    const codecs = ["video/H264", "video/VP8", "video/rtx"].map((mimeType) => ({ mimeType }));
    assert.deepEqual(
      preferVp8(codecs).map(({ mimeType }) => mimeType),
      ["video/VP8", "video/H264", "video/rtx"],
    );
  });

  it("knows a whole screen, named or not", () => {
    const screen = { width: 1920, height: 1080 };
    assert.equal(isWholeScreen({ displaySurface: "monitor" }, screen), true);
    assert.equal(isWholeScreen({ displaySurface: "window", ...screen }, screen), false);
    assert.equal(isWholeScreen({ ...screen }, screen), true);
    assert.equal(isWholeScreen({ width: 1200, height: 800 }, screen), false);
  });

  it("arranges tiles within the space, as large as they can be", () => {
    for (let count = 1; count <= 7; count += 1) {
      for (const [width, height] of [
        [1280, 640],
        [390, 700],
        [844, 250],
      ] as const) {
        const fit = arrange(count, width, height, 12);
        const rows = Math.ceil(count / fit.columns);
        assert.ok(fit.width > 0);
        assert.ok(fit.columns * fit.width + (fit.columns - 1) * 12 <= width);
        assert.ok(rows * fit.height + (rows - 1) * 12 <= height);
      }
    }
    assert.equal(arrange(2, 390, 700, 12).columns, 1);
    assert.equal(arrange(4, 1280, 640, 12).columns, 2);
    assert.deepEqual(arrange(3, 0, 0, 12).width, 0);
  });

  it("holds a speaker's outline between words", () => {
    const speaking = new Speaking();
    const level = (a: number) => new Map([["a", a]]);
    assert.deepEqual(speaking.update(level(0.3), 0), ["a"]);
    assert.deepEqual(speaking.update(level(0), 500), ["a"]);
    assert.deepEqual(speaking.update(level(0), 1500), []);
    speaking.update(level(0.3), 2000);
    assert.deepEqual(speaking.update(new Map(), 2001), [], "who left does not speak");
  });

  it("makes initials of any name", () => {
    assert.equal(initials("Dr. Erika von Mustermann"), "DM");
    assert.equal(initials("Ömer"), "Ö");
    assert.equal(initials("😀 (x)"), "");
    assert.equal(initials(""), "");
  });
});
