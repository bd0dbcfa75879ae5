// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What a guest without a browser shows and says, as samples: the same time code, number and tone as
// `signal` gives to one in a page.
import "../agent/probe.js";
import { ABOVE_NAMES, type Signal } from "./signal";

const WHITE = 235;
const GROUND = 90;
const BLACK = 16;
const NO_COLOUR = 128;
/** In hertz. */
export const RATE = 48_000;
const LOUDNESS = 0.25 * 32_767;

/** A grey picture in I420 with the time code of this moment. */
export function picture({ number, width, height }: Signal): Uint8Array {
  const luma = width * height;
  const samples = new Uint8Array(luma * 1.5).fill(NO_COLOUR, luma).fill(GROUND, 0, luma);
  const brush = {
    fillStyle: "",
    fillRect(left: number, top: number, across: number, down: number) {
      const value = brush.fillStyle === "#fff" ? WHITE : BLACK;
      for (let y = Math.floor(top); y < Math.floor(top + down); y += 1) {
        samples.fill(value, y * width + Math.floor(left), y * width + Math.floor(left + across));
      }
    },
  };
  const code = { millis: Date.now(), source: number };
  roomdProbe.drawTimecode(brush, code, { width, height: height * ABOVE_NAMES });
  return samples;
}

/** A second of a tone that swells like speech, which may be repeated without a gap. */
export function tone({ hertz }: Signal): Int16Array {
  const turns = 2 * Math.PI * Math.round(hertz);
  return Int16Array.from({ length: RATE }, (_, at) => {
    const time = at / RATE;
    const swell = 1 + 0.6 * Math.sin(4 * Math.PI * time);
    return (LOUDNESS / 1.6) * swell * Math.sin(turns * time);
  });
}
