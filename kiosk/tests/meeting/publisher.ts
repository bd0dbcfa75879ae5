// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// One connection of LiveKit's native SDK that publishes and takes nothing from others, with the options
// of Element Call and its frame encryption.
import {
  type E2eeRequest,
  FfiRequest,
  KeyDerivationFunction,
  livekitFfiRequest,
  type PartialMessage,
} from "@livekit/rtc-ffi-bindings";
import {
  AudioFrame,
  AudioSource,
  type E2EEOptions,
  LocalAudioTrack,
  LocalVideoTrack,
  Room,
  TrackPublishOptions,
  TrackSource,
  VideoBufferType,
  VideoCodec,
  VideoFrame,
  VideoSource,
} from "@livekit/rtc-node";
import type { Sfu } from "./member";
import { picture, RATE, tone } from "./samples";
import type { Signal } from "./signal";

export interface Key {
  index: number;
  bytes: Uint8Array;
}

/** Parts of a second that are handed over at once. */
const PARTS = 10;
const PICTURE_RATE = { maxBitrate: 450_000n, maxFramerate: 30 };

/** Keys of each participant's own, in the sizes of Element Call. */
const ENCRYPTION: E2EEOptions = {
  keyProviderOptions: {
    ratchetSalt: new TextEncoder().encode("LKFrameEncryptionKey"),
    ratchetWindowSize: 10,
    failureTolerance: -1,
    // The most that the SDK holds; Element Call holds one more.
    keyRingSize: 255,
    keyDerivationFunction: KeyDerivationFunction.HKDF,
  },
};

export class Publisher {
  private readonly room = new Room();
  private readonly sound = new AudioSource(RATE, 1);
  private readonly pictures: VideoSource;
  private tracks: string[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly signal: Signal,
    private key: Key | undefined,
  ) {
    this.pictures = new VideoSource(signal.width, signal.height);
  }

  async connect({ url, jwt }: Sfu): Promise<void> {
    await this.room.connect(url, jwt, {
      autoSubscribe: false,
      dynacast: true,
      ...(this.key ? { encryption: ENCRYPTION } : {}),
    });
    const me = this.room.localParticipant;
    if (!me) throw new Error("the SFU has no place for the guest");
    this.useKey(this.key);
    const published = [
      await me.publishTrack(
        LocalAudioTrack.createAudioTrack("", this.sound),
        new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE, dtx: true, red: false }),
      ),
      await me.publishTrack(
        LocalVideoTrack.createVideoTrack("", this.pictures),
        new TrackPublishOptions({
          source: TrackSource.SOURCE_CAMERA,
          videoCodec: VideoCodec.VP8,
          simulcast: true,
          videoEncoding: PICTURE_RATE,
        }),
      ),
    ];
    this.tracks = published.map(({ sid }) => sid).filter((sid) => sid !== undefined);
    this.useKey(this.key);
    this.timer = setInterval(() => this.show(), 1000 / this.signal.fps);
    void this.say();
  }

  get isConnected(): boolean {
    return this.room.isConnected;
  }

  /** Frames are encrypted with this key from now on. */
  useKey(key: Key | undefined): void {
    this.key = key;
    const participantIdentity = this.room.localParticipant?.identity;
    if (!key || participantIdentity === undefined) return;
    const { index: keyIndex, bytes } = key;
    this.ask({ message: { case: "setKey", value: { participantIdentity, key: bytes, keyIndex } } });
    for (const trackSid of this.tracks) {
      this.ask({ message: { case: "cryptorSetKeyIndex", value: { participantIdentity, trackSid, keyIndex } } });
    }
  }

  /** Asks the native library, as the SDK's own classes for it leave out what it requires. */
  private ask(request: PartialMessage<E2eeRequest>): void {
    const manager = this.room.e2eeManager;
    if (!manager) return;
    const roomHandle: bigint = Reflect.get(manager, "roomHandle");
    const message = { case: "e2ee" as const, value: { ...request, roomHandle } };
    livekitFfiRequest(new FfiRequest({ message }).toBinary());
  }

  private show(): void {
    const { width, height } = this.signal;
    this.pictures.captureFrame(new VideoFrame(picture(this.signal), width, height, VideoBufferType.I420));
  }

  /** The source takes so much at once that its clock decides how fast this goes. */
  private async say(): Promise<void> {
    const second = tone(this.signal);
    const length = RATE / PARTS;
    for (let part = 0; this.room.isConnected; part = (part + 1) % PARTS) {
      const samples = second.slice(part * length, (part + 1) * length);
      await this.sound.captureFrame(new AudioFrame(samples, RATE, 1, length));
    }
  }

  async leave(): Promise<void> {
    clearInterval(this.timer);
    await this.room.disconnect();
    await Promise.all([this.sound.close(), this.pictures.close()]);
  }
}
