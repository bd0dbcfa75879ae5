// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A browser that tests in another language drive by lines of JSON (lines.mjs).
//
// launch      args?, pinnedKeys?, fakeVideo?, fakeAudio?, displayMedia?, hiddenAddresses?, executable?, headed?
// newPage     page, url?, viewport?, locale?, colorScheme?, permissions?, probe?, sharedWith?, touch?
// goto        page, url                      -> HTTP status
// click       page, TARGET, timeout?
// fill        page, TARGET, value, timeout?
// select      page, TARGET, value, timeout?
// press       page, key, TARGET?
// waitFor     page, TARGET, state?, timeout?
// waitForValue page, expression, timeout? -> its value once true
// text        page, TARGET, timeout?         -> text content
// count       page, TARGET
// attribute   page, TARGET, attribute, timeout?
// eval        page, expression               -> awaited value
// probe       page, name, selector?, args?   -> roomdProbe.name(element?, ...args)
// screenshot  page, path, fullPage?
// axe         page, exclude?                 -> violations
// console     page                           -> errors, warnings and failed requests so far
// offline     page, value
// closePage   page
// close
//
// TARGET is `selector`, or `role` with an optional `name`, or `label`.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { serve } from "./lines.mjs";

const require = createRequire(import.meta.url);
const PROBE = new URL("./probe.js", import.meta.url);
// Long enough for a machine with too much to do.
const TIMEOUT = 60_000;
const CONSOLE_LINES = 1000;

let browser = null;
const pages = new Map();

function launchArguments(options) {
  const { args = [], pinnedKeys = [], fakeVideo, fakeAudio, displayMedia, hiddenAddresses } = options;
  const fake = displayMedia ? `=display-media-type=${displayMedia}` : "";
  return [
    "--no-sandbox",
    `--use-fake-device-for-media-stream${fake}`,
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    ...(hiddenAddresses ? [] : ["--disable-features=WebRtcHideLocalIpsWithMdns"]),
    // Pages of a test are not in the background, whichever was opened last.
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-background-timer-throttling",
    ...(pinnedKeys.length ? [`--ignore-certificate-errors-spki-list=${pinnedKeys.join(",")}`] : []),
    ...(fakeVideo ? [`--use-file-for-fake-video-capture=${fakeVideo}`] : []),
    ...(fakeAudio ? [`--use-file-for-fake-audio-capture=${fakeAudio}`] : []),
    ...args,
  ];
}

function opened(name) {
  const entry = pages.get(name);
  if (!entry) throw new Error(`no page ${name}`);
  return entry;
}

function page(command) {
  return opened(command.page).page;
}

function target(command) {
  const on = page(command);
  if (command.selector) return on.locator(command.selector).first();
  if (command.role) {
    const options = command.name === undefined ? {} : { name: command.name };
    return on.getByRole(command.role, options).first();
  }
  if (command.label) return on.getByLabel(command.label).first();
  throw new Error("selector, role or label is missing");
}

function wait({ timeout = TIMEOUT }) {
  return { timeout };
}

