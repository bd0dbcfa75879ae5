// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { buildPages } from "../../scripts/pages.mjs";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const OUT = "tests/out";
export const DIST = `${OUT}/guest-page`;

export async function buildGuest(): Promise<void> {
  await buildPages([{ name: "guest", entry: "src/guest/main.tsx", html: "guest.html" }], DIST);
}

export function launch(displayMedia = "window", fakeDevices = true): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      ...(fakeDevices
        ? [
            `--use-fake-device-for-media-stream=display-media-type=${displayMedia},fps=10`,
            "--use-fake-ui-for-media-stream",
          ]
        : []),
      "--autoplay-policy=no-user-gesture-required",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
      "--disable-renderer-backgrounding",
      "--disable-backgrounding-occluded-windows",
      "--disable-background-timer-throttling",
    ],
  });
}

export interface Opened {
  readonly page: Page;
  readonly errors: string[];
}

export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: "de-DE",
    colorScheme: "dark",
    ...options,
  });
  await context.addInitScript({ path: "tests/agent/probe.js" });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // A channel that is refused is logged by the browser, whatever the page does about it.
    if (message.type() === "error" && !message.text().includes("WebSocket connection")) {
      errors.push(`${message.text()} ${message.location().url}`.trim());
    }
  });
  await page.goto(url);
  return { page, errors };
}

export async function join(page: Page, name: string): Promise<void> {
  await page.locator("#name").fill(name);
  await page.locator("[data-action=join]").click();
}

export function view(page: Page, name: string, timeout = 20_000): Promise<void> {
  return page.locator(`[data-view="${name}"]`).waitFor({ timeout });
}

/**
 * Waits until an expression holds in the page, and gives its value. Asked from outside, because the
 * page's policy rightly forbids evaluating text inside.
 */
export async function holds(page: Page, expression: string, timeout = 30_000): Promise<unknown> {
  const end = Date.now() + timeout;
  for (;;) {
    const value: unknown = await page.evaluate(expression);
    if (value) return value;
    if (Date.now() > end) throw new Error(`does not hold: ${expression}`);
    await new Promise((done) => {
      setTimeout(done, 100);
    });
  }
}

/** The picture of this participant arrives, and it is one. */
export function picture(page: Page, participant: string, kind = "camera"): Promise<unknown> {
  const selector = `video[data-participant="${participant}"][data-kind="${kind}"]`;
  return holds(
    page,
    `roomdProbe.luma(document.querySelector('${selector}') ?? {})?.deviation > 4`,
    60_000,
  ).catch(async (cause: unknown) => {
    const stats = JSON.stringify(await page.evaluate("roomdProbe.inboundStats()"));
    throw new Error(`no ${kind} of ${participant}: ${stats}`, { cause });
  });
}

export async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate(
    `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
  )) as { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] };
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
  );
}

/** Buttons, fields and links that are smaller than a finger. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("button, select, textarea, input:not([type=checkbox])")]
      .filter((element) => element.checkVisibility())
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return Math.round(width) < 48 || Math.round(height) < 48;
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  );
}
