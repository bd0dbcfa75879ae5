// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Somebody at an SFU who reads what the server can read: the frames of one participant as they travel,
// each tried with the key of a password, or with keys of the device. Tests drive it through `guest`.
import { type RemoteTrack, Room, RoomEvent } from "livekit-client";
import type { Answer, Question, Seen } from "./tap-worker";

export interface Joining {
  url: string;
  token: string;
  /** Whose frames. */
  identity: string;
  password?: string;
}

/** Without it, Chromium lets frames pass by transforms that come after the track. */
const READABLE = { encodedInsertableStreams: true } as RTCConfiguration;

const worker = new Worker(new URL("/tap-worker.js", location.href), { type: "module" });
const room = new Room({ adaptiveStream: false, dynacast: false });

function ask(question: Question): Promise<Answer> {
  return new Promise((done) => {
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => done(data), { once: true });
    worker.postMessage(question, []);
  });
}

function tap(track: RemoteTrack, source: string): void {
  if (!track.receiver) throw new Error(`nothing receives ${source}`);
  track.receiver.transform = new RTCRtpScriptTransform(worker, { source });
  // Chromium takes sound from the network only while somebody plays it.
  document.body.append(track.attach());
}

const guest = {
  async join({ url, token, identity, password }: Joining): Promise<void> {
    await ask(password === undefined ? {} : { password });
    room.on(RoomEvent.TrackSubscribed, (track, { source }) => tap(track, source));
    // Nothing of others: a server sends on an m-line whose track has ended what comes next.
    room.on(RoomEvent.TrackPublished, (publication, participant) => {
      if (participant.identity === identity) publication.setSubscribed(true);
    });
    await room.connect(url, token, { autoSubscribe: false, rtcConfig: READABLE });
    for (const publication of room.remoteParticipants.get(identity)?.trackPublications.values() ?? []) {
      publication.setSubscribed(true);
    }
  },

  /** Frames that come from now on are tried with another key. */
  async usePassword(password: string): Promise<void> {
    await ask({ password });
  },

  /** Frames are tried with this key as well, also those that no key opened so far. */
  async addKey(key: string): Promise<void> {
    await ask({ key });
  },

  /** What was seen so far, by source. */
  async seen(): Promise<Record<string, Seen>> {
    return ask({});
  },
};

Object.assign(globalThis, { guest });
