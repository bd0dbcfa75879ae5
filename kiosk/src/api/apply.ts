// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Event, State } from "./types";

/**
 * Brings the state up to date, as `State::apply` of the crate does. A part that arrives before the
 * first state has nothing to stand in and is dropped.
 */
export function apply(state: State | null, event: Event): State | null {
  if (event.event === "state") return event.value;
  if (!state) return null;
  switch (event.event) {
    case "room":
      return { ...state, room: event.value };
    case "agenda":
      return { ...state, agenda: event.value };
    case "call":
      return { ...state, call: event.value };
    case "devices":
      return { ...state, devices: event.value };
    case "cameras":
      return { ...state, cameras: event.value };
    case "content":
      return { ...state, content: event.value };
    case "health":
      return { ...state, health: event.value };
    case "sound-test":
      return { ...state, soundTest: event.value };
    case "pairing":
      return { ...state, pairing: event.value };
    case "faults":
      return { ...state, faults: event.value };
    case "statistics":
      return { ...state, statistics: event.value };
    case "levels":
      return state;
    default: {
      // A newer room may tell of parts that this page does not know.
      event satisfies never;
      return state;
    }
  }
}
