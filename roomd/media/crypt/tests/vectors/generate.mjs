// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Makes the test vectors, and opens the frames that this crate sealed.
//
// LiveKit: the worker of the package `livekit-client` seals and opens, in node's WebCrypto.
// JFrame: WebCrypto, written here from the description of the format; no code of a platform runs.
//
//   npm install --no-save livekit-client@2.23.0 && node generate.mjs          writes *.json
//   node generate.mjs --check     opens tests/snapshots/vectors__our_frames.snap
import { readFileSync, writeFileSync } from "node:fs";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const ramp = (length, factor = 7) => Uint8Array.from({ length }, (_, i) => (i * factor + 1) % 256);
const join = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const start = [0, 0, 0, 1];

const SSRC = 0x5ea1ed00;
const TIMESTAMP = 0x89abcdef;

const frames = {
  "opus": { codec: "opus", plain: join([0xf8], ramp(60)) },
  "opus of one byte": { codec: "opus", plain: new Uint8Array([0xf8]) },
  "vp8 keyframe": { codec: "vp8", type: "key", plain: join([0x10, 2, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xb4, 0], ramp(300)) },
  "vp8 keyframe of its header": { codec: "vp8", type: "key", plain: new Uint8Array([0x10, 2, 0, 0x9d, 1, 0x2a, 8, 0, 8, 0]) },
  "vp8 delta": { codec: "vp8", type: "delta", plain: join([0x11, 3, 0], ramp(120, 13)) },
};
const livekitFrames = {
  ...frames,
  "vp9 keyframe": { codec: "vp9", type: "key", plain: join([0x82, 0x49, 0x83, 0x42], ramp(200)) },
  "vp9 delta": { codec: "vp9", type: "delta", plain: join([0x86], ramp(80)) },
  "h264 keyframe": {
    codec: "h264", type: "key",
    plain: join(start, [0x67, 0x42, 0xe0, 0x1f, 0x8c], start, [0x68, 0xce, 0x3c, 0x80], start, [0x65, 0x88, 0x84], ramp(400)),
  },
  "h264 delta of two slices": {
    codec: "h264", type: "delta",
    plain: join(start, [0x41, 0x9a, 0x21], ramp(90, 3), start, [0x41, 0x9b], ramp(70, 5)),
  },
};

// ---- LiveKit: the package's own worker ----

globalThis.onmessage = null;
globalThis.self = globalThis;
globalThis.RTCEncodedAudioFrame = class {};
globalThis.RTCEncodedVideoFrame = class {};
let heard = [];
globalThis.postMessage = (message) => heard.push(message);
const random = Math.random;
Math.random = () => 0.25;
await import("livekit-client/e2ee-worker");

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
async function until(what, condition) {
  for (let i = 0; i < 4000; i++) {
    const found = condition();
    if (found) return found;
    await turn();
  }
  throw new Error(`nothing heard: ${what}`);
}
const tell = (kind, data) => globalThis.onmessage({ data: { kind, data } });

const OPTIONS = {
  sharedKey: false, ratchetSalt: "LKFrameEncryptionKey", ratchetWindowSize: 8,
  failureTolerance: 10, keyringSize: 256, keySize: 128,
};

async function material(secret) {
  const [raw, name] = secret.passphrase === undefined
    ? [bytes(secret.key), "HKDF"]
    : [new TextEncoder().encode(secret.passphrase), "PBKDF2"];
  return crypto.subtle.importKey("raw", raw, name, false, ["deriveBits", "deriveKey"]);
}

let participants = 0;
/** A participant with a key at an index, moved on some times; gives the chain too. */
async function participant(secret, index, ratchets) {
  const participantIdentity = `participant ${participants++}`;
  heard = [];
  tell("init", { keyProviderOptions: OPTIONS, loglevel: "silent" });
  tell("enable", { enabled: true, participantIdentity });
  tell("setKey", { participantIdentity, isPublisher: true, key: await material(secret), keyIndex: index, updateCurrentKeyIndex: true });
  await until("enable", () => heard.some((message) => message.kind === "enable"));
  // The queue has no acknowledgement for keys; a later answer shows that it was read.
  tell("enable", { enabled: true, participantIdentity });
  await until("setKey", () => heard.filter((message) => message.kind === "enable").length === 2);
  const chain = [];
  for (let i = 0; i < ratchets; i++) {
    tell("ratchetRequest", { participantIdentity, keyIndex: index });
    const message = await until("ratchet", () => heard.filter((m) => m.kind === "ratchetKey")[i]);
    chain.push(hex(message.data.ratchetResult.chainKey));
  }
  return { participantIdentity, chain };
}

