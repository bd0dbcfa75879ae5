// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Reads encoded frames and tries to open each with LiveKit's frame encryption (AES-128-GCM; the key by
// PBKDF2 from a password). Written from the format, on WebCrypto.

export interface Question {
  password?: string;
}

/** How many frames came, and how many of them the key opened. */
export interface Seen {
  frames: number;
  opened: number;
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

const seen: Answer = {};
let key: CryptoKey | undefined;

async function derive(password: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, [
    "deriveKey",
  ]);
  return crypto.subtle.deriveKey(
    { name: "PBKDF2", salt: SALT, iterations: ROUNDS, hash: "SHA-256" },
    material,
    { name: "AES-GCM", length: 128 },
    false,
    ["decrypt"],
  );
}

async function opens(frame: Uint8Array<ArrayBuffer>, clear: number): Promise<boolean> {
  const end = frame.length - TRAILER;
  if (!key || end < clear + TAG || frame[end + NONCE] !== NONCE) return false;
  const algorithm = {
    name: "AES-GCM",
    iv: frame.subarray(end, end + NONCE),
    additionalData: frame.subarray(0, clear),
  };
  return crypto.subtle.decrypt(algorithm, key, frame.subarray(clear, end)).then(
    () => true,
    () => false,
  );
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
  const counts = (seen[source] ??= { frames: 0, opened: 0 });
  const look = new TransformStream<Encoded, Encoded>({
    async transform(frame, controller) {
      const copy = new Uint8Array(frame.data.slice(0));
      const opened = await opens(copy, clearBytes(frame));
      counts.frames += 1;
      counts.opened += opened ? 1 : 0;
      controller.enqueue(frame);
    },
  });
  void transformer.readable.pipeThrough(look).pipeTo(transformer.writable);
});

addEventListener("message", async ({ data }: MessageEvent<Question>) => {
  if (data.password !== undefined) key = await derive(data.password);
  postMessage(seen);
});
