// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { StandIn } from "./stand-in";
import {
  axe,
  buildGuest,
  DIST,
  holds,
  join,
  launch,
  open,
  OUT,
  picture,
  smallTargets,
  view,
  type Opened,
} from "./support";

const ENCRYPTED = "document.querySelector('[data-role=encryption]')?.dataset.verified === 'true'";

async function look(page: Page, name: string): Promise<void> {
  const language = (await page.evaluate("document.documentElement.lang")) as string;
  for (const next of language === "de" ? ["en", "de"] : ["de", "en"]) {
    // The choice is in the settings, which need not be open for it.
    await page.evaluate(`document.querySelector("[data-choice=${next}]").click()`);
    await page.locator(`html[lang=${next}]`).waitFor();
    assert.deepEqual(await axe(page), [], `${name} ${next}`);
    assert.deepEqual(await smallTargets(page), [], `${name} ${next}`);
    const wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    assert.equal(wide, false, `${name} ${next} is wider than the screen`);
    await page.screenshot({ path: `${OUT}/guest-${name}-${next}.png` });
  }
}

describe("a meeting of the room and its guests", () => {
  let browser: Browser;
  let room: StandIn;
  let roomPage: Page;
  let anna: Opened;
  let ben: Opened;

  before(async () => {
    await buildGuest();
    browser = await launch();
    room = await StandIn.start({ dist: DIST });
    roomPage = (await open(browser, `${room.url}/room-page.html`)).page;
    anna = await open(browser, `${room.url}/meet/abc`);
    ben = await open(browser, `${room.url}/meet/abc`, { locale: "en-GB", colorScheme: "light" });
    for (const [{ page }, name] of [
      [anna, "Anna Berger"],
      [ben, "Ben Okafor"],
    ] as const) {
      await page.locator("video[data-participant=preview]").waitFor();
      await join(page, name);
      await view(page, "meeting");
    }
  });
  after(async () => {
    await browser.close();
    await room.stop();
  });

  it("shows the room and the guests to each other", async () => {
    await picture(anna.page, "room");
    await picture(ben.page, "room");
    await picture(anna.page, "g2");
    await picture(ben.page, "g1");
    await picture(roomPage, "g1");
    await picture(roomPage, "g2");
    await holds(anna.page, ENCRYPTED);
    await holds(ben.page, ENCRYPTED);
    await look(anna.page, "meeting");
    await look(ben.page, "meeting-light");
  });

  it("receives the room's own picture and tone", async () => {
    const reading = (await holds(
      anna.page,
      `roomdProbe.readTimecode(document.querySelector('video[data-participant=room]'))`,
    )) as { millis: number; readAt: number; source: number };
    assert.equal(reading.source, 7);
    assert.ok(Math.abs(reading.readAt - reading.millis) < 5000);
    const tone = (await anna.page.evaluate(
      `roomdProbe.dominantTone(document.querySelector('audio[data-participant=room]'), 1000, 600)`,
    )) as { level: number; ratio: number };
    assert.ok(tone.level > 0.05 && tone.ratio > 0.8, JSON.stringify(tone));
    const stats = (await anna.page.evaluate("roomdProbe.inboundStats()")) as {
      connectionState: string;
      dtlsState: string;
    }[];
    assert.deepEqual(
      stats.map(({ connectionState, dtlsState }) => [connectionState, dtlsState]),
      [
        ["connected", "connected"],
        ["connected", "connected"],
      ],
    );
  });

  it("sends VP8 no larger than the room wants", async () => {
    room.send("Anna Berger", { type: "wanted-height", lines: 180 });
    await holds(
      roomPage,
      `document.querySelector('video[data-participant=g1][data-kind=camera]').videoHeight <= 180`,
    );
  });

  it("camera off lets go of the device, on brings it back", async () => {
    await anna.page.locator("[data-action=camera]").click();
    await holds(ben.page, `!document.querySelector('video[data-participant=g1]')`);
    assert.equal(room.guest("Anna Berger").member.camera, false);
    assert.equal(await anna.page.locator("video[data-participant=g1]").count(), 0);
    await look(anna.page, "meeting-camera-off");
    await anna.page.locator("[data-action=camera]").click();
    await picture(ben.page, "g1");
  });

  it("microphone off is seen by all and heard by none", async () => {
    await ben.page.locator("[data-action=microphone]").click();
    await anna.page.locator("[data-tile=g2] .tile-mute").waitFor();
    const silent = `roomdProbe.dominantTone(document.querySelector('audio[data-participant=g2]'), 440, 1200)
      .then(({ rms }) => rms < 0.001)`;
    await holds(anna.page, silent);
    await ben.page.locator("[data-action=microphone]").click();
    await anna.page.locator("[data-tile=g2][data-speaking=true]").waitFor();
  });

  it("shares a window, large for the others", async () => {
    await ben.page.locator("[data-action=share]").click();
    await ben.page.locator("[data-banner=sharing]").waitFor();
    await picture(anna.page, "g2", "screen");
    await look(anna.page, "meeting-content");
    await look(ben.page, "meeting-sharing");
    await ben.page.locator("[data-action=stop-share]").click();
    await holds(anna.page, `!document.querySelector('video[data-kind=screen]')`);
  });

  it("hands and chat", async () => {
    await ben.page.locator("[data-action=hand]").click();
    await anna.page.locator("[data-tile=g2] .tile-hand").waitFor();
    await ben.page.locator("[data-action=chat]").click();
    const field = ben.page.locator("[data-field=chat]");
    await field.fill("Good morning <b>everyone</b>");
    await field.press("Enter");
    await anna.page.locator("[data-role=unread]").waitFor();
    assert.match(await anna.page.locator("[data-role=announcer]").innerText(), /Ben Okafor/);
    await look(anna.page, "meeting-unread");
    await anna.page.locator("[data-action=chat]").click();
    await anna.page.locator("[data-role=chat] li").waitFor();
    assert.equal(await anna.page.locator("[data-role=unread]").count(), 0);
    await anna.page.locator("[data-field=chat]").fill("Guten Morgen! Die Unterlagen zeige ich gleich.");
    await anna.page.locator("[data-action=send-chat]").click();
    await ben.page.locator("[data-role=chat] li:nth-child(2)").waitFor();
    assert.match(await ben.page.locator("[data-role=chat]").innerText(), /<b>everyone<\/b>/);
    await look(anna.page, "meeting-chat");
    await look(ben.page, "meeting-chat-light");
    await anna.page.keyboard.press("Escape");
    await anna.page.locator("[data-action=people]").click();
    await look(anna.page, "meeting-people");
    await anna.page.setViewportSize({ width: 390, height: 844 });
    await look(anna.page, "meeting-people-phone");
    await anna.page.locator("[data-panel] [data-action=close]").click();
    await look(anna.page, "meeting-phone");
    await anna.page.setViewportSize({ width: 844, height: 390 });
    await look(anna.page, "meeting-phone-landscape");
    await anna.page.setViewportSize({ width: 1280, height: 800 });
    await anna.page.locator("[data-action=settings]").click();
    await look(anna.page, "meeting-settings");
    await anna.page.keyboard.press("Escape");
  });

  it("a lost channel comes back with its token; the connections never break", async () => {
    await anna.page.evaluate(
      `roomdProbe.connections.forEach((pc) => pc.addEventListener("connectionstatechange", () => { globalThis.broken = true; }))`,
    );
    const before = await anna.page.evaluate("roomdProbe.connections.length");
    room.reachable = false;
    room.guest("Anna Berger").socket?.cut();
    await anna.page.locator("[data-banner=offline]").waitFor();
    await look(anna.page, "meeting-offline");
    room.reachable = true;
    await anna.page.locator("[data-banner=offline]").waitFor({ state: "detached" });
    const hello = room.received.findLast((message) => message.type === "hello");
    assert.equal(hello?.resume, "token-g1");
    assert.equal(await anna.page.evaluate("roomdProbe.connections.length"), before);
    assert.equal(await anna.page.evaluate("globalThis.broken"), undefined);
    await holds(anna.page, ENCRYPTED);
    await ben.page.locator("[data-field=chat]").fill("still here");
    await ben.page.locator("[data-field=chat]").press("Enter");
    await anna.page.locator("[data-role=unread]").waitFor();
  });

  it("a connection that breaks is built again", async () => {
    await roomPage.evaluate("peers.get('g1').close(); peers.delete('g1');");
    await holds(anna.page, `!(${ENCRYPTED})`);
    await holds(anna.page, ENCRYPTED, 60_000);
    await picture(anna.page, "room");
    await picture(ben.page, "room");
  });

  it("a third guest comes, and goes", async () => {
    const third = await open(browser, `${room.url}/meet/abc`);
    await join(third.page, "Dr. Maximiliane von und zu Hohenstein-Rosenbergen");
    await view(third.page, "meeting");
    for (const id of ["room", "g1", "g2"]) await picture(third.page, id);
    await picture(anna.page, "g3");
    await picture(ben.page, "g3");
    await holds(third.page, ENCRYPTED);
    await look(third.page, "meeting-four");
    await third.page.locator("[data-action=leave]").click();
    await view(third.page, "over-left");
    await look(third.page, "over-left");
    await holds(anna.page, `!document.querySelector('[data-tile=g3]')`);
    assert.deepEqual(third.errors, []);
    await third.page.context().close();
  });

  it("one who is removed is told, and nothing of theirs goes on", async () => {
    room.refuse("Ben Okafor", "removed");
    await view(ben.page, "over-removed");
    await look(ben.page, "over-removed-in-meeting");
    const left = await ben.page.evaluate(
      `roomdProbe.connections.filter((pc) => pc.signalingState !== "closed").length`,
    );
    assert.equal(left, 0);
    await holds(anna.page, `!document.querySelector('[data-tile=g2]')`);
  });

  it("kept to the protocol, and to its content security policy", () => {
    assert.deepEqual(room.breaches, []);
    assert.deepEqual(anna.errors, []);
    assert.deepEqual(ben.errors, []);
  });
});

describe("sharing a whole screen", () => {
  it("is refused with an explanation, should a browser offer it all the same", async () => {
    const browser = await launch();
    const room = await StandIn.start({ dist: DIST });
    try {
      const { page, errors } = await open(browser, `${room.url}/meet/abc`);
      await page.locator("video[data-participant=preview]").waitFor();
      await page.evaluate(() => {
        const stream = document.createElement("canvas").captureStream(1);
        const [track] = stream.getVideoTracks();
        if (track) track.getSettings = () => ({ displaySurface: "monitor" });
        navigator.mediaDevices.getDisplayMedia = () => Promise.resolve(stream);
      });
      await join(page, "Anna Berger");
      await view(page, "meeting");
      await page.locator("[data-action=share]").click();
      await page.locator("[data-banner=share-error]").waitFor();
      assert.equal(room.guest("Anna Berger").member.sharing, false);
      await page.screenshot({ path: `${OUT}/guest-meeting-whole-screen-de.png` });
      assert.deepEqual(errors, []);
    } finally {
      await browser.close();
      await room.stop();
    }
  });
});