async function transform(kind, participantIdentity, codec, type, data, wait = 4000) {
  const frame = {
    data: data.slice().buffer, timestamp: TIMESTAMP,
    getMetadata: () => ({ synchronizationSource: SSRC, ...(type ? { mimeType: `video/${codec.toUpperCase()}` } : {}) }),
    ...(type ? { type } : {}),
  };
  let out;
  const readableStream = new ReadableStream({ start: (c) => { c.enqueue(frame); } });
  const writableStream = new WritableStream({ write: (chunk) => { out = new Uint8Array(chunk.data); } });
  tell(kind, {
    participantIdentity, readableStream, writableStream, isReuse: false, hasPacketTrailer: false,
    trackId: `${participantIdentity} ${kind} ${participants++}`, codec: type ? codec : undefined,
  });
  for (let i = 0; i < wait && out === undefined; i++) await turn();
  return out;
}

// The numbers used once hold no bytes that H.264 would escape.
const ivOf = (sealed) => hex(sealed.slice(-14, -2));

/** An H.264 frame whose ciphertext holds bytes to escape: the plaintext is bent until it does. */
async function toEscape({ participantIdentity }) {
  const wanted = bytes("000000010203ff000003000000000000000100000300");
  const plain = join(start, [0x41, 0x9a], ramp(60, 11));
  const sealed = await transform("encode", participantIdentity, "h264", "delta", plain);
  return plain.map((byte, i) => (i < 16 || i >= 16 + wanted.length ? byte : byte ^ sealed[i] ^ wanted[i - 16]));
}

const livekitKeys = [
  { key: hex(ramp(16, 1)), index: 3, ratchets: 0 },
  { key: hex(ramp(32, 5)), index: 255, ratchets: 2 },
  { passphrase: "password", index: 0, ratchets: 1 },
];

async function livekit() {
  const made = [];
  const chains = [];
  for (const { index, ratchets, ...secret } of livekitKeys) {
    const long = await participant(secret, index, 3);
    chains.push({ ...secret, chain: long.chain });
    const sender = await participant(secret, index, ratchets);
    const escaped = { codec: "h264", type: "delta", plain: await toEscape(sender) };
    for (const [name, { codec, type, plain }] of Object.entries({ ...livekitFrames, "h264 to escape": escaped })) {
      const sealed = await transform("encode", sender.participantIdentity, codec, type, plain);
      const opened = await transform("decode", sender.participantIdentity, codec, type, sealed);
      if (hex(opened) !== hex(plain)) throw new Error(`the worker does not open its own ${name}`);
      made.push({ name: `${name}, index ${index}`, scheme: "livekit", ...secret, ratchets, index, codec, type, plain: hex(plain), iv: ivOf(sealed), sealed: hex(sealed) });
    }
  }
  return { made_by: "livekit-client 2.23.0, its end-to-end encryption worker", frames: made, chains, injected: await injected() };
}

async function injected() {
  const mark = new TextEncoder().encode("a server's mark");
  const silence = join([0xf8, 0xff, 0xfe], new Uint8Array(77));
  const blank = new Uint8Array(Buffer.from("EAIAnQEqCAAIAABHCIWFiIWEiAICAAwNYAD+/6tQgA==", "base64"));
  const cases = [
    ["silence", "opus", undefined, silence],
    ["blank vp8", "vp8", "key", blank],
    ["blank h264 slice", "h264", "key", bytes("6588840af2628000a7be")],
    ["another vp8", "vp8", "key", join([0x10], ramp(30))],
    ["another opus", "opus", undefined, join(silence, [0])],
  ];
  const made = [];
  for (const [name, codec, type, plain] of cases) {
    const { participantIdentity } = await participant({ key: hex(ramp(16)) }, 0, 0);
    tell("setSifTrailer", { trailer: mark });
    const frame = join(plain, mark);
    const out = await transform("decode", participantIdentity, codec, type, frame, 200);
    made.push({ name, codec, mark: hex(mark), frame: hex(frame), accepted: out !== undefined && hex(out) === hex(plain) });
  }
  return made;
}

