// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// One connection to LiveKit, with the options of Element Call: what is published, and an element for
// every track that arrives.
import {
  AudioPresets,
  ConnectionState,
  DisconnectReason,
  type E2EEManagerOptions,
  type LocalTrackPublication,
  type RemoteParticipant,
  type RemoteTrack,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  Track,
  VideoPresets,
} from "livekit-client";
import { picture, readTimeCode, SCREEN, type Signal, tone } from "./signal";

export type Source = "camera" | "microphone" | "screen_share";

export interface TrackReport {
  sid: string;
  source: string;
  muted: boolean;
  subscribed: boolean;
  encrypted: boolean;
  /** What the element shows; 0 for sound. */
  frames: number;
  width: number;
  height: number;
}

export interface ParticipantReport {
  identity: string;
  encrypted: boolean;
  errors: string[];
  tracks: TrackReport[];
}

const SOURCES: Record<Source, Track.Source> = {
  camera: Track.Source.Camera,
  microphone: Track.Source.Microphone,
  screen_share: Track.Source.ScreenShare,
};

export class Connection {
  readonly room: Room;
  /** Called when the server or the network ended it for good. */
  onLost: (() => void) | undefined;
  private readonly errors = new Map<string, string[]>();

  constructor(private readonly encrypts: E2EEManagerOptions | undefined) {
    this.room = new Room({
      adaptiveStream: true,
      dynacast: true,
      ...(encrypts ? { e2ee: encrypts } : {}),
      publishDefaults: {
        audioPreset: AudioPresets.music,
        dtx: true,
        // A redundant packet cannot be split by a server that cannot read it.
        red: false,
        simulcast: true,
        videoCodec: "vp8",
        videoSimulcastLayers: [VideoPresets.h180, VideoPresets.h360],
        videoEncoding: { maxBitrate: 1_700_000, maxFramerate: 30 },
        stopMicTrackOnMute: false,
      },
    });
    this.room
      .on(RoomEvent.TrackSubscribed, show)
      .on(RoomEvent.TrackUnsubscribed, (_track, { trackSid }) => {
        document.querySelector(`[data-sid="${trackSid}"]`)?.remove();
      })
      .on(RoomEvent.Disconnected, (reason) => {
        if (reason !== DisconnectReason.CLIENT_INITIATED) this.onLost?.();
      })
      .on(RoomEvent.EncryptionError, (error, participant) => {
        const identity = participant?.identity ?? "";
        const known = this.errors.get(identity) ?? [];
        this.errors.set(identity, [...known, error.message].slice(-20));
      });
  }

  async connect(url: string, token: string): Promise<void> {
    if (this.encrypts) await this.room.setE2EEEnabled(true);
    await this.room.connect(url, token);
  }

  get isConnected(): boolean {
    return this.room.state === ConnectionState.Connected;
  }

  async publish(signal: Signal): Promise<void> {
    const me = this.room.localParticipant;
    await me.publishTrack(tone(signal), { source: Track.Source.Microphone });
    await me.publishTrack(picture(signal), { source: Track.Source.Camera });
  }

  async share(signal: Signal): Promise<void> {
    const screen = picture({ ...signal, number: signal.number + SCREEN, width: 1280, height: 720, fps: 5 });
    await this.room.localParticipant.publishTrack(screen, {
      source: Track.Source.ScreenShare,
      simulcast: false,
    });
  }

  async unpublish(source: Source): Promise<void> {
    const track = this.own(source).track;
    if (!track) return;
    await this.room.localParticipant.unpublishTrack(track);
    track.mediaStreamTrack.stop();
  }

  async mute(source: Source, muted: boolean): Promise<void> {
    const publication = this.own(source);
    await (muted ? publication.mute() : publication.unmute());
  }

  private own(source: Source): LocalTrackPublication {
    const publication = this.room.localParticipant.getTrackPublication(SOURCES[source]);
    if (!publication) throw new Error(`no ${source} is published`);
    return publication;
  }

  leave(): Promise<void> {
    return this.room.disconnect();
  }

  /** Who else is there, and what arrives of them. */
  report(): ParticipantReport[] {
    return [...this.room.remoteParticipants.values()].map((participant) => ({
      identity: participant.identity,
      encrypted: participant.isEncrypted,
      errors: this.errors.get(participant.identity) ?? [],
      tracks: [...participant.trackPublications.values()].map((track) => ({
        sid: track.trackSid,
        source: track.source,
        muted: track.isMuted,
        subscribed: track.isSubscribed,
        encrypted: track.isEncrypted,
        ...seen(participant.identity, track.source),
      })),
    }));
  }
}

function show(track: RemoteTrack, publication: RemoteTrackPublication, participant: RemoteParticipant): void {
  const element = track.attach();
  element.dataset["sid"] = publication.trackSid;
  element.dataset["identity"] = participant.identity;
  element.dataset["source"] = publication.source;
  if (element instanceof HTMLVideoElement) {
    element.muted = true;
    watch(element);
  }
  document.body.append(element);
}

/** When each picture was replaced last, and the longest time that one stood since it was asked. */
const stills = new Map<HTMLVideoElement, { last: number; longest: number }>();

function watch(video: HTMLVideoElement): void {
  const next = (now: number) => {
    const { last, longest } = stills.get(video) ?? { last: now, longest: 0 };
    stills.set(video, { last: now, longest: Math.max(longest, now - last) });
    video.requestVideoFrameCallback(next);
  };
  video.requestVideoFrameCallback(next);
}

/** Begins to watch for pictures that stand still. */
export function watchStills(): void {
  for (const still of stills.values()) still.longest = 0;
}

/** The longest time that somebody's picture stood still since then, in milliseconds. */
export function longestStill(identity: string, source: Source): number | null {
  const video = find(identity, source);
  const still = video instanceof HTMLVideoElement ? stills.get(video) : undefined;
  return still ? Math.max(still.longest, performance.now() - still.last) : null;
}

function seen(identity: string, source: string): { frames: number; width: number; height: number } {
  const element = find(identity, source);
  if (!(element instanceof HTMLVideoElement)) return { frames: 0, width: 0, height: 0 };
  return {
    frames: element.getVideoPlaybackQuality().totalVideoFrames,
    width: element.videoWidth,
    height: element.videoHeight,
  };
}

/** The element of somebody's track, while it arrives. */
function find(identity: string, source: string): HTMLMediaElement | undefined {
  const all = document.querySelectorAll<HTMLMediaElement>("[data-identity]");
  return [...all].find(({ dataset }) => dataset["identity"] === identity && dataset["source"] === source);
}

/** The time code in somebody's picture. */
export function timeCode(identity: string, source: Source) {
  const video = find(identity, source);
  return video instanceof HTMLVideoElement ? readTimeCode(video) : null;
}

/** How loud a tone is in somebody's sound, 0 to 1; 0 when there is no sound. */
export async function toneLevel(identity: string, hertz: number): Promise<number> {
  const sound = find(identity, "microphone");
  if (!(sound instanceof HTMLAudioElement)) return 0;
  return (await roomdProbe.dominantTone(sound, hertz, 600)).level;
}
