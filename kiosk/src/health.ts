// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Devices, Fault, FaultCode, HealthItem, Severity } from "./api/types";

const KINDS = [
  // Before `display` and `panel`, with whose names they begin.
  "display-control",
  "panel-touch",
  "camera",
  "microphone",
  "loudspeaker",
  "display",
  "panel",
  "content",
  "telephony",
  "keys",
  "encoder",
] as const;

export type DeviceKind = (typeof KINDS)[number];

const RANK: Record<Severity, number> = { error: 0, warning: 1, notice: 2 };

/** The faults that say of a kind of device what its own line says better. */
const SAID_BY: Partial<Record<FaultCode, DeviceKind>> = {
  "camera-missing": "camera",
  "microphone-missing": "microphone",
  "loudspeaker-missing": "loudspeaker",
  "display-missing": "display",
};

type Trouble = HealthItem & { severity: Severity };

const isTrouble = (item: HealthItem): item is Trouble => item.severity !== null;

/** What a device is for the room, by its code; null for what a newer room may know. */
export function kindOf({ code }: HealthItem): DeviceKind | null {
  return KINDS.find((kind) => code.startsWith(`${kind}-`)) ?? null;
}

/** The devices that are in trouble, worst first. */
export function troubles(items: readonly HealthItem[]): Trouble[] {
  return items.filter(isTrouble).toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

/** What is wrong besides the devices that are in trouble, so that nothing is said twice. */
export function otherFaults(faults: readonly Fault[], items: readonly HealthItem[]): Fault[] {
  const lost = items.filter(({ severity }) => severity === "error");
  const kinds = new Set(lost.map(kindOf));
  return faults.filter(({ code }) => {
    const kind = SAID_BY[code];
    return !kind || !kinds.has(kind);
  });
}

/** The kinds of device that the room's list of devices leaves out. */
export function unlisted(items: readonly HealthItem[]): (keyof Devices & DeviceKind)[] {
  const kinds = new Set(items.map(kindOf));
  return (["camera", "microphone", "loudspeaker", "display"] as const).filter((kind) => !kinds.has(kind));
}
