// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Which field the on-screen keyboard types into. It appears for a panel that is wired to the
// device, which has no keys, and for a field that a finger chose.
import { signal, type ReadonlySignal } from "@preact/signals";

export type Field = HTMLInputElement | HTMLTextAreaElement;

const TEXTUAL = 'textarea, input[type="text"], input[type="url"], input[type="password"]';
// A control that is being pressed must not move away under the finger.
const HIDE_AFTER_MS = 120;

const typed = signal<Field | null>(null);
/** The field that the keyboard types into; null while it is hidden. */
export const field: ReadonlySignal<Field | null> = typed;

function show(next: Field | null): void {
  const before = typed.peek();
  if (before === next) return;
  before?.removeAttribute("data-typed");
  typed.value = next;
  if (!next) {
    delete document.documentElement.dataset["keyboard"];
    return;
  }
  // The keyboard of a tablet's own system would lie over this one.
  next.inputMode = "none";
  next.dataset["typed"] = "";
  document.documentElement.dataset["keyboard"] = "";
  requestAnimationFrame(() => next.scrollIntoView({ block: "nearest" }));
}

export function hideKeyboard(): void {
  show(null);
}

/** Hides the keyboard when its field left the page. */
export function forgetGone(): void {
  if (typed.peek()?.isConnected === false) show(null);
}

/** Watches the focus of this page from now on. */
export function startKeyboard(wired: () => boolean): void {
  let touched = false;
  let pressed = false;
  let hiding: ReturnType<typeof setTimeout> | undefined;

  const wanted = (target: EventTarget | null): Field | null => {
    if (!(target instanceof Element) || !target.matches(TEXTUAL)) return null;
    return wired() || touched ? (target as Field) : null;
  };
  const leave = (): void => {
    clearTimeout(hiding);
    hiding = setTimeout(() => (pressed ? leave() : show(null)), HIDE_AFTER_MS);
  };
  const enter = (target: EventTarget | null): void => {
    const next = wanted(target);
    if (!next) return;
    clearTimeout(hiding);
    show(next);
  };

  addEventListener(
    "pointerdown",
    ({ target, pointerType }) => {
      pressed = true;
      touched = pointerType === "touch";
      // A field that still has the focus brings the hidden keyboard back.
      if (target === document.activeElement) enter(target);
    },
    true,
  );
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => (pressed = false), true);
  }
  // The keys leave the focus, and with it the caret, where it is.
  addEventListener("mousedown", (event) => {
    if (event.target instanceof Element && event.target.closest(".keyboard")) event.preventDefault();
  });
  document.addEventListener("focusin", ({ target }) => enter(target));
  document.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Element && relatedTarget.closest(".keyboard")) return;
    if (typed.peek()) leave();
  });
}

/** Types in place of what is selected, as a key of a real keyboard does. */
export function type(into: Field, text: string): void {
  const [from, to] = selection(into);
  const room = into.maxLength < 0 ? Infinity : into.maxLength - into.value.length + (to - from);
  if (text.length > room) return;
  into.setRangeText(text, from, to, "end");
  changed(into, "insertText", text);
}

/** Deletes what is selected, or the character before the caret. */
export function erase(into: Field): void {
  const [start, to] = selection(into);
  const last = Array.from(into.value.slice(0, start)).at(-1) ?? "";
  const from = start === to ? start - last.length : start;
  if (from === to) return;
  into.setRangeText("", from, to, "end");
  changed(into, "deleteContentBackward", null);
}

export function submit(from: Field): void {
  from.form?.requestSubmit();
}

function selection({ selectionStart, selectionEnd, value }: Field): [number, number] {
  return [selectionStart ?? value.length, selectionEnd ?? value.length];
}

function changed(into: Field, inputType: string, data: string | null): void {
  into.dispatchEvent(new InputEvent("input", { bubbles: true, inputType, data }));
}
