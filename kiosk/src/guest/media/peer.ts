// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { LinkState } from "../core/call";
import { cameraEncoding, preferVp8, SCREEN_ENCODING, type Encoding } from "../core/encoding";

export interface LocalTracks {
  readonly microphone: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
}

export interface RemoteStreams {
  readonly audio: MediaStream;
  readonly camera: MediaStream;
  readonly screen: MediaStream;
}

export interface PeerEvents {
  described(kind: "offer" | "answer", sdp: string): void;
  gathered(candidate: string, mid: string | null): void;
  state(state: LinkState): void;
  streams(streams: RemoteStreams): void;
}

/** What statistics say of received sound (W3C webrtc-stats, RTCInboundRtpStreamStats). */
interface Heard {
  type: string;
  /** Squares of samples from 0 to 1, times seconds. */
  totalAudioEnergy?: number;
  totalSamplesDuration?: number;
}

const M_LINES = ["audio", "video", "video"] as const;

/**
 * One connection to one member: sound, camera and shared content, in this order and from the
 * start, so that nothing but an ICE restart is ever negotiated again.
 */
export class Peer {
  readonly #pc: RTCPeerConnection;
  readonly #events: PeerEvents;
  #tracks: LocalTracks;
  #lines = 720;
  /** Candidates that came before the description they belong to. */
  #early: RTCIceCandidateInit[] = [];
  /** Descriptions are applied one after the other. */
  #queue: Promise<void> = Promise.resolve();
  #closed = false;
  /** All that was heard until the level was read last. */
  #heard = { energy: 0, seconds: 0 };

