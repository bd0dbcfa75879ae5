// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
/**
 * What a translation must hold to stand in for `T`: the same keys, the same parameters. The German
 * texts are the reference; `const en: Catalogue<typeof de>` makes a missing key a compile error.
 */
export type Catalogue<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Catalogue<T[K]>;
};

/** Something that went wrong, and what to do about it. */
export interface Explained {
  readonly title: string;
  readonly remedy: string;
}

export const LANGUAGES = ["de", "en"] as const;

/** The browser's wish, German when it has none that is spoken here. */
export function preferredLanguage(wishes: readonly string[]): "de" | "en" {
  for (const wish of wishes) {
    const found = LANGUAGES.find((language) => wish.toLowerCase().startsWith(language));
    if (found) return found;
  }
  return "de";
}
