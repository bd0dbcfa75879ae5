// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Fails when a page grew beyond what it may cost a small device, or reaches beyond its own origin.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";

const BUDGET = { ".js": 40_000, ".css": 10_000 };
let failed = false;

for (const name of readdirSync("dist").filter((file) => file.endsWith(".html"))) {
  const html = readFileSync(join("dist", name), "utf8");
  if (/<style|<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=/.test(html)) {
    console.error(`${name}: inline script or style`);
    failed = true;
  }
  for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    const budget = BUDGET[path.slice(path.lastIndexOf("."))];
    if (budget === undefined) continue;
    const size = brotliCompressSync(readFileSync(join("dist", path))).length;
    console.log(`${name} ${path}: ${size} of ${budget} bytes (brotli)`);
    if (size > budget) failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
