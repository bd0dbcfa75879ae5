// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Content inputs, first as functions, then on the page.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";
import { cropBetween, inView, shared } from "../../src/content";
import { HDMI, slide } from "../stories/hardware";
import { CALL, inCall } from "../stories/state";
import { launch } from "../support/browser";
import { eventually, StandInRoom } from "./stand-in";

test("a frame is what lies between two points, and a touch is none", () => {
  const check = (from: [number, number], to: [number, number], expected: number[] | null) => {
    const crop = cropBetween({ x: from[0], y: from[1] }, { x: to[0], y: to[1] });
    assert.deepEqual(crop && [crop.x, crop.y, crop.width, crop.height], expected);
  };
  check([0.1, 0.2], [0.6, 0.7], [100, 200, 500, 500]);
  check([0.6, 0.7], [0.1, 0.2], [100, 200, 500, 500]);
  check([-1, -1], [2, 2], [0, 0, 1000, 1000]);
  check([0.5, 0.5], [0.59, 0.9], null);
});

test("what is shared is in view, else what was chosen, else what has a signal", () => {
  const off = { ...HDMI, name: "A", signal: "no-signal" as const };
  const on = { ...HDMI, name: "B" };
  assert.equal(inView([off, on], null), on);
  assert.equal(inView([off, on], "A"), off);
  const live = { ...off, share: "held" as const };
  assert.equal(inView([live, on], "B"), live);
  assert.equal(inView([], null), undefined);
  assert.equal(shared([{ ...HDMI, share: "ended" }]), undefined);
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
    room = new StandInRoom(inCall({}, { content: [HDMI] }));
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

  test("a preview comes before sharing, and ends with the dialog", async () => {
    await part("content").waitFor();
    assert.deepEqual(room.looks, [], "nobody looks yet");
    await part("content").click();
    assert.ok(await part("content-share").isDisabled());
    room.preview = await slide().text();
    await part("content-picture").waitFor();
    assert.ok(room.looks.every((name) => name === HDMI.name));
    await part("content-share").click();
    await eventually(() => assert.deepEqual(room.requests, [{ request: "share-content", input: HDMI.name }]));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const looks = room.looks.length;
    await page.waitForTimeout(1_200);
    assert.equal(room.looks.length, looks, "it is looked at no longer");
  });

  test("a part is drawn on the picture, or chosen", async () => {
    room.preview = await slide().text();
    await part("content").click();
    await part("content-crop").click();
    const box = await part("content-picture").boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width * 0.1, box.y + box.height * 0.2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.5);
    await part("crop-frame").waitFor();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.7);
    await page.mouse.up();
    await eventually(() => assert.equal(room.requests.length, 1));
    const [drawn] = room.requests;
    assert.ok(drawn?.request === "crop-content");
    const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) <= 4, `${value}`);
    near(drawn.crop.x, 100);
    near(drawn.crop.y, 200);
    near(drawn.crop.width, 500);
    near(drawn.crop.height, 500);
    await page.getByRole("button", { name: "Rechte Hälfte" }).click();
    await eventually(() => assert.deepEqual(room.requests[1], {
      request: "crop-content",
      input: HDMI.name,
      crop: { x: 500, y: 0, width: 500, height: 1000 },
    }));
    await part("content-cropped").click();
    await part("content-share").waitFor();
  });

  test("a shared picture is frozen and taken back, and a lost signal is told", async () => {
    room.preview = await slide().text();
    await part("content").click();
    room.tell({ event: "call", value: { ...CALL, content: true } });
    room.tell({ event: "content", value: [{ ...HDMI, signal: "live", share: "on" }] });
    await part("content-freeze").click();
    room.tell({ event: "content", value: [{ ...HDMI, signal: "live", share: "on", frozen: true }] });
    await page.getByText("Geteilt: ein Standbild").waitFor();
    await part("content-freeze").click();
    room.tell({ event: "content", value: [{ ...HDMI, signal: "no-signal", share: "held" }] });
    await page.getByText("Die anderen sehen noch das letzte Bild", { exact: false }).waitFor();
    await part("content-stop").click();
    await eventually(() => assert.deepEqual(room.requests, [
      { request: "freeze-content", frozen: true },
      { request: "freeze-content", frozen: false },
      { request: "stop-content" },
    ]));
  });

  test("a protected picture is said in words, and a meeting that carries none offers nothing", async () => {
    await part("content").click();
    room.tell({ event: "content", value: [{ ...HDMI, signal: "protected" }] });
    await page.getByRole("heading", { name: "Das Bild ist kopiergeschützt (HDCP)" }).waitFor();
    assert.ok(await part("content-share").isDisabled());
    room.tell({ event: "call", value: { ...CALL, canShare: false } });
    await part("content-view").waitFor({ state: "detached" });
    assert.equal(await part("content").count(), 0);
  });
});