// ---- JFrame: WebCrypto alone ----

const LABELS = {
  jitsi: ["JFrameEncryptionKey", "JFrameRatchetKey"],
  talk: ["TalkFrameEncryptionKey", "TalkFrameRatchetKey"],
};
const hkdf = (label) => ({ name: "HKDF", hash: "SHA-256", salt: new TextEncoder().encode(label), info: new Uint8Array() });

async function jframeKey(scheme, key, ratchets, chain = []) {
  const [seal, ratchet] = LABELS[scheme];
  let raw = bytes(key);
  for (let i = 0; i < ratchets; i++) {
    raw = new Uint8Array(await crypto.subtle.deriveBits(hkdf(ratchet), await material({ key: hex(raw) }), 256));
    chain.push(hex(raw));
  }
  return crypto.subtle.deriveKey(hkdf(seal), await material({ key: hex(raw) }), { name: "AES-GCM", length: 128 }, false, ["encrypt", "decrypt"]);
}

const clearOf = (type) => ({ key: 10, delta: 3 })[type] ?? 1;

async function jframeSeal(key, index, type, plain, counter) {
  const iv = new Uint8Array(12);
  const view = new DataView(iv.buffer);
  [SSRC, TIMESTAMP, counter % 0xffff].forEach((word, i) => view.setUint32(i * 4, word));
  const clear = plain.slice(0, clearOf(type));
  const text = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: clear }, key, plain.slice(clear.length));
  return { iv, sealed: join(clear, new Uint8Array(text), iv, [12, index]) };
}

async function jframeOpen(key, type, sealed) {
  const clear = sealed.slice(0, clearOf(type));
  const iv = sealed.slice(-14, -2);
  const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: clear }, key, sealed.slice(clear.length, -14));
  return join(clear, new Uint8Array(text));
}

async function jframe() {
  const made = [];
  const chains = [];
  for (const scheme of ["jitsi", "talk"]) {
    const key = hex(ramp(32, 9));
    const chain = [];
    await jframeKey(scheme, key, 8, chain);
    chains.push({ scheme, key, chain });
    for (const [index, ratchets] of [[0, 0], [15, 3]]) {
      const cipher = await jframeKey(scheme, key, ratchets);
      let counter = 65530;
      for (const [name, { codec, type, plain }] of Object.entries(frames)) {
        const { iv, sealed } = await jframeSeal(cipher, index, type, plain, counter++);
        made.push({ name: `${scheme}, ${name}, index ${index}`, scheme, key, ratchets, index, codec, type, plain: hex(plain), iv: hex(iv), sealed: hex(sealed) });
      }
    }
  }
  return { made_by: "WebCrypto of node, from the description of the format", frames: made, chains };
}

// ---- our frames, opened there ----

async function check() {
  const read = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
  const vectors = [...read("livekit.json").frames, ...read("jframe.json").frames];
  const snapshot = readFileSync(new URL("../snapshots/vectors__our_frames.snap", import.meta.url), "utf8");
  const ours = JSON.parse(snapshot.split("---\n").slice(2).join("---\n"));
  let opened = 0;
  for (const vector of vectors) {
    const { scheme, key, passphrase, index, ratchets, codec, type, plain, name } = vector;
    const sealed = ours[name] && bytes(ours[name]);
    if (!sealed) throw new Error(`no frame of ours: ${name}`);
    let out;
    if (scheme === "livekit") {
      const { participantIdentity } = await participant(passphrase === undefined ? { key } : { passphrase }, index, ratchets);
      out = await transform("decode", participantIdentity, codec, type, sealed);
    } else {
      out = await jframeOpen(await jframeKey(scheme, key, ratchets), type, sealed);
    }
    if (!out || hex(out) !== plain) throw new Error(`ours does not open: ${name}`);
    opened += 1;
  }
  console.log(`${opened} of our frames opened`);
}

if (process.argv.includes("--check")) {
  await check();
} else {
  const write = (file, value) => writeFileSync(new URL(file, import.meta.url), JSON.stringify(value, null, 1) + "\n");
  write("livekit.json", await livekit());
  write("jframe.json", await jframe());
}
Math.random = random;
process.exit(0);
