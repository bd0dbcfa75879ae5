// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Reads encoded frames and tries to open each with LiveKit's frame encryption (AES-128-GCM; the key by
// PBKDF2 from a password, or by HKDF from a device's key). Written from the format, on WebCrypto.

export interface Question {
  /** Frames that come from now on are tried with this key alone. */
  password?: string;
  /** A key of the device, in base64, which is tried as well, also with frames that no key opened. */
  key?: string;
}

/** How many frames came, how many of them a key opened, and how many were the server's own black ones. */
export interface Seen {
  frames: number;
  opened: number;
  blank: number;
  /** Length, first and last bytes of one that no key opened. */
  closed?: string;
}

export type Answer = Record<string, Seen>;

const SALT = new TextEncoder().encode("LKFrameEncryptionKey");
const ROUNDS = 100_000;
/** Tag, number used once, its length and the key's index. */
const TAG = 16;
const NONCE = 12;
const TRAILER = NONCE + 2;
/** Bytes in front that stay readable: of a keyframe in VP8, of another, of Opus. */
const CLEAR = { key: 10, delta: 3, sound: 1 };

const AES: AesKeyGenParams = { name: "AES-GCM", length: 128 };
/** Frames that wait for a key which may still be told. */
const MOST_WAITING = 4000;

interface Frame {
  data: Uint8Array<ArrayBuffer>;
  clear: number;
  counts: Seen;
}

const seen: Answer = {};
let keys: CryptoKey[] = [];
let waiting: Frame[] = [];

async function ofPassword(password: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(password);
  const material = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveKey"]);
  const by = { name: "PBKDF2", salt: SALT, iterations: ROUNDS, hash: "SHA-256" };
  return crypto.subtle.deriveKey(by, material, AES, false, ["decrypt"]);
}

async function ofDevice(key: string): Promise<CryptoKey> {
  const bytes = Uint8Array.from(atob(key), (letter) => letter.codePointAt(0) ?? 0);
  const material = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  const by = { name: "HKDF", salt: SALT, info: new ArrayBuffer(128), hash: "SHA-256" };
  return crypto.subtle.deriveKey(by, material, AES, false, ["decrypt"]);
}

async function opens({ data, clear }: Frame, key: CryptoKey): Promise<boolean> {
  const end = data.length - TRAILER;
  if (end < clear + TAG || data[end + NONCE] !== NONCE) return false;
  const algorithm = {
    name: "AES-GCM",
    iv: data.subarray(end, end + NONCE),
    additionalData: data.subarray(0, clear),
  };
  return crypto.subtle.decrypt(algorithm, key, data.subarray(clear, end)).then(
    () => true,
    () => false,
  );
}

/** LiveKit ends a track with keyframes of 8 by 8 pixels (RFC 6386, section 9.1). */
function isBlank({ data }: Frame): boolean {
  const head = [0x9d, 0x01, 0x2a, 8, 0, 8, 0];
  return head.every((byte, at) => data[at + 3] === byte);
}

async function look(frame: Frame): Promise<void> {
  if (isBlank(frame)) {
    frame.counts.blank += 1;
    return;
  }
  const opened = await Promise.all(keys.map((key) => opens(frame, key)));
  if (opened.includes(true)) frame.counts.opened += 1;
  else if (waiting.length < MOST_WAITING) waiting.push(frame);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The event that a worker gets for each RTCRtpScriptTransform (WebRTC Encoded Transform). */
interface TransformEvent extends Event {
  transformer: { options: unknown; readable: ReadableStream<Encoded>; writable: WritableStream<Encoded> };
}

type Encoded = RTCEncodedVideoFrame | RTCEncodedAudioFrame;

function clearBytes(frame: Encoded): number {
  if (!(frame instanceof RTCEncodedVideoFrame)) return CLEAR.sound;
  return frame.type === "key" ? CLEAR.key : CLEAR.delta;
}

addEventListener("rtctransform", (event) => {
  const { transformer } = event as TransformEvent;
  const { source } = transformer.options as { source: string };
  const counts = (seen[source] ??= { frames: 0, opened: 0, blank: 0 });
  const counted = new TransformStream<Encoded, Encoded>({
    async transform(frame, controller) {
      counts.frames += 1;
      await look({ data: new Uint8Array(frame.data.slice(0)), clear: clearBytes(frame), counts });
      controller.enqueue(frame);
    },
  });
  void transformer.readable.pipeThrough(counted).pipeTo(transformer.writable);
});

addEventListener("message", async ({ data }: MessageEvent<Question>) => {
  if (data.password !== undefined) {
    keys = [await ofPassword(data.password)];
    waiting = [];
  }
  if (data.key !== undefined) {
    keys.push(await ofDevice(data.key));
    const again = waiting;
    waiting = [];
    await Promise.all(again.map((frame) => look(frame)));
  }
  for (const counts of Object.values(seen)) delete counts.closed;
  for (const { data: bytes, counts } of waiting) {
    counts.closed = `${bytes.length}: ${hex(bytes.subarray(0, 16))} ${hex(bytes.subarray(-32))}`;
  }
  postMessage(seen);
});
