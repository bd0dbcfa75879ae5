// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { effect, signal } from "@preact/signals";

import type { Devices } from "./devices";

const EVERY_MS = 80;

/** How loud the own microphone is, from 0 to 1. */
export const level = signal(0);

let context: AudioContext | null = null;

/** Measures while a microphone is open; ends nothing but its own work. */
export function measureMicrophone(devices: Devices): void {
  // A browser may hold sound back until the person has touched the page.
  for (const event of ["pointerdown", "keydown"]) {
    addEventListener(event, () => void context?.resume(), { passive: true });
  }
  effect(() => {
    const track = devices.microphone.value;
    if (!track) {
      level.value = 0;
      return;
    }
    context ??= new AudioContext();
    void context.resume();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const interval = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      level.value = devices.microphoneOn.peek() ? loudness(samples) : 0;
    }, EVERY_MS);
    return () => {
      clearInterval(interval);
      source.disconnect();
      level.value = 0;
    };
  });
}

function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.min(1, Math.sqrt(sum / samples.length) * 3);
}
