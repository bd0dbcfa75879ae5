// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { signal, type Signal } from "@preact/signals";

import { isWholeScreen } from "../core/share";

export type DeviceError = "denied" | "missing" | "busy" | "insecure";
export type ShareError = "whole-screen" | "failed";

type Kind = "microphone" | "camera";

const AUDIO: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};
const VIDEO: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
};
/** `monitorTypeSurfaces` and its neighbours are newer than the type library. */
const DISPLAY = {
  video: { displaySurface: "window", frameRate: { ideal: 15, max: 30 } },
  audio: false,
  monitorTypeSurfaces: "exclude",
  selfBrowserSurface: "exclude",
  surfaceSwitching: "include",
  systemAudio: "exclude",
} as DisplayMediaStreamOptions;

/** Microphone, camera and shared surface of this computer. */
export class Devices {
  readonly microphone = signal<MediaStreamTrack | null>(null);
  readonly camera = signal<MediaStreamTrack | null>(null);
  readonly screen = signal<MediaStreamTrack | null>(null);
  readonly microphoneOn = signal(false);
  readonly errors: Record<Kind, Signal<DeviceError | null>> = {
    microphone: signal(null),
    camera: signal(null),
  };
  readonly shareError = signal<ShareError | null>(null);
  readonly list = signal<readonly MediaDeviceInfo[]>([]);
  readonly chosen: Record<Kind | "speaker", Signal<string>> = {
    microphone: signal(""),
    camera: signal(""),
    speaker: signal(""),
  };
  /** Counts releases: what a browser grants afterwards is given back at once. */
  #releases = 0;
  readonly #changed = () => void this.#refresh();
  readonly canShare = typeof navigator.mediaDevices?.getDisplayMedia === "function";
  readonly canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

  /** Asks for both at once, so that the browser asks the person once. */
  async start(): Promise<void> {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media) {
      this.errors.microphone.value = "insecure";
      this.errors.camera.value = "insecure";
      return;
    }
    media.addEventListener("devicechange", this.#changed);
    try {
      const stream = await this.#ask({ audio: AUDIO, video: VIDEO });
      if (!stream) return;
      this.#take("microphone", stream.getAudioTracks()[0] ?? null);
      this.#take("camera", stream.getVideoTracks()[0] ?? null);
    } catch (error) {
      const cause = deviceError(error);
      if (cause === "denied") {
        this.errors.microphone.value = cause;
        this.errors.camera.value = cause;
      } else {
        // One of the two is missing or in use; the other may still do.
        await this.#open("microphone");
        await this.#open("camera");
      }
    }
    await this.#refresh();
  }

  /** Muting keeps the microphone open, so that speaking again does not cost the first word. */
  async setMicrophone(on: boolean): Promise<void> {
    const track = this.microphone.value;
    if (on && !track) await this.#open("microphone");
    else if (track) {
      track.enabled = on;
      this.microphoneOn.value = on;
    }
  }

  /** Off lets go of the camera, so that its lamp goes out. */
  async setCamera(on: boolean): Promise<void> {
    if (on && !this.camera.value) await this.#open("camera");
    else if (!on) this.#let("camera");
  }

  async choose(kind: Kind, id: string): Promise<void> {
    this.chosen[kind].value = id;
    const wasOn = kind === "microphone" ? this.microphoneOn.value : this.camera.value !== null;
    this.#let(kind);
    if (wasOn) await this.#open(kind);
  }

  async share(): Promise<void> {
    this.shareError.value = null;
    const releases = this.#releases;
    let track: MediaStreamTrack | undefined;
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia(DISPLAY);
      track = stream.getVideoTracks()[0];
    } catch (error) {
      // A person who closes the browser's chooser wants nothing said about it.
      const name = error instanceof DOMException ? error.name : "";
      if (name !== "NotAllowedError" && name !== "AbortError") this.shareError.value = "failed";
      return;
    }
    if (!track) return;
    if (releases !== this.#releases) return void track.stop();
    const surface = track.getSettings();
    const ratio = window.devicePixelRatio;
    const whole = { width: screen.width * ratio, height: screen.height * ratio };
    if (isWholeScreen(surface, whole)) {
      track.stop();
      this.shareError.value = "whole-screen";
      return;
    }
    track.contentHint = "detail";
    track.addEventListener("ended", () => this.stopSharing());
    this.stopSharing();
    this.screen.value = track;
  }

  stopSharing(): void {
    this.screen.value?.stop();
    this.screen.value = null;
  }

  release(): void {
    this.#releases += 1;
    this.#let("microphone");
    this.#let("camera");
    this.stopSharing();
  }

  async #open(kind: Kind): Promise<void> {
    if (!("mediaDevices" in navigator)) return;
    const id = this.chosen[kind].value;
    const device = id === "" ? {} : { deviceId: { exact: id } };
    try {
      const stream = await this.#ask(
        kind === "microphone" ? { audio: { ...AUDIO, ...device } } : { video: { ...VIDEO, ...device } },
      );
      if (stream) this.#take(kind, stream.getTracks()[0] ?? null);
    } catch (error) {
      const cause = deviceError(error);
      if (cause === "missing" && id !== "") {
        // The chosen one was unplugged; any other will do.
        this.chosen[kind].value = "";
        return this.#open(kind);
      }
      this.errors[kind].value = cause;
    }
    return this.#refresh();
  }

  async #ask(wish: MediaStreamConstraints): Promise<MediaStream | null> {
    const releases = this.#releases;
    const stream = await navigator.mediaDevices.getUserMedia(wish);
    if (releases === this.#releases) return stream;
    for (const track of stream.getTracks()) track.stop();
    return null;
  }

  #take(kind: Kind, track: MediaStreamTrack | null): void {
    this.#let(kind);
    if (!track) return;
    this.errors[kind].value = null;
    this.chosen[kind].value = track.getSettings().deviceId ?? this.chosen[kind].value;
    track.addEventListener("ended", () => {
      if (this[kind].value !== track) return;
      this.#let(kind);
      this.errors[kind].value = "missing";
    });
    if (kind === "microphone") this.microphoneOn.value = true;
    else track.contentHint = "motion";
    this[kind].value = track;
  }

  #let(kind: Kind): void {
    this[kind].value?.stop();
    this[kind].value = null;
    if (kind === "microphone") this.microphoneOn.value = false;
  }

  async #refresh(): Promise<void> {
    try {
      const all = await navigator.mediaDevices.enumerateDevices();
      this.list.value = all.filter((device) => device.deviceId !== "");
    } catch {
      this.list.value = [];
    }
  }
}

function deviceError(error: unknown): DeviceError {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "missing";
}
