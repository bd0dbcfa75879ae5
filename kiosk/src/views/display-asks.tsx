// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { Icon } from "../components/icon";
import { useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";

/** The display should be on and does not turn on by itself: somebody has to do it. */
export function DisplayAsks({ state, act }: ViewProps) {
  const { text } = useLocale();
  if (!state.devices.displayAsks) return null;
  return (
    <div class="asks" role="group" aria-labelledby="display-asks" data-testid="display-asks">
      <Icon name="display" size={32} />
      <strong id="display-asks">{text.displayAsks.title}</strong>
      <button
        type="button"
        class="button primary"
        data-testid="display-is-on"
        onClick={() => act.request({ request: "display-is-on" })}
      >
        {text.displayAsks.done}
      </button>
    </div>
  );
}
