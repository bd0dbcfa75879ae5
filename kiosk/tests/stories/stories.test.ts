// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { launch } from "../support/browser";
import { layoutFaults } from "../support/layout";
import { listen, serveFolder } from "../support/server";
import type { Language } from "../../src/api/types";
import type { Theme } from "../../src/theme";
import { STORIES } from "./stories";

declare global {
  interface Window {
    tell(name: string, language: Language, theme: Theme): Promise<void>;
  }
}

const OUT = resolve("tests/out");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Setting {
  name: string;
  lang: Language;
  theme: Theme;
  width: number;
  height: number;
  axe: boolean;
}

const SETTINGS: Setting[] = [
  { name: "de-dark", lang: "de", theme: "dark", width: 1280, height: 800, axe: true },
  { name: "en-light", lang: "en", theme: "light", width: 1280, height: 800, axe: true },
  { name: "de-small", lang: "de", theme: "dark", width: 1024, height: 600, axe: false },
  { name: "en-tablet", lang: "en", theme: "light", width: 820, height: 1180, axe: false },
];

const server = serveFolder("tests/out/pages");
let browser: Browser;
let page: Page;
const errors: string[] = [];

before(async () => {
  mkdirSync(OUT, { recursive: true });
  const origin = await listen(server);
  browser = await launch();
  page = await browser.newPage({ reducedMotion: "reduce" });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`${origin}/stories.html`);
  // By the debugger, past the content security policy.
  await page.evaluate(AXE);
});

after(async () => {
  await browser.close();
  server.close();
});

for (const setting of SETTINGS) {
  describe(`stories, ${setting.name}`, () => {
    before(() => page.setViewportSize({ width: setting.width, height: setting.height }));

    for (const story of Object.keys(STORIES)) {
      test(story, async () => {
        errors.length = 0;
        await page.evaluate(
          ([name, lang, theme]) => window.tell(name, lang, theme),
          [story, setting.lang, setting.theme] as const,
        );
        await page.screenshot({ path: join(OUT, `${story}.${setting.name}.png`) });
        const keyboards = await page.getByTestId("keyboard").count();
        assert.equal(keyboards, STORIES[story]?.wired ? 1 : 0);
        assert.deepEqual(await layoutFaults(page), []);
        if (setting.axe) assert.deepEqual(await violations(page), []);
        assert.deepEqual(errors, []);
      });
    }
  });
}

async function violations(page: Page): Promise<string[]> {
  const results = await page.evaluate((tags) => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResults> } };
    return axe.run({ runOnly: { type: "tag", values: tags } });
  }, TAGS);
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ""}`),
  );
}