  constructor(iceServers: readonly string[], tracks: LocalTracks, events: PeerEvents) {
    this.#tracks = tracks;
    this.#events = events;
    this.#pc = new RTCPeerConnection({
      iceServers: iceServers.filter((url) => /^stuns?:/.test(url)).map((urls) => ({ urls })),
      bundlePolicy: "max-bundle",
    });
    this.#pc.onicecandidate = ({ candidate }) => {
      if (candidate === null) events.gathered("", null);
      else if (candidate.candidate !== "") events.gathered(candidate.candidate, candidate.sdpMid);
    };
    this.#pc.onconnectionstatechange = () => {
      const state = linkState(this.#pc.connectionState);
      if (state && !this.#closed) events.state(state);
      if (state === "connected") void this.#encode();
    };
  }

  /** Offers to a member who was there before. */
  offer(): void {
    this.#then(async () => {
      for (const kind of M_LINES) {
        preferCodecs(this.#pc.addTransceiver(kind, { direction: "sendrecv" }), kind);
      }
      await this.#attach();
      await this.#sendOffer();
    });
  }

  takeOffer(sdp: string): void {
    this.#then(async () => {
      await this.#pc.setRemoteDescription({ type: "offer", sdp });
      for (const transceiver of this.#transceivers()) {
        transceiver.direction = "sendrecv";
        preferCodecs(transceiver, transceiver.receiver.track.kind);
      }
      await this.#attach();
      await this.#addEarly();
      await this.#pc.setLocalDescription();
      const answer = this.#pc.localDescription;
      if (answer) this.#events.described("answer", answer.sdp);
    });
  }

  takeAnswer(sdp: string): void {
    this.#then(async () => {
      if (this.#pc.signalingState !== "have-local-offer") return;
      await this.#pc.setRemoteDescription({ type: "answer", sdp });
      await this.#addEarly();
      await this.#encode();
    });
  }

  takeCandidate(candidate: string, mid: string | null): void {
    if (candidate === "") return;
    // All m-lines share one transport, so a candidate without one belongs to the first.
    const init: RTCIceCandidateInit =
      mid === null ? { candidate, sdpMLineIndex: 0 } : { candidate, sdpMid: mid };
    this.#then(async () => {
      if (this.#pc.remoteDescription) await this.#add(init);
      else if (this.#early.length < 100) this.#early.push(init);
    });
  }

  restart(): void {
    this.#then(async () => {
      // A restart that was never answered is taken back, or the next offer could not be made.
      if (this.#pc.signalingState === "have-local-offer" && this.#pc.currentRemoteDescription) {
        await this.#pc.setLocalDescription({ type: "rollback" });
      }
      this.#pc.restartIce();
      await this.#sendOffer();
    });
  }

  setTracks(tracks: LocalTracks): void {
    this.#tracks = tracks;
    this.#then(() => this.#attach());
  }

  /** The most lines of camera picture that the other side shows. */
  limit(lines: number): void {
    this.#lines = lines;
    this.#then(() => this.#encode());
  }

  /** How loud the member is, from 0 to 1. */
  async level(): Promise<number> {
    const receiver = this.#transceivers()[0]?.receiver;
    if (!receiver || this.#closed) return 0;
    for (const report of (await receiver.getStats()).values()) {
      const { type, totalAudioEnergy: energy = 0, totalSamplesDuration: seconds = 0 } = report as Heard;
      if (type !== "inbound-rtp") continue;
      const since = { energy: energy - this.#heard.energy, seconds: seconds - this.#heard.seconds };
      this.#heard = { energy, seconds };
      return since.seconds > 0 ? Math.sqrt(Math.max(0, since.energy) / since.seconds) : 0;
    }
    return 0;
  }

  close(): void {
    this.#closed = true;
    this.#pc.onicecandidate = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  /** What the other side sent cannot break the page: a step that fails fails alone. */
  #then(work: () => Promise<void>): void {
    const before = this.#queue;
    const next = async () => {
      await before;
      if (this.#closed) return;
      try {
        await work();
      } catch {
        if (!this.#closed) this.#events.state("failed");
      }
    };
    this.#queue = next();
  }

  async #sendOffer(): Promise<void> {
    await this.#pc.setLocalDescription();
    const offer = this.#pc.localDescription;
    if (offer) this.#events.described("offer", offer.sdp);
  }

  async #addEarly(): Promise<void> {
    const early = this.#early;
    this.#early = [];
    for (const candidate of early) await this.#add(candidate);
  }

  async #add(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch {
      // One candidate less; the others may do.
    }
  }

  /** In the order of the m-lines, which is the order of creation on both sides. */
  #transceivers(): RTCRtpTransceiver[] {
    return this.#pc.getTransceivers().slice(0, M_LINES.length);
  }

  async #attach(): Promise<void> {
    const [audio, camera, screen] = this.#transceivers();
    if (!audio || !camera || !screen) return;
    await audio.sender.replaceTrack(this.#tracks.microphone);
    await camera.sender.replaceTrack(this.#tracks.camera);
    await screen.sender.replaceTrack(this.#tracks.screen);
    this.#events.streams({
      audio: new MediaStream([audio.receiver.track]),
      camera: new MediaStream([camera.receiver.track]),
      screen: new MediaStream([screen.receiver.track]),
    });
    await this.#encode();
  }

  async #encode(): Promise<void> {
    const [, camera, screen] = this.#transceivers();
    const height = camera?.sender.track?.getSettings().height ?? 0;
    if (camera) await setEncoding(camera.sender, cameraEncoding(this.#lines, height));
    if (screen) await setEncoding(screen.sender, SCREEN_ENCODING);
  }
}

function linkState(state: RTCPeerConnectionState): LinkState | null {
  switch (state) {
    case "new":
    case "connecting":
      return "connecting";
    case "connected":
      return "connected";
    case "disconnected":
      return "interrupted";
    case "failed":
      return "failed";
    case "closed":
      return null;
  }
}

function preferCodecs(transceiver: RTCRtpTransceiver, kind: string): void {
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs;
  if (kind !== "video" || !codecs) return;
  try {
    transceiver.setCodecPreferences(preferVp8(codecs));
  } catch {
    // A browser that will not have its codecs ordered speaks VP8 all the same (RFC 7742).
  }
}

async function setEncoding(sender: RTCRtpSender, encoding: Encoding): Promise<void> {
  const parameters = sender.getParameters();
  const [first] = parameters.encodings;
  // Nothing is negotiated yet; this is called again when it is.
  if (!first) return;
  Object.assign(first, encoding);
  try {
    await sender.setParameters(parameters);
  } catch {
    // The picture stays as large as it was.
  }
}
