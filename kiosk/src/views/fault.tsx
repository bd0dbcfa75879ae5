// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { FaultCode } from "../api/types";
import { Icon } from "../components/icon";
import { useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";
import { TopBar } from "./top-bar";

/** The last attempt failed: why, and what to do. */
export function FaultView({ code, ...props }: ViewProps & { code: FaultCode }) {
  const { text } = useLocale();
  const { state, act } = props;
  return (
    <main class="full" data-phase="fault">
      <TopBar {...props} />
      <div class="center">
        <div class="hero-icon danger">
          <Icon name="warning" size={56} />
        </div>
        <p class="eyebrow">{text.fault.heading}</p>
        <h1 data-testid="fault-title">{text.faults[code].title}</h1>
        <p class="lead" data-testid="fault-remedy">
          {text.faults[code].remedy}
        </p>
        <button
          type="button"
          class="button primary big"
          data-testid="acknowledge"
          onClick={() => act.request({ request: "acknowledge", code })}
        >
          {text.fault.acknowledge}
        </button>
        {state.room.support && <p class="muted">{text.common.support(state.room.support)}</p>}
      </div>
    </main>
  );
}
