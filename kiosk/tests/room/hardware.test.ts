// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Cameras, devices and the display, first as functions, then on the page.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";
import type { Camera, Fault, HealthItem } from "../../src/api/types";
import { adjustable, freeName } from "../../src/cameras";
import { kindOf, otherFaults, troubles, unlisted } from "../../src/health";
import { BOTH, FRONT, HEALTH_TROUBLED, HEALTH_WELL, HEAR_FAILED, HEAR_LISTENING, HEAR_SPEAKING, SOUND_RUNNING, SOUND_TROUBLED, SOUND_WELL, TABLE } from "../stories/hardware";
import { IDLE, inCall } from "../stories/state";
import { launch } from "../support/browser";
import { eventually, StandInRoom } from "./stand-in";

const withCode = (code: string): HealthItem => ({ ...HEALTH_WELL.items[0], code }) as HealthItem;

test("a device's kind is read from its code", () => {
  const check = (code: string, kind: string | null) => assert.equal(kindOf(withCode(code)), kind, code);
  check("camera-missing", "camera");
  check("display-needs-person", "display");
  check("display-control-ok", "display-control");
  check("panel-gone", "panel");
  check("panel-touch-missing", "panel-touch");
  check("teleporter-missing", null);
});

test("the worst device comes first, and one that is well not at all", () => {
  const codes = troubles(HEALTH_TROUBLED.items).map(({ code }) => code);
  assert.deepEqual(codes, ["camera-missing", "display-control-disobeys", "camera-slow", "keys-moved"]);
  assert.deepEqual(troubles(HEALTH_WELL.items), []);
});

test("a fault that a device's line says better is left out, and no other", () => {
  const faults: Fault[] = [
    { code: "camera-missing", detail: null },
    { code: "microphone-missing", detail: null },
    { code: "config-rejected", detail: null },
  ];
  const left = otherFaults(faults, HEALTH_TROUBLED.items).map(({ code }) => code);
  assert.deepEqual(left, ["microphone-missing", "config-rejected"]);
  assert.deepEqual(otherFaults(faults, HEALTH_WELL.items), faults);
  const slow = HEALTH_TROUBLED.items.filter(({ code }) => code === "camera-slow");
  assert.deepEqual(otherFaults(faults, slow), faults, "slow is not missing");
});

test("what the list of devices leaves out is told by the attached ones", () => {
  assert.deepEqual(unlisted([]), ["camera", "microphone", "loudspeaker", "display"]);
  assert.deepEqual(unlisted(HEALTH_WELL.items), []);
  assert.deepEqual(unlisted([withCode("camera-ok"), withCode("display-control-ok")]), ["microphone", "loudspeaker", "display"]);
});

test("one fixed camera is nothing to choose from", () => {
  const check = (cameras: Camera[], expected: boolean) => assert.equal(adjustable(cameras), expected);
  check([], false);
  check([TABLE], false);
  check([TABLE, { ...TABLE, name: "B" }], true);
  check([{ ...TABLE, zooms: true }], true);
  check([{ ...TABLE, adjusts: FRONT.adjusts }], true);
  check([{ ...TABLE, presets: FRONT.presets }], true);
});

test("a suggested name is not taken yet", () => {
  const presets = ["Position 1", "Position 3"].map((name) => ({ name, thumbnail: null }));
  assert.equal(freeName({ ...TABLE, presets }, (n) => `Position ${n}`), "Position 2");
});

