// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Keys for frame encryption, and the worker that uses them.
import { BaseKeyProvider, type E2EEManagerOptions } from "livekit-client";

/** A key for each participant, set from outside; the sizes are those of Element Call. */
export class ParticipantKeys extends BaseKeyProvider {
  constructor() {
    super({ ratchetWindowSize: 10, keyringSize: 256 });
  }

  /** All keys of a participant so far, in base64. */
  readonly known = new Map<string, Set<string>>();

  async set(identity: string, index: number, key: Uint8Array<ArrayBuffer>): Promise<void> {
    const known = this.known.get(identity) ?? new Set();
    this.known.set(identity, known.add(btoa(String.fromCodePoint(...key))));
    const uses: KeyUsage[] = ["deriveBits", "deriveKey"];
    const material = await crypto.subtle.importKey("raw", key, "HKDF", false, uses);
    this.onSetEncryptionKey(material, identity, index);
  }
}

/** What a connection needs to encrypt with these keys. */
export function encryption(keyProvider: BaseKeyProvider): E2EEManagerOptions {
  const worker = new Worker(new URL("/e2ee-worker.js", location.href), { type: "module" });
  return { keyProvider, worker };
}
