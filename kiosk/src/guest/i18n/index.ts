// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { computed, effect, signal } from "@preact/signals";

import { preferredLanguage, type Catalogue } from "../../i18n/catalogue";
import { de } from "./de";
import { en } from "./en";

export type Language = "de" | "en";
export type Texts = Catalogue<typeof de>;

const KEY = "language";
const CATALOGUES: { readonly [L in Language]: Texts } = { de, en };

export const language = signal<Language>("de");
export const texts = computed<Texts>(() => CATALOGUES[language.value]);

/** The language chosen before, or the browser's. */
export function startLanguage(): void {
  language.value = stored() ?? preferredLanguage(navigator.languages);
  effect(() => {
    document.documentElement.lang = language.value;
  });
}

export function chooseLanguage(next: Language): void {
  language.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

function stored(): Language | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "de" || value === "en" ? value : null;
  } catch {
    return null;
  }
}
