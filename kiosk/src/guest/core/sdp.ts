// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
/** The certificates that a description names, in a comparable form; empty when it names none. */
export function fingerprints(sdp: string): string {
  const found = new Set<string>();
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith("a=fingerprint:")) found.add(line.slice(14).trim().toLowerCase());
  }
  return [...found].toSorted().join(" ");
}
