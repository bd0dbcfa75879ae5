// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "../../src/api/apply";
import type { Event, State } from "../../src/api/types";
import { occupancy } from "../../src/agenda";
import { createFormat } from "../../src/i18n/format";
import { FRONT, HEALTH_TROUBLED } from "../stories/hardware";
import { IDLE, NOW, at, entry, inCall } from "../stories/state";

test("nothing stands before the first state", () => {
  assert.equal(apply(null, { event: "call", value: null }), null);
  assert.deepEqual(apply(null, { event: "state", value: IDLE }), IDLE);
});

test("each event replaces its own part and no other", () => {
  const next = inCall();
  const events: Exclude<Event, { event: "state" | "levels" }>[] = [
    { event: "room", value: { ...IDLE.room, name: "Trauzimmer" } },
    { event: "agenda", value: { ...IDLE.agenda, entries: [] } },
    { event: "call", value: next.call },
    { event: "devices", value: { ...IDLE.devices, camera: null } },
    { event: "cameras", value: [FRONT] },
    { event: "health", value: HEALTH_TROUBLED },
    { event: "pairing", value: { code: null, url: "https://room/panel.html", expiresAt: at(10) } },
    { event: "faults", value: [{ code: "camera-missing", detail: null }] },
    { event: "statistics", value: { ...IDLE.statistics, threads: 99 } },
  ];
  for (const event of events) {
    const applied = apply(IDLE, event);
    const expected: State = { ...IDLE, [event.event]: event.value };
    assert.deepEqual(applied, expected);
    assert.notEqual(applied, IDLE);
  }
});

test("levels are no part of the state, and neither is what a newer room tells", () => {
  assert.equal(apply(IDLE, { event: "levels", value: { microphone: 5, speaking: [] } }), IDLE);
  assert.equal(apply(IDLE, { event: "weather", value: 1 } as unknown as Event), IDLE);
});

test("meetings that touch take the room as one, notes and declined ones do not", () => {
  const agenda = (entries: State["agenda"]["entries"]) => ({ ...IDLE.agenda, entries });
  const first = entry("a", "A", at(9), at(9, 30));
  const second = entry("b", "B", at(9, 30), at(10));
  const hour = (text: string) => Date.parse(text);
  assert.deepEqual(occupancy(agenda([first, second]), NOW), { busy: true, until: hour(at(10)) });
  assert.deepEqual(occupancy(agenda([second]), NOW), { busy: false, until: hour(at(9, 30)) });
  assert.deepEqual(occupancy(agenda([]), NOW), { busy: false, until: null });
  const note = { ...first, allDay: true };
  const declined = { ...first, attendance: "declined" as const };
  assert.deepEqual(occupancy(agenda([note, declined]), NOW), { busy: false, until: null });
});

test("times are the room's, in its language, even for a zone that the browser does not know", () => {
  const berlin = createFormat("de", "Europe/Berlin");
  assert.equal(berlin.time(NOW), "09:12");
  assert.equal(berlin.date(NOW), "Montag, 23. November");
  assert.equal(createFormat("en", "America/New_York").time(NOW), "03:12");
  assert.match(createFormat("de", "Mars/Olympus").time(NOW), /^\d\d:\d\d$/);
  assert.equal(berlin.duration(3725), "1:02:05");
  assert.equal(berlin.duration(-3), "0:00");
});
