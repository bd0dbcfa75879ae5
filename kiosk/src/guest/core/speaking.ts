// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
const LOUD = 0.02;
const HOLD_MS = 700;

/** Who speaks: loud now, or loud a moment ago, so that outlines do not flicker between words. */
export class Speaking {
  readonly #loud = new Map<string, number>();

  /** Takes levels from 0 to 1; gives the speakers in a stable order. */
  update(levels: ReadonlyMap<string, number>, now: number): string[] {
    for (const [id, level] of levels) {
      if (level >= LOUD) this.#loud.set(id, now);
    }
    for (const [id, at] of this.#loud) {
      if (now - at > HOLD_MS || !levels.has(id)) this.#loud.delete(id);
    }
    return [...this.#loud.keys()].toSorted();
  }
}
