// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { ROOM, type Member } from "../../wire/types";
import type { Call, LinkState } from "./call";

/** Someone to show, this page's own person included. */
export interface Person extends Member {
  readonly own: boolean;
  readonly link: LinkState;
}

/** The room first, then the guests in the order of their coming, oneself last. */
export function everyone(call: Call): Person[] {
  const others = call.members.map((member): Person => ({
    ...member,
    own: false,
    link: call.links.get(member.id)?.state ?? "connecting",
  }));
  others.sort((a, b) => Number(b.id === ROOM) - Number(a.id === ROOM));
  if (call.self === null) return others;
  const { sending, hand, name, self: id } = call;
  return [...others, { id, name, ...sending, hand, own: true, link: "connected" }];
}

/** At most two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined]
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("");
  return letters.toLocaleUpperCase();
}
