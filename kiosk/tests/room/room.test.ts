// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// The whole page against a room that stands in: from pairing to leaving, with losses on the way.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";
import { launch } from "../support/browser";
import { idle, inCall } from "../stories/state";
import { eventually, StandInRoom } from "./stand-in";

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
  room = new StandInRoom(idle());
  await room.start();
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: "de-DE" });
  page.on("pageerror", (error) => errors.push(String(error)));
});
afterEach(async () => {
  await page.close();
  room.stop();
  assert.deepEqual(errors, []);
});

const part = (id: string): Locator => page.getByTestId(id).first();
const shown = (id: string): Promise<void> => part(id).waitFor();
const phase = (name: string): Promise<void> => page.locator(`main[data-phase="${name}"]`).waitFor();

async function enter(code: string): Promise<void> {
  for (const digit of code) await part(`pair-key-${digit}`).click();
}

test("a tablet pairs by the code on the display, and is told about wrong ones", async () => {
  await page.goto(`${room.origin}/panel.html`);
  await phase("pairing");
  await part("pair-show").click();
  await page.getByText("Das Raumdisplay zeigt jetzt einen neuen Code.").waitFor();
  assert.equal(room.codesShown, 1);
  await enter("000000");
  await page.getByText("Falscher Code. Noch 2 Versuche.").waitFor();
  await page.keyboard.type("111111");
  await page.getByText("Falscher Code. Noch 1 Versuch.").waitFor();
  await enter("222222");
  await page.getByText("Bitte 60 Sekunden warten", { exact: false }).waitFor();
  await part("pair-show").click();
  await page.getByText("Bitte 90 Sekunden warten", { exact: false }).waitFor();
  assert.equal(room.codesShown, 1);
  await enter(room.code);
  await phase("idle");
  assert.equal(await part("room-name").textContent(), "Sitzungssaal 2");
});

test("a wired panel trades its token for a session and takes it off the address", async () => {
  await page.goto(`${room.origin}/panel.html#token=wired-panel-token`);
  await phase("idle");
  assert.equal(page.url(), `${room.origin}/panel.html`);
});

test("a wired panel, which has no keys, types a link on its screen", async () => {
  await page.goto(`${room.origin}/panel.html#token=wired-panel-token`);
  await part("join-link").click();
  await shown("keyboard");
  const key = (name: string): Locator => page.locator(`.keyboard [data-key="${name}"]`);
  const keys = async (names: string): Promise<void> => {
    for (const name of names) await key(name).click();
  };
  await keys("https");
  await key("symbols").click();
  await keys("://");
  await key("symbols").click();
  await keys("meet.exx");
  await key("backspace").click();
  await keys("ample/");
  await key("shift").click();
  await keys("ab");
  const input = part("link-input");
  assert.equal(await input.inputValue(), "https://meet.example/Ab");
  assert.ok(await input.evaluate((field) => field === document.activeElement));
  const [typed, board] = [await input.boundingBox(), await part("keyboard").boundingBox()];
  assert.ok(typed && board && typed.y + typed.height <= board.y);
  await key("hide").click();
  await part("keyboard").waitFor({ state: "detached" });
  await input.click();
  await key("enter").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await part("keyboard").waitFor({ state: "detached" });
  await eventually(() => assert.deepEqual(room.requests, [{ request: "join-link", url: "https://meet.example/Ab" }]));
});

test("a meeting is begun with a password, or without", async () => {
  room.paired = true;
  await page.goto(`${room.origin}/panel.html`);
  await part("start-meeting").click();
  await part("start-protected").click();
  await part("start-password").fill("Apfelbaum");
  // A mouse and real keys need no keyboard on the screen.
  assert.equal(await part("keyboard").count(), 0);
  await part("start-submit").click();
  await part("start-meeting").click();
  await part("start-open").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await eventually(() => assert.deepEqual(room.requests, [
    { request: "start-meeting", password: "Apfelbaum" },
    { request: "start-meeting", password: null },
  ]));
});

test("a tablet that scans the display's code is paired without typing", async () => {
  await page.goto(`${room.origin}/panel.html#code=${room.code}`);
  await phase("idle");
  assert.equal(page.url(), `${room.origin}/panel.html`);
});

