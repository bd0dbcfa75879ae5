// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Bundles `tests/**/*.test.ts` for Node and `tests/**/*.page.tsx` for the browser, then runs the
// tests. Arguments choose test files by a part of their path.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { buildPages } from "./pages.mjs";

const files = readdirSync("tests", { recursive: true })
  .map((file) => join("tests", file))
  .filter((file) => !file.startsWith(join("tests", "out")))
  .toSorted();
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));
const tests = files.filter(
  (file) => file.endsWith(".test.ts") && (wanted.length === 0 || wanted.some((part) => file.includes(part))),
);
const pages = files
  .filter((file) => file.endsWith(".page.tsx"))
  .map((entry) => ({
    name: basename(entry, ".page.tsx"),
    entry,
    html: entry.replace(/\.page\.tsx$/, ".page.html"),
  }));

spawnSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
await buildPages(pages, "tests/out/pages", { minify: false });
await build({
  entryPoints: tests,
  outdir: "tests/out/build",
  outbase: "tests",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  logLevel: "warning",
});
const built = tests.map((file) => file.replace("tests", "tests/out/build").replace(/\.ts$/, ".mjs"));
const run = spawnSync(process.execPath, ["--test", "--test-concurrency=2", ...built], {
  stdio: "inherit",
});
process.exitCode = run.status ?? 1;
