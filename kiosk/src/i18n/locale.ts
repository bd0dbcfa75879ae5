// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Language } from "../api/types";
import type { Catalogue } from "./catalogue";
import { de } from "./de";
import { en } from "./en";
import { createFormat, type Format } from "./format";

export type Text = Catalogue<typeof de>;

const TEXTS: Record<Language, Text> = { de, en };

export interface Locale {
  readonly language: Language;
  readonly text: Text;
  readonly format: Format;
}

export function createLocale(language: Language, timeZone: string): Locale {
  return { language, text: TEXTS[language], format: createFormat(language, timeZone) };
}

export const LocaleContext = createContext<Locale>(createLocale("de", "Europe/Berlin"));

export function useLocale(): Locale {
  return useContext(LocaleContext);
}
