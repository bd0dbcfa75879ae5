// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { existsSync } from "node:fs";
import { buildPages } from "./pages.mjs";

const pages = [
  { name: "panel", entry: "src/panel.tsx", html: "panel.html" },
  { name: "guest", entry: "src/guest/main.tsx", html: "guest.html" },
].filter((page) => existsSync(page.entry));

await buildPages(pages, "dist");
