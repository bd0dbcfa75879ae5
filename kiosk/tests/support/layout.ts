// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Page } from "playwright-core";

const SMALLEST = 48;

/** Everything about the layout that a person would stumble over; empty when all is well. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate((smallest) => {
    const faults: string[] = [];
    const name = (element: Element): string =>
      element.getAttribute("data-testid") ??
      element.getAttribute("aria-label") ??
      element.textContent?.trim().slice(0, 40) ??
      element.tagName;
    const scrolls = (element: Element): boolean => {
      for (let at = element.parentElement; at; at = at.parentElement) {
        const { overflowY } = getComputedStyle(at);
        if ((overflowY === "auto" || overflowY === "scroll") && at.scrollHeight > at.clientHeight) return true;
      }
      return false;
    };

    if (document.documentElement.scrollWidth > innerWidth) faults.push("the page scrolls sideways");
    for (const region of document.querySelectorAll("*")) {
      const { overflowX, overflowY } = getComputedStyle(region);
      const scrollable = overflowX === "auto" || overflowY === "auto";
      if (scrollable && region.scrollWidth > region.clientWidth + 1) {
        faults.push(`${region.className} scrolls sideways`);
      }
    }
    const behind = document.querySelector("dialog[open]");
    for (const control of document.querySelectorAll("button, input, textarea, a[href]")) {
      if (behind ? !behind.contains(control) : control.closest("[inert]")) continue;
      const box = control.getBoundingClientRect();
      // What is folded away has its size and is not shown.
      if (box.width === 0 || !control.checkVisibility()) continue;
      if (box.width < smallest - 0.5 || box.height < smallest - 0.5) {
        faults.push(`${name(control)} is ${Math.round(box.width)} by ${Math.round(box.height)}`);
      }
      if (box.left < -1 || box.right > innerWidth + 1) faults.push(`${name(control)} is cut off sideways`);
      if ((box.top < -1 || box.bottom > innerHeight + 1) && !scrolls(control)) {
        faults.push(`${name(control)} is outside of the screen`);
      }
      if (
        control instanceof HTMLButtonElement &&
        (control.scrollWidth > control.clientWidth + 1 || control.scrollHeight > control.clientHeight + 1)
      ) {
        faults.push(`text of ${name(control)} is clipped`);
      }
      const middle = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      if (middle && !control.contains(middle) && !middle.contains(control) && !scrolls(control) && !middle.closest(".toasts")) {
        faults.push(`${name(control)} is covered by ${middle.className}`);
      }
    }
    return faults;
  }, SMALLEST);
}
