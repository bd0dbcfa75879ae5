// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
export interface Arrangement {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
}

const RATIO = 16 / 9;

/** The number of columns that makes `count` tiles of 16:9 as large as the space allows. */
export function arrange(count: number, width: number, height: number, gap: number): Arrangement {
  let best: Arrangement = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const widest = (width - gap * (columns - 1)) / columns;
    const highest = (height - gap * (rows - 1)) / rows;
    const tile = Math.max(0, Math.floor(Math.min(widest, highest * RATIO)));
    if (tile > best.width) best = { columns, width: tile, height: Math.floor(tile / RATIO) };
  }
  return best;
}
