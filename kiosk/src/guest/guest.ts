// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { effect, signal } from "@preact/signals";

import { ROOM, type ParticipantId } from "../wire/types";
import { initialCall } from "./core/call";
import type { Announcement, Effect, Input } from "./core/effects";
import { tileLines } from "./core/encoding";
import { Speaking } from "./core/speaking";
import { step } from "./core/step";
import { Devices } from "./media/devices";
import { level, measureMicrophone } from "./media/level";
import { Peer, type LocalTracks, type RemoteStreams } from "./media/peer";
import { keepAwake } from "./media/wake";
import { Channel, channelAddress } from "./signalling";

const LISTEN_MS = 250;

/** Carries out what the call decides: channel, connections, devices, timers. */
export class Guest {
  readonly call = signal(initialCall());
  readonly devices = new Devices();
  readonly streams = signal<ReadonlyMap<ParticipantId, RemoteStreams>>(new Map());
  readonly speaking = signal<readonly ParticipantId[]>([]);
  readonly announcement = signal<Announcement | null>(null);

  readonly #peers = new Map<ParticipantId, Peer>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #speakers = new Speaking();
  readonly #channel: Channel;

  constructor(page: string) {
    this.#channel = new Channel(channelAddress(page), {
      open: () => this.dispatch({ type: "socket-open" }),
      message: (message) => this.dispatch({ type: "message", message }),
      closed: () => this.dispatch({ type: "socket-closed" }),
    });
  }

  start(): void {
    measureMicrophone(this.devices);
    void this.devices.start();
    effect(() => {
      const tracks = this.#tracks();
      for (const peer of this.#peers.values()) peer.setTracks(tracks);
    });
    effect(() => {
      const sending = {
        microphone: this.devices.microphoneOn.value,
        camera: this.devices.camera.value !== null,
        sharing: this.devices.screen.value !== null,
      };
      this.dispatch({ type: "sending", sending });
    });
    effect(() => this.#limit(this.call.value.wantedLines, this.call.value.members.length));
    keepAwake(() => this.call.value.phase.name === "meeting");
    setInterval(() => void this.#listen(), LISTEN_MS);
    addEventListener("pagehide", () => {
      if (this.call.peek().phase.name === "meeting") this.dispatch({ type: "leave" });
    });
  }

  dispatch(input: Input): void {
    const [next, effects] = step(this.call.peek(), input);
    this.call.value = next;
    for (const one of effects) this.#run(one);
  }

  /** Back to the first view, with devices as before. */
  again(): void {
    this.dispatch({ type: "again" });
    void this.devices.start();
  }

  #tracks(): LocalTracks {
    return {
      microphone: this.devices.microphone.value,
      camera: this.devices.camera.value,
      screen: this.devices.screen.value,
    };
  }

  #run(it: Effect): void {
    switch (it.type) {
      case "open-socket":
        this.#channel.open();
        break;
      case "close-socket":
        this.#channel.close();
        break;
      case "send":
        this.#channel.send(it.message);
        break;
      case "timer":
        this.#cancel(it.timer);
        this.#timers.set(
          it.timer,
          setTimeout(() => {
            this.#timers.delete(it.timer);
            this.dispatch({ type: "timer", timer: it.timer });
          }, it.ms),
        );
        break;
      case "cancel":
        this.#cancel(it.timer);
        break;
      case "connect":
        this.#newPeer(it.peer, it.iceServers).offer();
        break;
      case "take-offer": {
        const old = it.fresh ? undefined : this.#peers.get(it.peer);
        (old ?? this.#newPeer(it.peer, it.iceServers)).takeOffer(it.sdp);
        break;
      }
      case "take-answer":
        this.#peers.get(it.peer)?.takeAnswer(it.sdp);
        break;
      case "take-candidate":
        this.#peers.get(it.peer)?.takeCandidate(it.candidate, it.mid);
        break;
      case "restart":
        this.#peers.get(it.peer)?.restart();
        break;
      case "disconnect":
        this.#drop(it.peer);
        break;
      case "disconnect-all":
        for (const peer of this.#peers.keys()) this.#drop(peer);
        for (const timer of this.#timers.keys()) {
          if (timer !== "redial") this.#cancel(timer);
        }
        break;
      case "release-devices":
        this.devices.release();
        break;
      case "limit":
        this.#limit(it.lines, this.call.peek().members.length);
        break;
      case "announce":
        this.announcement.value = it.announcement;
        break;
    }
  }

  #cancel(timer: string): void {
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
  }

  #newPeer(id: ParticipantId, iceServers: readonly string[]): Peer {
    this.#drop(id);
    const peer = new Peer(iceServers, this.#tracks(), {
      described: (kind, sdp) => this.dispatch({ type: "described", peer: id, kind, sdp }),
      gathered: (candidate, mid) => this.dispatch({ type: "gathered", peer: id, candidate, mid }),
      state: (state) => this.dispatch({ type: "link", peer: id, state }),
      streams: (streams) => {
        if (this.#peers.get(id) === peer) this.#setStreams(id, streams);
      },
    });
    this.#peers.set(id, peer);
    return peer;
  }

  #drop(id: ParticipantId): void {
    this.#peers.get(id)?.close();
    this.#peers.delete(id);
    this.#setStreams(id, null);
  }

  #setStreams(id: ParticipantId, streams: RemoteStreams | null): void {
    const known = this.streams.peek().get(id);
    const same = known?.audio.getTracks()[0] === streams?.audio.getTracks()[0];
    if (same) return;
    const next = new Map(this.streams.peek());
    if (streams) next.set(id, streams);
    else next.delete(id);
    this.streams.value = next;
  }

  #limit(lines: number, members: number): void {
    for (const [id, peer] of this.#peers) peer.limit(id === ROOM ? lines : tileLines(members));
  }

  async #listen(): Promise<void> {
    const levels = new Map<ParticipantId, number>();
    const self = this.call.peek().self;
    if (self !== null) levels.set(self, level.peek() / 3);
    for (const [id, peer] of this.#peers) levels.set(id, await peer.level());
    const speakers = this.#speakers.update(levels, performance.now());
    if (speakers.join() !== this.speaking.peek().join()) this.speaking.value = speakers;
  }
}
