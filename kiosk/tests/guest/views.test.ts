// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import type { RefuseReason, WaitReason } from "../../src/wire/types";
import { StandIn } from "./stand-in";
import { axe, buildGuest, DIST, join, launch, open, OUT, smallTargets, view, type Opened } from "./support";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

async function look(page: Page, name: string): Promise<void> {
  for (const language of ["de", "en"]) {
    const button = page.locator(`[data-choice=${language}]:visible`);
    if (await button.count()) await button.first().click();
    else await page.evaluate((to) => localStorage.setItem("language", to), language);
    assert.deepEqual(await axe(page), [], `${name} ${language}`);
    assert.deepEqual(await smallTargets(page), [], `${name} ${language}`);
    const wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    assert.equal(wide, false, `${name} ${language} is wider than the screen`);
    await page.screenshot({ path: `${OUT}/guest-${name}-${language}.png` });
  }
}

async function done({ page, errors }: Opened): Promise<void> {
  assert.deepEqual(errors, []);
  await page.context().close();
}

describe("every view, in both languages", () => {
  let browser: Browser;
  let room: StandIn;

  before(async () => {
    mkdirSync(OUT, { recursive: true });
    await buildGuest();
    browser = await launch();
    room = await StandIn.start({ dist: DIST });
  });
  after(async () => {
    await browser.close();
    await room.stop();
  });

  async function reach(to: string, options = {}): Promise<Opened> {
    const opened = await open(browser, `${room.url}/meet/abc`, options);
    await opened.page.locator("video[data-participant=preview]").waitFor();
    if (to !== "") {
      await join(opened.page, "Erika Mustermann");
      await view(opened.page, to);
    }
    return opened;
  }

  it("before joining", async () => {
    for (const [name, options] of [
      ["prejoin", {}],
      ["prejoin-light", { colorScheme: "light" }],
      ["prejoin-phone", PHONE],
    ] as const) {
      const opened = await reach("", options);
      await look(opened.page, name);
      await done(opened);
    }
    assert.equal(room.received.length, 0, "nothing is sent before joining");
  });

  it("a missing name is asked for", async () => {
    const opened = await reach("");
    await opened.page.locator("[data-action=join]").click();
    await opened.page.locator("#name[aria-invalid=true]").waitFor();
    assert.equal(await opened.page.evaluate("document.activeElement.id"), "name");
    await look(opened.page, "prejoin-no-name");
    await done(opened);
  });

  it("waiting", async () => {
    for (const hold of ["not-started", "lobby", "full"] satisfies WaitReason[]) {
      room.options = { dist: DIST, hold };
      const opened = await reach(`waiting-${hold}`);
      await look(opened.page, `waiting-${hold}`);
      await done(opened);
    }
    room.options = { dist: DIST, hold: "lobby" };
    const phone = await reach("waiting-lobby", { ...PHONE, colorScheme: "light" });
    await look(phone.page, "waiting-lobby-phone");
    await done(phone);
  });

  it("the password, wrong and right", async () => {
    room.options = { dist: DIST, password: "Lindenallee" };
    const opened = await reach("password");
    const { page } = opened;
    await look(page, "password");
    await page.locator("#password").fill("falsch");
    await page.locator("[data-action=password]").click();
    await page.locator("#password[aria-invalid=true]").waitFor();
    await look(page, "password-wrong");
    await page.locator("#password").fill("Lindenallee");
    await page.keyboard.press("Enter");
    await view(page, "meeting");
    await done(opened);
    room.options = { dist: DIST };
  });

  it("refused and ended, with what to do", async () => {
    room.options = { dist: DIST, hold: "lobby" };
    const reasons: RefuseReason[] = [
      "unknown-meeting",
      "denied",
      "removed",
      "too-many",
      "too-slow",
      "bad-message",
      "version",
    ];
    for (const reason of reasons) {
      const opened = await reach("waiting-lobby");
      room.refuse("Erika Mustermann", reason);
      await view(opened.page, `over-${reason}`);
      await look(opened.page, `over-${reason}`);
      await done(opened);
    }
    const opened = await reach("waiting-lobby");
    room.send("Erika Mustermann", { type: "ended" });
    await view(opened.page, "over-ended");
    await look(opened.page, "over-ended");
    await opened.page.locator("[data-action=again]").click();
    await view(opened.page, "prejoin");
    assert.equal(await opened.page.locator("#name").inputValue(), "Erika Mustermann");
    await done(opened);
  });

  it("a room that cannot be reached", async () => {
    room.reachable = false;
    const opened = await reach("connecting");
    await look(opened.page, "connecting");
    await view(opened.page, "over-lost", 40_000);
    await look(opened.page, "over-lost");
    room.reachable = true;
    await opened.page.context().close();
  });

  it("without any device, and without permission", async () => {
    const bare = await launch("window", false);
    room.options = { dist: DIST };
    try {
      const opened = await open(bare, `${room.url}/meet/abc`);
      await opened.page.locator(".device-errors p").first().waitFor();
      await look(opened.page, "prejoin-no-devices");
      await join(opened.page, "Ohne Kamera");
      await view(opened.page, "meeting");
      const { member } = room.guest("Ohne Kamera");
      assert.deepEqual([member.microphone, member.camera], [false, false]);
      await done(opened);
    } finally {
      await bare.close();
    }
    const context = await browser.newContext();
    await context.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("denied", "NotAllowedError"));
    });
    const page = await context.newPage();
    await page.goto(`${room.url}/meet/abc`);
    await page.locator(".device-errors p").first().waitFor();
    await look(page, "prejoin-denied");
    await context.close();
  });
});