const commands = {
  async launch(command) {
    if (browser) throw new Error("already launched");
    browser = await chromium.launch({
      executablePath: command.executable ?? "/usr/bin/chromium",
      headless: !command.headed,
      args: launchArguments(command),
    });
    return { version: browser.version() };
  },
  async newPage(command) {
    if (!browser) throw new Error("launch first");
    if (pages.has(command.page)) throw new Error(`page ${command.page} exists`);
    const context = command.sharedWith
      ? opened(command.sharedWith).page.context()
      : await browser.newContext({
          // Null leaves the page as large as its window is.
          viewport:
            command.viewport === undefined ? { width: 1280, height: 800 } : command.viewport,
          locale: command.locale ?? "de-DE",
          colorScheme: command.colorScheme ?? "dark",
          hasTouch: command.touch ?? false,
          permissions: command.permissions ?? ["camera", "microphone"],
        });
    if (command.probe ?? true) {
      if (!command.sharedWith) await context.addInitScript({ path: PROBE.pathname });
    }
    const made = await context.newPage();
    const entry = { page: made, lines: [] };
    pages.set(command.page, entry);
    const note = (line) => {
      if (entry.lines.length < CONSOLE_LINES) entry.lines.push(line);
    };
    made.on("pageerror", (error) => note({ type: "pageerror", text: String(error) }));
    made.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        note({ type: message.type(), text: message.text() });
      }
    });
    made.on("requestfailed", (request) => {
      note({ type: "requestfailed", text: `${request.url()} ${request.failure()?.errorText}` });
    });
    made.on("request", (request) => {
      const own = new URL(made.url() === "about:blank" ? request.url() : made.url());
      const other = new URL(request.url());
      if (other.protocol.startsWith("http") && other.host !== own.host) {
        note({ type: "foreign", text: request.url() });
      }
    });
    made.on("crash", () => note({ type: "crash", text: "the page crashed" }));
    if (command.url) await made.goto(command.url);
    return null;
  },
  async goto(command) {
    const response = await page(command).goto(command.url);
    return response?.status() ?? null;
  },
  async click(command) {
    await target(command).click(wait(command));
    return null;
  },
  async fill(command) {
    await target(command).fill(command.value, wait(command));
    return null;
  },
  async select(command) {
    return target(command).selectOption(command.value, wait(command));
  },
  async press(command) {
    const pointed = command.selector || command.role || command.label;
    if (pointed) await target(command).press(command.key, wait(command));
    else await page(command).keyboard.press(command.key);
    return null;
  },
  async waitFor(command) {
    await target(command).waitFor({ state: command.state ?? "visible", ...wait(command) });
    return null;
  },
  async waitForValue(command) {
    // Asked from outside: a page's policy may forbid evaluating text inside.
    const end = Date.now() + wait(command).timeout;
    for (;;) {
      const value = await page(command).evaluate(command.expression);
      if (value) return value;
      if (Date.now() > end) throw new Error(`timeout: ${command.expression}`);
      await new Promise((done) => {
        setTimeout(done, 100);
      });
    }
  },
  async text(command) {
    return target(command).textContent(wait(command));
  },
  async count(command) {
    if (command.selector) return page(command).locator(command.selector).count();
    const options = command.name === undefined ? {} : { name: command.name };
    return page(command).getByRole(command.role, options).count();
  },
  async attribute(command) {
    return target(command).getAttribute(command.attribute, wait(command));
  },
  async eval(command) {
    return page(command).evaluate(command.expression);
  },
  async probe(command) {
    const on = page(command);
    if (!(await on.evaluate("typeof roomdProbe === 'object'"))) {
      await on.evaluate(await readFile(PROBE, "utf8"));
    }
    return on.evaluate(
      async ({ name, selector, args }) => {
        const element = selector === undefined ? [] : [document.querySelector(selector)];
        if (element[0] === null) return null;
        return (await globalThis.roomdProbe[name](...element, ...args)) ?? null;
      },
      { name: command.name, selector: command.selector, args: command.args ?? [] },
    );
  },
  async screenshot(command) {
    await page(command).screenshot({ path: command.path, fullPage: command.fullPage ?? false });
    return null;
  },
  async axe(command) {
    const on = page(command);
    if (!(await on.evaluate("typeof axe === 'object'"))) {
      await on.evaluate(await readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
    }
    const { violations } = await on.evaluate(
      (exclude) =>
        globalThis.axe.run(
          { exclude },
          { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] },
        ),
      command.exclude ?? [],
    );
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      nodes: nodes.map(({ target: where, failureSummary }) => ({ target: where, failureSummary })),
    }));
  },
  async console(command) {
    return opened(command.page).lines;
  },
  async offline(command) {
    await page(command).context().setOffline(command.value);
    return null;
  },
  async closePage(command) {
    const entry = opened(command.page);
    pages.delete(command.page);
    await entry.page.close();
    return null;
  },
  async close() {
    pages.clear();
    const closing = browser;
    browser = null;
    await closing?.close();
    return null;
  },
};

serve(commands, async () => browser?.close());
