// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect } from "preact/hooks";
import type { Refusal } from "../api/types";
import { useLocale } from "../i18n/locale";
import { Icon } from "./icon";

const SHOWN_MS = 10_000;

/** Why the room did not do what it was asked; the region stays, so that it is read out. */
export function Toast({ refusal, onClose }: { refusal: Refusal | null; onClose: () => void }) {
  const { text } = useLocale();
  useEffect(() => {
    if (!refusal) return;
    const timer = setTimeout(onClose, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [refusal]);

  return (
    <div class="toasts" role="alert">
      {refusal && (
        <div class="toast" data-testid="toast">
          <Icon name="warning" />
          <div class="notice-text">
            <strong>{text.refusals[refusal].title}</strong>
            <p>{text.refusals[refusal].remedy}</p>
          </div>
          <button
            type="button"
            class="button square quiet"
            aria-label={text.common.dismiss}
            data-testid="toast-close"
            onClick={onClose}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