describe("on the page", () => {
  let browser: Browser;
  let page: Page;
  let room: StandInRoom;
  const errors: string[] = [];

  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
  beforeEach(async () => {
    errors.length = 0;
    room = new StandInRoom(inCall({}, { cameras: BOTH }));
    room.paired = true;
    await room.start();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: "de-DE" });
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${room.origin}/panel.html`);
  });
  afterEach(async () => {
    await page.close();
    room.stop();
    assert.deepEqual(errors, []);
  });

  const part = (id: string): Locator => page.getByTestId(id).first();

  test("another camera is chosen, and an arrow goes on while it is held", async () => {
    await part("cameras").click();
    await page.getByRole("button", { name: TABLE.name }).click();
    await part("camera-left").click();
    await eventually(() => assert.deepEqual(room.requests, [
      { request: "select-camera", camera: TABLE.name },
      { request: "move-camera", camera: FRONT.name, pan: -1, tilt: 0, zoom: 0 },
    ]));
    room.requests.length = 0;
    await part("camera-plus").hover();
    await page.mouse.down();
    await page.waitForTimeout(1_200);
    await page.mouse.up();
    const moves = room.requests.length;
    assert.ok(moves >= 3 && moves <= 8, `${moves} moves`);
    const closer = { request: "move-camera", camera: FRONT.name, pan: 0, tilt: 0, zoom: 1 };
    assert.deepEqual(room.requests, Array.from({ length: moves }, () => closer));
    await page.waitForTimeout(400);
    assert.equal(room.requests.length, moves, "the end of a hold is no tap");
    // The camera that is in use takes its place in the dialog.
    room.tell({ event: "cameras", value: [{ ...FRONT, active: false }, { ...TABLE, active: true }] });
    await part("camera-left").waitFor({ state: "detached" });
  });

  test("a position is recalled, saved and deleted", async () => {
    await part("cameras").click();
    await part("preset").click();
    await part("preset-save").click();
    const name = part("preset-input");
    assert.equal(await name.inputValue(), "Position 1");
    await page.keyboard.type("Rednerpult");
    await page.getByText("Ersetzt die Position, die schon so heißt.").waitFor();
    await name.fill("  Presse ");
    await part("preset-submit").click();
    await part("presets-edit").click();
    await page.getByRole("button", { name: "Rednerpult: Position löschen" }).click();
    await page.getByRole("dialog", { name: "Position „Rednerpult“ löschen?" }).waitFor();
    await page.keyboard.press("Escape");
    await part("presets-edit").click();
    await page.getByRole("button", { name: "Rednerpult: Position löschen" }).click();
    await part("preset-delete").click();
    await part("camera-view").waitFor();
    await eventually(() => assert.deepEqual(room.requests, [
      { request: "recall-preset", camera: FRONT.name, preset: "Ganzer Tisch" },
      { request: "save-preset", camera: FRONT.name, preset: "Presse" },
      { request: "delete-preset", camera: FRONT.name, preset: "Rednerpult" },
    ]));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("focus is left to the camera, and exposure set by hand", async () => {
    await part("cameras").click();
    await part("picture").click();
    assert.equal(await part("value-focus").count(), 0, "an automatic has no value to set");
    await part("auto-focus").click();
    await part("auto-exposure").click();
    await part("value-exposure").fill("300");
    await eventually(() => assert.deepEqual(room.requests, [
      { request: "adjust-camera", camera: FRONT.name, setting: "focus", to: "manual" },
      { request: "adjust-camera", camera: FRONT.name, setting: "exposure", to: "automatic" },
      { request: "set-camera-value", camera: FRONT.name, setting: "exposure", value: 300 },
    ]));
    assert.equal(await part("auto-backlight").count(), 0, "only what the camera has");
  });

  test("why a camera does not follow is said over its dialog", async () => {
    room.answer = () => ({ reply: "refused", refusal: "camera-refused" });
    await part("cameras").click();
    await part("camera-up").click();
    const toast = page.getByRole("dialog").getByTestId("toast");
    await toast.waitFor();
    assert.match((await toast.textContent()) ?? "", /Die Kamera folgt nicht/);
    await part("toast-close").click();
    await toast.waitFor({ state: "detached" });
  });

  test("a camera that is pulled out while its dialog is open is said to be away", async () => {
    await part("cameras").click();
    await part("camera-up").waitFor();
    room.tell({ event: "cameras", value: [{ ...FRONT, present: false }, TABLE] });
    await page.getByRole("heading", { name: "Die Kamera „Kamera vorn“ ist nicht angeschlossen" }).waitFor();
    assert.equal(await part("camera-up").count(), 0);
    room.tell({ event: "cameras", value: BOTH });
    await part("camera-up").waitFor();
  });

  test("the sound is tested, and what was found is shown with a remedy", async () => {
    room.tell({ event: "state", value: { ...IDLE, soundTest: SOUND_WELL } });
    await part("diagnosis").click();
    await part("sound-test-start").click();
    await eventually(() => assert.deepEqual(room.requests, [{ request: "start-sound-test" }]));
    room.tell({ event: "sound-test", value: SOUND_RUNNING });
    await page.getByText("Der Test läuft. Bitte nicht sprechen.").waitFor();
    assert.equal(await page.getByRole("progressbar", { name: "Tontest" }).getAttribute("value"), "42");
    await part("sound-test-stop").click();
    await eventually(() => assert.deepEqual(room.requests.at(-1), { request: "stop-sound-test" }));
    room.tell({ event: "sound-test", value: SOUND_TROUBLED });
    await page.getByText("Bitte Lautsprecher leiser stellen oder weiter vom Mikrofon entfernen.").waitFor();
    await page.getByText("Zuletzt getestet: 3. November 2025 um 15:05").waitFor();
    assert.equal(await part("sound-test").getByTestId("sound-test-trouble").count(), 2);
  });

  test("a person speaks, then hears themself, and may end it", async () => {
    room.tell({ event: "state", value: { ...IDLE, soundTest: SOUND_WELL } });
    await part("diagnosis").click();
    await part("self-hear-start").click();
    await eventually(() => assert.deepEqual(room.requests, [{ request: "start-self-hear" }]));
    room.tell({ event: "sound-test", value: HEAR_SPEAKING });
    await page.getByText("Sprechen Sie jetzt.").waitFor();
    room.tell({ event: "levels", value: { microphone: 48, speaking: [] } });
    await part("self-hear").locator("[role=meter][aria-valuenow='48']").waitFor();
    room.tell({ event: "sound-test", value: HEAR_LISTENING });
    await page.getByText("So hört man Sie.").waitFor();
    assert.equal(await part("self-hear").getByRole("meter").count(), 0);
    await part("self-hear-stop").click();
    await eventually(() => assert.deepEqual(room.requests.at(-1), { request: "stop-self-hear" }));
    room.tell({ event: "sound-test", value: SOUND_WELL });
    await part("self-hear-start").waitFor();
    room.tell({ event: "sound-test", value: SOUND_RUNNING });
    await page.getByText("Während des Tontests ist das nicht möglich.").waitFor();
    assert.equal(await part("self-hear-start").isDisabled(), true);
  });

  test("that somebody hears themself is said on every screen, and ended there", async () => {
    room.tell({ event: "state", value: { ...IDLE, soundTest: HEAR_SPEAKING } });
    await part("self-hears").getByText("Sprechen Sie jetzt.").waitFor();
    await part("self-hears-stop").click();
    await eventually(() => assert.deepEqual(room.requests, [{ request: "stop-self-hear" }]));
    room.tell({ event: "sound-test", value: HEAR_FAILED });
    await part("self-hears").waitFor({ state: "detached" });
    await part("diagnosis").click();
    await part("self-hear").getByText("Kein Mikrofon angeschlossen").waitFor();
  });

  test("why nobody can hear themself is said over the dialog", async () => {
    room.answer = () => ({ reply: "refused", refusal: "microphone-muted" });
    room.tell({ event: "state", value: IDLE });
    await part("diagnosis").click();
    await part("self-hear-start").click();
    const toast = page.getByRole("dialog").getByTestId("toast");
    await toast.waitFor();
    assert.match((await toast.textContent()) ?? "", /am Gerät stummgeschaltet.*Stummtaste/);
  });

  test("a display that does not turn on asks for a hand until it is on", async () => {
    room.tell({ event: "devices", value: { ...IDLE.devices, displayAsks: true } });
    await part("display-is-on").click();
    await eventually(() => assert.deepEqual(room.requests, [{ request: "display-is-on" }]));
    room.tell({ event: "devices", value: IDLE.devices });
    await part("display-asks").waitFor({ state: "detached" });
  });
});
