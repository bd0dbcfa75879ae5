// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ReadonlySignal } from "@preact/signals";
import type { Levels } from "../api/types";

interface Props {
  levels: ReadonlySignal<Levels>;
  label: string;
}

/** The room's microphone level; about ten times a second, so it alone is drawn again. */
export function Meter({ levels, label }: Props) {
  const level = Math.min(100, Math.max(0, levels.value.microphone));
  return (
    <div
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={level}
      data-testid="level"
    >
      <div class="meter-bar" style={{ transform: `scaleX(${level / 100})` }} />
    </div>
  );
}
