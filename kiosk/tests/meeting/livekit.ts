// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A guest at an SFU, without any platform around it. Tests drive it through `guest`.
import { type BaseKeyProvider, ExternalE2EEKeyProvider } from "livekit-client";
import { Connection, type Source, timeCode, toneLevel } from "./connection";
import { encryption, ParticipantKeys } from "./keys";
import type { Signal } from "./signal";

export interface Joining {
  url: string;
  token: string;
  signal: Signal;
  /** A passphrase for all, keys that `setKey` brings, or frames that the server can read. */
  encryption: { passphrase: string } | "keys" | null;
}

let connection: Connection | undefined;
let own: Signal | undefined;
const keys = new ParticipantKeys();

async function keyProvider(wanted: Joining["encryption"]): Promise<BaseKeyProvider | undefined> {
  if (wanted === null) return undefined;
  if (wanted === "keys") return keys;
  const provider = new ExternalE2EEKeyProvider();
  await provider.setKey(wanted.passphrase);
  return provider;
}

function there(): Connection {
  if (!connection) throw new Error("not connected");
  return connection;
}

const guest = {
  async join({ url, token, signal, encryption: wanted }: Joining): Promise<void> {
    const provider = await keyProvider(wanted);
    connection = new Connection(provider && encryption(provider));
    own = signal;
    await connection.connect(url, token);
    await connection.publish(signal);
  },

  /** Sets somebody's key, base64; one's own included. */
  setKey(identity: string, index: number, key: string): Promise<void> {
    const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
    return keys.set(identity, index, bytes);
  },

  mute: (source: Source, muted: boolean) => there().mute(source, muted),
  async share(on: boolean): Promise<void> {
    if (!own) throw new Error("not connected");
    await (on ? there().share(own) : there().unpublish("screen_share"));
  },
  leave: () => there().leave(),
  report: () => ({ connected: connection?.isConnected ?? false, participants: there().report() }),
  timeCode,
  toneLevel,
};

Object.assign(globalThis, { guest });
