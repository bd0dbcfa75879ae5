// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { chromium, type Browser } from "playwright-core";

/** Chromium as the distribution ships it. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-gpu",
      "--force-color-profile=srgb",
      "--font-render-hinting=none",
    ],
  });
}
