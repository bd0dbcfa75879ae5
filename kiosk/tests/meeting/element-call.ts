// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A guest in the call of a Matrix room, as Element Call is one in its compatibility mode: memberships
// in state events, everybody on an SFU of their own choice, keys by encrypted to-device messages or
// from a password. Tests drive it through `guest`.
import { type BaseKeyProvider, ExternalE2EEKeyProvider } from "livekit-client";
import { MatrixRTCSessionEvent } from "matrix-js-sdk/lib/matrixrtc/index.js";
import { Connection, longestStill, type Source, timeCode, toneLevel, watchStills } from "./connection";
import { Hands } from "./hands";
import { encryption, ParticipantKeys } from "./keys";
import { members, service } from "./matrix";
import { type Joining, Member } from "./member";

const SECOND = 1000;

class Call {
  private readonly connections = new Map<string, Promise<Connection>>();
  private readonly keys = new ParticipantKeys();
  private readonly hands: Hands;

  private constructor(
    private readonly joining: Joining,
    private readonly member: Member,
  ) {
    this.hands = new Hands(member.client, member.room);
  }

  static async join(joining: Joining): Promise<Call> {
    const call = new Call(joining, await Member.enter(joining));
    await call.begin();
    return call;
  }

  private async begin(): Promise<void> {
    this.member.session.on(MatrixRTCSessionEvent.MembershipsChanged, () => this.followOthers());
    this.member.join((identity, index, key) => void this.keys.set(identity, index, key));
    await this.own();
    this.followOthers();
  }

  private async keyProvider(): Promise<BaseKeyProvider | undefined> {
    if (this.member.encrypts === "keys") return this.keys;
    if (this.joining.password === undefined) return undefined;
    const provider = new ExternalE2EEKeyProvider();
    await provider.setKey(this.joining.password);
    return provider;
  }

  /** Also connects to the SFUs of the others, to receive, and leaves those that nobody is on. */
  private followOthers(): void {
    const services = this.member.session.memberships.map(service);
    const wanted = new Set(services.filter((url) => url !== undefined));
    wanted.add(this.member.service);
    for (const url of wanted) void this.connection(url).catch(() => {});
    for (const [url, connection] of this.connections) {
      if (wanted.has(url)) continue;
      this.connections.delete(url);
      void connection.then((gone) => gone.leave());
    }
  }

  private connection(url: string): Promise<Connection> {
    const known = this.connections.get(url);
    if (known) return known;
    const connection = this.connect(url);
    this.connections.set(url, connection);
    connection.then(
      (made) => {
        made.onLost = () => this.again(url);
      },
      () => this.again(url),
    );
    return connection;
  }

  /** A person would press the button for it. */
  private again(url: string): void {
    this.connections.delete(url);
    setTimeout(() => {
      if (this.member.session.isJoined()) this.followOthers();
    }, SECOND);
  }

  private async connect(url: string): Promise<Connection> {
    const provider = await this.keyProvider();
    const connection = new Connection(provider && encryption(provider));
    const sfu = await this.member.token(url);
    await connection.connect(sfu.url, sfu.jwt);
    if (url === this.member.service) await connection.publish(this.joining.signal);
    return connection;
  }

  own(): Promise<Connection> {
    return this.connection(this.member.service);
  }

  async share(on: boolean): Promise<void> {
    const own = await this.own();
    await (on ? own.share(this.joining.signal) : own.unpublish("screen_share"));
  }

  /** Every key of a member so far, in base64. */
  keysOf(identity: string): string[] {
    return [...(this.keys.known.get(identity) ?? [])];
  }

  raiseHand(raised: boolean): Promise<void> {
    const own = this.member.session.memberships.find(
      ({ rtcBackendIdentity }) => rtcBackendIdentity === this.member.identity,
    );
    if (!own) throw new Error("not in the call");
    return this.hands.raise(own.eventId, raised);
  }

  /** Ends the membership and every connection. */
  async leave(): Promise<void> {
    await this.member.leave();
    const connections = [...this.connections.values()];
    this.connections.clear();
    await Promise.all(connections.map(async (connection) => (await connection).leave()));
    this.member.client.stopClient();
  }

  async report() {
    const connections = await Promise.all(this.connections.values());
    const participants = connections.flatMap((connection) => connection.report());
    return {
      connected: (await this.own()).isConnected,
      services: [...this.connections.keys()],
      encrypts: this.member.encrypts,
      members: members(this.member.session, this.hands),
      keys: this.member.keys,
      // Whoever is at an SFU without a membership in the room is not part of the call.
      participants: participants.filter(({ identity }) =>
        this.member.session.memberships.some(({ rtcBackendIdentity }) => rtcBackendIdentity === identity),
      ),
    };
  }
}

let call: Call | undefined;

function there(): Call {
  if (!call) throw new Error("not in a call");
  return call;
}

const guest = {
  async join(joining: Joining): Promise<void> {
    call = await Call.join(joining);
  },
  mute: async (source: Source, muted: boolean) => (await there().own()).mute(source, muted),
  share: (on: boolean) => there().share(on),
  raiseHand: (raised: boolean) => there().raiseHand(raised),
  leave: () => there().leave(),
  report: () => there().report(),
  keysOf: (identity: string) => there().keysOf(identity),
  watchStills,
  longestStill,
  timeCode,
  toneLevel,
};

Object.assign(globalThis, { guest });
