// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What the browser agent puts into every page (../agent/probe.js), as far as it is used here.

interface Size {
  width: number;
  height: number;
}

interface TimeCode {
  millis: number;
  source: number;
}

/** What it draws with: a canvas, or what stands for one. */
type Brush = Pick<CanvasRenderingContext2D, "fillStyle" | "fillRect">;

declare const roomdProbe: {
  drawTimecode(context: Brush, code: TimeCode, area: Size): void;
  readTimecode(video: HTMLVideoElement, area?: Size): (TimeCode & Size & { readAt: number }) | null;
  dominantTone(
    sound: HTMLAudioElement,
    hertz: number,
    ms?: number,
  ): Promise<{ level: number; rms: number; ratio: number }>;
};
