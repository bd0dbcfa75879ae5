// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { State } from "../api/types";
import { type Text, useLocale } from "../i18n/locale";
import type { Link } from "../room";

/** Reads changes of the room's state out to people who do not see the screen. */
export function Announcer({ link, state }: { link: Link; state: State | null }) {
  const { text } = useLocale();
  const waiting = state?.call?.waiting.length ?? 0;
  return (
    <>
      <div class="visually-hidden" role="status">
        {link === "online" && state ? phase(state, text) : ""}
      </div>
      <div class="visually-hidden" aria-live="assertive">
        {waiting > 0 ? text.people.waiting(waiting) : ""}
        {state?.devices.displayAsks ? text.displayAsks.title : ""}
        {state?.call?.countdown ? text.countdown.title : ""}
      </div>
    </>
  );
}

function phase(state: State, text: Text): string {
  const { announce } = text;
  const current = state.room.phase;
  switch (current.phase) {
    case "idle":
      return announce.idle;
    case "offered": {
      const entry = state.agenda.entries.find(({ id }) => id === current.booking);
      return announce.offered(entry?.title ?? text.booking.untitled);
    }
    case "joining":
      return announce.joining;
    case "lobby":
      return announce.lobby;
    case "in-call":
      return state.call?.sending ? announce.inCallSending : announce.inCallSilent;
    case "reconnecting":
      return announce.reconnecting;
    case "leaving":
      return announce.leaving;
    case "fault":
      return `${text.faults[current.code].title}. ${text.faults[current.code].remedy}`;
  }
}
