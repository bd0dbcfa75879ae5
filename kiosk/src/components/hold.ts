// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef } from "preact/hooks";

const HOLD_AFTER_MS = 450;

/**
 * What a button does once when tapped, and again and again while it is held; never before the last
 * time is done, so that a slow room is not flooded.
 */
export function useHold(action: () => void | Promise<void>, everyMs: number) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const pressed = useRef(false);
  const repeated = useRef(false);
  const latest = useRef(action);
  latest.current = action;

  const stop = (): void => {
    pressed.current = false;
    clearTimeout(timer.current);
  };
  const repeat = async (): Promise<void> => {
    repeated.current = true;
    await latest.current();
    if (pressed.current) timer.current = setTimeout(repeat, everyMs);
  };
  useEffect(() => stop, []);

  return {
    onPointerDown: (): void => {
      pressed.current = true;
      repeated.current = false;
      clearTimeout(timer.current);
      timer.current = setTimeout(repeat, HOLD_AFTER_MS);
    },
    onPointerUp: stop,
    onPointerLeave: stop,
    onPointerCancel: stop,
    // A long touch asks for no menu here.
    onContextMenu: (event: Event): void => event.preventDefault(),
    onClick: (): void => {
      // What ends a hold is no tap.
      if (!repeated.current) void latest.current();
      repeated.current = false;
    },
  };
}
