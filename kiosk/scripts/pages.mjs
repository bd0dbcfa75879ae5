// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Bundles pages: one script and one style sheet each, with hashed names, nothing inline, so that
// `default-src 'self'` is all the content security policy they need.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";

/**
 * @typedef {{ name: string, entry: string, html: string }} Page
 * @param {Page[]} pages
 * @param {string} outdir
 * @param {{ minify?: boolean }} [options]
 */
export async function buildPages(pages, outdir, { minify = true } = {}) {
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const result = await build({
    entryPoints: pages.map((page) => ({ in: page.entry, out: page.name })),
    outdir: join(outdir, "assets"),
    entryNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    // Absolute, because the guest page is served below /meet/.
    publicPath: "/assets",
    bundle: true,
    format: "esm",
    target: ["es2022", "chrome110", "firefox115", "safari16"],
    loader: { ".woff2": "file" },
    minify,
    sourcemap: false,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await copyFile("src/icon.svg", join(outdir, "assets", "icon.svg"));
  for (const page of pages) {
    const output = Object.entries(result.metafile.outputs).find(
      ([, { entryPoint }]) => entryPoint === page.entry,
    );
    if (!output) throw new Error(`no output for ${page.entry}`);
    const [script, { cssBundle }] = output;
    const template = await readFile(page.html, "utf8");
    const html = template
      .replace("{{script}}", `/assets/${basename(script)}`)
      .replace("{{style}}", cssBundle ? `/assets/${basename(cssBundle)}` : "");
    await writeFile(join(outdir, `${page.name}.html`), html);
  }
}
