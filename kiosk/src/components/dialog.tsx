// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLocale } from "../i18n/locale";
import { forgetGone } from "../keyboard";
import { Icon } from "./icon";
import { Keyboard } from "./keyboard";

interface Props {
  title: string;
  /** Called when a person wants it gone, by Escape as well. */
  onClose: () => void;
  /** Without a way out but its own buttons. */
  modal?: boolean;
  size?: "small" | "large";
  children: ComponentChildren;
}

/** A dialog of the platform: it traps the focus, hides what is behind it, and closes on Escape. */
export function Dialog({ title, onClose, modal = false, size = "small", children }: Props) {
  const { text } = useLocale();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // Within the change of the page: effects that wait for a paint would leave the focus with
  // nothing for a frame, and a key pressed then would be lost.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    const before = document.activeElement;
    element.showModal();
    // A dialog without a field is read out as a whole, instead of from its close button.
    if (!element.querySelector("[autofocus]")) element.focus();
    return () => {
      element.close();
      queueMicrotask(forgetGone);
      // The element may be gone before it could give the focus back itself.
      if (before instanceof HTMLElement) queueMicrotask(() => before.focus());
    };
  }, []);

  // What had the focus may have gone with the page of the dialog that it was on.
  useEffect(() => {
    if (document.activeElement === document.body) dialog.current?.focus();
  }, [title]);

  return (
    <dialog
      ref={dialog}
      class={`dialog ${size}`}
      tabIndex={-1}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        if (!modal) onClose();
      }}
    >
      <header class="dialog-head">
        <h2 id={heading}>{title}</h2>
        {!modal && (
          <button
            type="button"
            class="button square quiet"
            aria-label={text.common.close}
            data-testid="dialog-close"
            onClick={onClose}
          >
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
      <Keyboard dialog />
    </dialog>
  );
}
