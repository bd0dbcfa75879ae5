// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What follows from the room's content inputs; functions without a page.
import type { Call, ContentInput, Crop, State } from "./api/types";

export const WHOLE: Crop = { x: 0, y: 0, width: 1000, height: 1000 };
/** The least of a side that the room cuts out, in thousandths. */
const LEAST = 100;

/** Something can be shared: the room has an input, and the meeting carries what it shows. */
export function offersContent(state: State, call: Call): boolean {
  return call.canShare && state.content.length > 0;
}

/** The input that somebody shares, its signal lost or not. */
export function shared(inputs: readonly ContentInput[]): ContentInput | undefined {
  return inputs.find(({ share }) => share !== "off" && share !== "ended");
}

/** The input that a dialog shows: what is shared, else what was chosen, else one with a signal. */
export function inView(inputs: readonly ContentInput[], chosen: string | null): ContentInput | undefined {
  return (
    shared(inputs) ?? inputs.find(({ name }) => name === chosen) ?? inputs.find(hasSignal) ?? inputs[0]
  );
}

/** A picture is there, or may be: nobody has looked yet. */
export function hasSignal({ signal }: ContentInput): boolean {
  return signal === "ready" || signal === "live" || signal === "dark";
}

export const isWhole = (crop: Crop): boolean =>
  crop.x === 0 && crop.y === 0 && crop.width === WHOLE.width && crop.height === WHOLE.height;

export interface Point {
  /** Fractions of the picture's width and height. */
  readonly x: number;
  readonly y: number;
}

/** A side between two fractions, in thousandths. */
function side(a: number, b: number): { from: number; length: number } {
  const within = [a, b].map((value) => Math.round(Math.min(1, Math.max(0, value)) * 1000));
  const [from = 0, to = 0] = within.toSorted((low, high) => low - high);
  return { from, length: to - from };
}

/** The part between two points of the picture; null when it is too small to be meant. */
export function cropBetween(one: Point, other: Point): Crop | null {
  const [width, height] = [side(one.x, other.x), side(one.y, other.y)];
  if (width.length < LEAST || height.length < LEAST) return null;
  return { x: width.from, y: height.from, width: width.length, height: height.length };
}
