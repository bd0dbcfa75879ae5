// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { effect } from "@preact/signals";

/** Keeps a phone's screen on while `wanted` holds; where a browser cannot, nothing is lost. */
export function keepAwake(wanted: () => boolean): void {
  const wakeLock = (navigator as { wakeLock?: WakeLock }).wakeLock;
  if (!wakeLock) return;
  let lock: WakeLockSentinel | null = null;
  let wish = false;
  const update = async () => {
    if (wish && (lock === null || lock.released) && document.visibilityState === "visible") {
      try {
        lock = await wakeLock.request("screen");
      } catch {
        // Refused, for instance on low battery.
      }
    }
    if (!wish) {
      await lock?.release();
      lock = null;
    }
  };
  effect(() => {
    wish = wanted();
    void update();
  });
  document.addEventListener("visibilitychange", () => void update());
}