test("what was open for one meeting is closed when it ends", async () => {
  room.paired = true;
  room.state = inCall();
  await page.goto(`${room.origin}/panel.html`);
  await part("tab-chat").click();
  await part("leave").click();
  await page.getByRole("dialog").waitFor();
  room.tell({ event: "state", value: idle() });
  await phase("idle");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  room.tell({ event: "state", value: inCall() });
  await page.locator('[data-testid="tab-people"][aria-selected="true"]').waitFor();
});

test("the way of a meeting: join, send, admit, mute, leave", async () => {
  room.paired = true;
  await page.goto(`${room.origin}/panel.html`);
  await part("join").click();
  room.tell({ event: "room", value: { ...room.state.room, phase: { phase: "joining" } } });
  await phase("joining");

  const silent = inCall({ sending: false, microphone: false, camera: false });
  const tellCall = (call: typeof silent.call): void => room.tell({ event: "call", value: call });
  room.tell({ event: "state", value: silent });
  await part("send").click();
  const call = inCall().call;
  assert.ok(call);
  const guest = { ...call.participants[0], id: "w1", name: "Fatima O’Neill" } as typeof call.participants[0];
  tellCall({ ...call, waiting: guest ? [guest] : [] });
  await page.getByRole("button", { name: "Fatima O’Neill einlassen" }).click();
  await page.getByRole("switch", { name: "Mikrofon" }).click();
  room.garbage();
  tellCall({ ...call, microphone: false });
  await page.locator('[data-testid="microphone"][aria-checked="false"]').waitFor();
  await part("leave").click();
  await part("leave-confirm").click();
  room.tell({ event: "state", value: idle() });
  await phase("idle");
  await eventually(() => assert.deepEqual(room.requests, [
    { request: "join-booking", booking: "jf" },
    { request: "start-sending" },
    { request: "admit", participant: "w1" },
    { request: "microphone", on: false },
    { request: "leave" },
  ]));
});

test("a lost connection is shown calmly and comes back with the room's state", async () => {
  room.paired = true;
  await page.goto(`${room.origin}/panel.html`);
  await phase("idle");
  room.state = inCall();
  room.cut();
  await shown("connecting");
  await phase("in-call");
  await part("connecting").waitFor({ state: "detached" });
});

test("a session that ended leads back to pairing", async () => {
  room.paired = true;
  await page.goto(`${room.origin}/panel.html`);
  await phase("idle");
  room.paired = false;
  room.cut();
  await phase("pairing");
});

test("a refused request says why and what to do", async () => {
  room.paired = true;
  room.answer = () => ({ reply: "refused", refusal: "destination-not-allowed" });
  await page.goto(`${room.origin}/panel.html`);
  await part("join-link").click();
  await part("link-input").fill("https://meet.example.com/abc");
  await part("link-submit").click();
  await shown("toast");
  assert.match((await part("toast").textContent()) ?? "", /Ziel nicht freigegeben.*Freigabe/);
  await part("toast-close").click();
  await part("toast").waitFor({ state: "detached" });
});

test("the language follows the room", async () => {
  room.paired = true;
  await page.goto(`${room.origin}/panel.html`);
  await part("language-en").click();
  room.tell({ event: "room", value: { ...room.state.room, language: "en" } });
  await page.getByRole("heading", { name: "Today" }).waitFor();
  await eventually(() => assert.deepEqual(room.requests, [{ request: "language", language: "en" }]));
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
});

test("a call is operated by keyboard alone", async () => {
  room.paired = true;
  room.state = inCall();
  await page.goto(`${room.origin}/panel.html`);
  await phase("in-call");
  const focused = (): Promise<string | null> =>
    page.evaluate(() => document.activeElement?.getAttribute("data-testid") ?? null);
  const tabTo = async (id: string): Promise<void> => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Tab");
      if ((await focused()) === id) return;
    }
    assert.fail(`${id} is not reached by Tab`);
  };
  await tabTo("microphone");
  await page.keyboard.press("Space");
  await tabTo("layout-speaker");
  await page.keyboard.press("Enter");
  await tabTo("tab-people");
  await page.keyboard.press("ArrowRight");
  await tabTo("chat-input");
  await page.keyboard.type("Guten Tag");
  await page.keyboard.press("Enter");
  await part("leave").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await focused(), "leave");
  await eventually(() => assert.deepEqual(room.requests, [
    { request: "microphone", on: false },
    { request: "layout", layout: "speaker" },
    { request: "chat", text: "Guten Tag" },
  ]));
});
