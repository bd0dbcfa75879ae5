// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef, useState } from "preact/hooks";
import { useLocale } from "../i18n/locale";
import { Icon } from "./icon";

const STEP = 5;
const SEND_EVERY_MS = 100;

interface Props {
  value: number;
  onChange: (value: number) => void;
}

/** Loudspeaker volume: follows the finger at once, tells the room at most ten times a second. */
export function VolumeSlider({ value, onChange }: Props) {
  const { text } = useLocale();
  const [moving, setMoving] = useState<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(value);
  const shown = moving ?? value;

  // The room's answer takes over again.
  useEffect(() => setMoving(null), [value]);

  const move = (next: number): void => {
    const bounded = Math.min(100, Math.max(0, next));
    latest.current = bounded;
    setMoving(bounded);
    timer.current ??= setTimeout(() => {
      timer.current = null;
      onChange(latest.current);
    }, SEND_EVERY_MS);
  };

  return (
    <div class="volume" role="group" aria-label={text.call.volume}>
      <button
        type="button"
        class="button square"
        aria-label={text.call.quieter}
        data-testid="quieter"
        onClick={() => move(shown - STEP)}
      >
        <Icon name="minus" />
      </button>
      <Icon name={shown === 0 ? "mute" : "volume"} />
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={shown}
        aria-label={text.call.volume}
        aria-valuetext={text.call.percent(shown)}
        data-testid="volume"
        style={{ "--fill": `${shown}%` }}
        onInput={(event) => move(Number(event.currentTarget.value))}
      />
      <span class="volume-value tabular" aria-hidden="true">
        {text.call.percent(shown)}
      </span>
      <button
        type="button"
        class="button square"
        aria-label={text.call.louder}
        data-testid="louder"
        onClick={() => move(shown + STEP)}
      >
        <Icon name="plus" />
      </button>
    </div>
  );
}
