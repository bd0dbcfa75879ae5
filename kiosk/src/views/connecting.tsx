// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useLocale } from "../i18n/locale";

/** The room does not answer at the moment; calm, because a meeting does not depend on the panel. */
export function Connecting({ over }: { over: boolean }) {
  const { text } = useLocale();
  return (
    <div class={over ? "connecting over" : "connecting"} data-testid="connecting" role="status">
      <div class="connecting-card">
        <div class="spinner" />
        <h1>{text.connection.title}</h1>
        <p class="muted">{text.connection.detail}</p>
      </div>
    </div>
  );
}
