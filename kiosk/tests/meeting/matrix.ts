// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A guest's Matrix client, and who is in a room's call by its word.
import {
  ClientEvent,
  createClient,
  type MatrixClient,
  PendingEventOrdering,
  type Room,
  SyncState,
} from "matrix-js-sdk";
import { type CallMembership, isLivekitTransportConfig, type MatrixRTCSession } from "matrix-js-sdk/lib/matrixrtc/index.js";
import type { Hands } from "./hands";

export interface Account {
  homeserver: string;
  user: { id: string; device: string; token: string };
}

/** Syncs with end-to-end encryption, and nothing kept after the page. */
export async function start({ homeserver, user }: Account): Promise<MatrixClient> {
  const client = createClient({
    baseUrl: homeserver,
    userId: user.id,
    deviceId: user.device,
    accessToken: user.token,
    useAuthorizationHeader: true,
  });
  await client.initRustCrypto({ useIndexedDB: false });
  const synced = new Promise<void>((done) => {
    client.on(ClientEvent.Sync, (state) => {
      if (state === SyncState.Prepared) done();
    });
  });
  await client.startClient({
    initialSyncLimit: 20,
    pendingEventOrdering: PendingEventOrdering.Detached,
  });
  await synced;
  return client;
}

export async function enter(client: MatrixClient, id: string): Promise<Room> {
  await client.joinRoom(id);
  for (;;) {
    const room = client.getRoom(id);
    if (room?.getMyMembership() === "join") return room;
    await new Promise((done) => {
      client.once(ClientEvent.Sync, done);
    });
  }
}

/** The service before the SFU that somebody publishes on. */
export function service(membership: CallMembership): string | undefined {
  const transport = membership.getTransport(membership);
  return transport && isLivekitTransportConfig(transport) ? transport.livekit_service_url : undefined;
}

/** Who is in the call. */
export function members({ memberships }: MatrixRTCSession, hands: Hands) {
  return memberships.map((membership) => ({
    user: membership.userId,
    device: membership.deviceId,
    identity: membership.rtcBackendIdentity,
    service: service(membership),
    intent: membership.callIntent,
    hand: hands.isRaised(membership.userId, membership.eventId),
  }));
}
