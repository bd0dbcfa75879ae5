// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { signal } from "@preact/signals";

/** Light or dark; a matter of the device that shows the page, never of the room. */
export type Theme = "dark" | "light";

const KEY = "theme";

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "dark" || value === "light" ? value : null;
  } catch {
    return null;
  }
}

function preferred(): Theme {
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export const theme = signal<Theme>("dark");

/** Shows the chosen theme, or follows the device until somebody chooses. */
export function startTheme(): void {
  show(stored() ?? preferred());
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
    if (!stored()) show(preferred());
  });
}

export function chooseTheme(next: Theme): void {
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // A browser that keeps nothing still shows the theme until it is closed.
  }
  show(next);
}

export function show(next: Theme): void {
  theme.value = next;
  document.documentElement.dataset["theme"] = next;
}
