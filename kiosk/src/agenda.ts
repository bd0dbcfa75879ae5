// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Agenda, AgendaEntry, State } from "./api/types";
import type { Text } from "./i18n/locale";

/** Whether the room is taken now, and until when that holds. */
export interface Occupancy {
  readonly busy: boolean;
  /** Milliseconds since 1970; null when nothing changes any more today. */
  readonly until: number | null;
}

const start = (entry: AgendaEntry): number => Date.parse(entry.start);
const end = (entry: AgendaEntry): number => Date.parse(entry.end);

/** Entries that take the room; an all-day note or a declined invitation does not. */
function taking(agenda: Agenda): AgendaEntry[] {
  return agenda.entries.filter((entry) => !entry.allDay && entry.attendance !== "declined");
}

export function occupancy(agenda: Agenda, now: number): Occupancy {
  const entries = taking(agenda);
  let until = now;
  // Meetings that touch each other take the room as one.
  for (const entry of entries) {
    if (start(entry) <= until && end(entry) > until) until = end(entry);
  }
  if (until > now) return { busy: true, until };
  const next = entries.find((entry) => start(entry) > now);
  return { busy: false, until: next ? start(next) : null };
}

/** The meeting that comes next, running ones left out. */
export function upNext(agenda: Agenda, now: number): AgendaEntry | null {
  return taking(agenda).find((entry) => start(entry) > now) ?? null;
}

export function isRunning(entry: AgendaEntry, now: number): boolean {
  return start(entry) <= now && end(entry) > now;
}

/** The booking that the join button joins, while the room offers one. */
export function offered({ room, agenda }: State): AgendaEntry | null {
  const { phase } = room;
  if (phase.phase !== "offered") return null;
  return agenda.entries.find(({ id }) => id === phase.booking) ?? null;
}

export function providerName(text: Text, provider: string): string {
  const names: Record<string, string> = text.providers;
  return names[provider] ?? provider;
}

export function minutesUntil(at: number, now: number): number {
  return Math.ceil((at - now) / 60_000);
}
