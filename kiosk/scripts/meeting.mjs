// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Bundles the guests with which the laboratory fills meetings (tests/meeting): pages, and the crowd, which
// is a program. They are no part of the product.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const OUT = "tests/out/meeting";
const PAGES = ["livekit", "element-call", "tap", "widget-host"];
const WASM = "matrix_sdk_crypto_wasm_bg.wasm";

const require = createRequire(import.meta.url);
const sdk = createRequire(require.resolve("matrix-js-sdk"));
const crypto = dirname(sdk.resolve("@matrix-org/matrix-sdk-crypto-wasm"));

await rm(OUT, { recursive: true, force: true });
await mkdir(join(OUT, "pkg"), { recursive: true });
await build({
  entryPoints: [
    ...PAGES.map((name) => ({ in: `tests/meeting/${name}.ts`, out: name })),
    { in: "livekit-client/e2ee-worker", out: "e2ee-worker" },
    { in: "tests/meeting/tap-worker.ts", out: "tap-worker" },
  ],
  outdir: OUT,
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: false,
  legalComments: "none",
  logLevel: "warning",
});
await build({
  entryPoints: [{ in: "tests/meeting/crowd.ts", out: "crowd" }],
  outdir: OUT,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // Native libraries and WebAssembly are found beside their packages.
  packages: "external",
  logLevel: "warning",
});
const template = await readFile("tests/meeting/page.html", "utf8");
for (const name of PAGES) {
  await writeFile(join(OUT, `${name}.html`), template.replaceAll("{{name}}", name));
}
// Where the bundled package looks for it: beside itself.
await copyFile(join(crypto, "pkg", WASM), join(OUT, "pkg", WASM));
