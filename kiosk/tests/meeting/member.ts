// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A guest's part of the call of a Matrix room by the room's word, as Element Call takes part in its
// compatibility mode: a membership in a state event, and keys by encrypted to-device messages.
import type { MatrixClient, Room } from "matrix-js-sdk";
import {
  isLivekitTransportConfig,
  type LivekitTransportConfig,
  type MatrixRTCSession,
  MatrixRTCSessionEvent,
} from "matrix-js-sdk/lib/matrixrtc/index.js";
import { type Account, enter, start } from "./matrix";
import type { Signal } from "./signal";

export interface Joining extends Account {
  room: string;
  signal: Signal;
  /** The service before the SFU that this guest publishes on; by default what the homeserver says. */
  service?: string;
  /** For rooms whose link carries a password. */
  password?: string;
  /** After how many milliseconds without a sign of life the homeserver ends the membership. */
  leaveAfter?: number;
}

/** Where an SFU is, and what lets one in. */
export interface Sfu {
  url: string;
  jwt: string;
}

/** Somebody's key for frames; one's own included. */
export type OnKey = (identity: string, index: number, key: Uint8Array<ArrayBuffer>) => void;

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const LEAVE_AFTER = 18 * SECOND;
const RESTARTS_PER_DELAY = 4;

async function ownTransport(client: MatrixClient, service?: string): Promise<LivekitTransportConfig> {
  if (service !== undefined) return { type: "livekit", livekit_service_url: service };
  // oxlint-disable-next-line eslint/no-underscore-dangle
  const found = (await client._unstable_getRTCTransports()).find(isLivekitTransportConfig);
  if (!found) throw new Error("the homeserver knows no SFU");
  return found;
}

async function post(url: string, body: object): Promise<Sfu> {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}

export class Member {
  readonly session: MatrixRTCSession;
  /** The keys that each member used so far; one may be told again. */
  private readonly keysSeen = new Map<string, Set<string>>();

  private constructor(
    private readonly joining: Joining,
    readonly client: MatrixClient,
    readonly room: Room,
    private readonly transport: LivekitTransportConfig,
  ) {
    this.session = client.matrixRTC.getRoomSession(room);
  }

  /** In the Matrix room, and not yet in its call. */
  static async enter(joining: Joining): Promise<Member> {
    const client = await start(joining);
    const room = await enter(client, joining.room);
    return new Member(joining, client, room, await ownTransport(client, joining.service));
  }

  /** Announces the membership. */
  join(onKey: OnKey): void {
    const { user, room, leaveAfter = LEAVE_AFTER } = this.joining;
    this.session.on(MatrixRTCSessionEvent.EncryptionKeyChanged, (key, index, _member, identity) => {
      const seen = this.keysSeen.get(identity) ?? new Set();
      this.keysSeen.set(identity, seen.add(`${index}: ${key.join()}`));
      onKey(identity, index, key);
    });
    this.session.joinRTCSession(
      { userId: user.id, deviceId: user.device, memberId: this.identity },
      [],
      { ...this.transport, livekit_alias: room },
      {
        callIntent: "video",
        manageMediaKeys: this.encrypts === "keys",
        delayedLeaveEventDelayMs: leaveAfter,
        delayedLeaveEventRestartMs: leaveAfter / RESTARTS_PER_DELAY,
        membershipEventExpiryMs: 240 * MINUTE,
        networkErrorRetryMs: SECOND,
        maximumNetworkErrorRetryCount: 1000,
      },
    );
  }

  /** How this device is called at the SFU on which it publishes. */
  get identity(): string {
    return `${this.joining.user.id}:${this.joining.user.device}`;
  }

  get encrypts(): "password" | "keys" | "nothing" {
    if (this.joining.password !== undefined) return "password";
    return this.room.hasEncryptionStateEvent() ? "keys" : "nothing";
  }

  /** The service before the SFU that the guest publishes on. */
  get service(): string {
    return this.transport.livekit_service_url;
  }

  /** Where nothing is published the newer way is tried first, whose identities say nothing. */
  async token(url: string): Promise<Sfu> {
    const { user, room } = this.joining;
    const proof = await this.client.getOpenIdToken();
    const older = { room, openid_token: proof, device_id: user.device };
    if (url === this.service) return post(`${url}/sfu/get`, older);
    const member = {
      id: this.identity,
      claimed_user_id: user.id,
      claimed_device_id: user.device,
    };
    const newer = { room_id: room, slot_id: "m.call#ROOM", openid_token: proof, member };
    return post(`${url}/get_token`, newer).catch(() => post(`${url}/sfu/get`, older));
  }

  /** How many keys came of each member so far, by how the member is called at the SFU. */
  get keys(): Record<string, number> {
    return Object.fromEntries([...this.keysSeen].map(([identity, keys]) => [identity, keys.size]));
  }

  /** Ends the membership. */
  async leave(): Promise<void> {
    await this.session.leaveRoomSession(10 * SECOND);
  }
}
