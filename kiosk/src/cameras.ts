// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Camera } from "./api/types";

/** There is something to choose: another camera, another direction, the picture, a saved position. */
export function adjustable(cameras: readonly Camera[]): boolean {
  if (cameras.length > 1) return true;
  return cameras.some(({ moves, zooms, adjusts, presets }) => moves || zooms || adjusts.length + presets.length > 0);
}

/** A name that no position of the camera has yet: the lowest free number in `name`. */
export function freeName(camera: Camera, name: (number: number) => string): string {
  const taken = new Set(camera.presets.map((preset) => preset.name));
  let number = 1;
  while (taken.has(name(number))) number += 1;
  return name(number);
}
