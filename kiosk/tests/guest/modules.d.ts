// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
declare module "*/scripts/pages.mjs" {
  export function buildPages(
    pages: readonly { name: string; entry: string; html: string }[],
    outdir: string,
    options?: { minify?: boolean },
  ): Promise<void>;
}
