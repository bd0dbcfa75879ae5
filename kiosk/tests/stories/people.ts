// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ChatMessage, Participant } from "../../src/api/types";

const FIRST = ["Erika", "Ahmet", "Katarzyna", "Jörg", "Ngọc Ánh", "Fatima", "Søren", "Øyvind", "Zoë", "Maximilian-Alexander"];
const LAST = ["Mustermann", "Yılmaz", "Wiśniewska", "Großmann", "von und zu Hohenlohe-Langenburg", "O’Neill", "Đặng", "Schulz"];

const QUIET: Participant = {
  id: "p0",
  name: "Erika Mustermann",
  microphone: true,
  camera: true,
  sharing: false,
  hand: false,
  reaction: null,
  speaking: false,
  connection: "good",
  e2ee: "verified",
};

export function person(id: string, name: string, change: Partial<Participant> = {}): Participant {
  return { ...QUIET, id, name, ...change };
}

/** As many people as wanted, with every mark somewhere among them. */
export function crowd(count: number): Participant[] {
  return Array.from({ length: count }, (_, index) =>
    person(`p${index}`, `${FIRST[index % FIRST.length]} ${LAST[index % LAST.length]}`, {
      microphone: index % 3 === 0,
      camera: index % 4 !== 1,
      speaking: index === 0,
      hand: index % 11 === 2,
      sharing: index === 1,
      connection: index === 6 ? "poor" : index === 9 ? "connecting" : "good",
      e2ee: index % 13 === 5 ? "off" : "verified",
    }),
  );
}

export function chat(): ChatMessage[] {
  const lines: [string | null, string, string][] = [
    ["p0", "Erika Mustermann", "Guten Morgen! Hört man uns?"],
    [null, "Sitzungssaal 2", "Ja, sehr gut."],
    ["p1", "Ahmet Yılmaz", "Die Unterlagen zum zweiten Tagesordnungspunkt liegen unter https://cloud.example.org/s/haushaltsplan-2027-entwurf-fassung-3"],
    ["p2", "Katarzyna von und zu Hohenlohe-Langenburg", "Danke und guten Morgen."],
    ["p0", "Erika Mustermann", "Wir beginnen in zwei Minuten."],
  ];
  return lines.map(([from, name, text], index) => ({
    id: index + 1,
    from,
    name,
    text,
    at: new Date(Date.UTC(2026, 10, 23, 8, 8 + index)).toISOString(),
  }));
}
