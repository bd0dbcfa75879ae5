// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { Icon } from "../components/icon";
import { Meter } from "../components/meter";
import { type Text, useLocale } from "../i18n/locale";
import type { State } from "../api/types";
import { DisplayAsks } from "./display-asks";
import type { ViewProps } from "./panel";
import { TopBar } from "./top-bar";

/** On the way in, waiting to be let in, on the way back, on the way out. */
export function Joining(props: ViewProps) {
  const { text } = useLocale();
  const { state, live, act } = props;
  const { phase } = state.room.phase;
  const words = describe(state, text);
  const entering = phase === "joining" || phase === "lobby";
  return (
    <main class="full" data-phase={phase}>
      <TopBar {...props} />
      <div class="center">
        <div class={phase === "lobby" ? "waiting-dots" : "spinner large"} aria-hidden="true">
          {phase === "lobby" && (
            <>
              <i />
              <i />
              <i />
            </>
          )}
        </div>
        {state.call?.title && <p class="eyebrow clamp-1">{state.call.title}</p>}
        <h1 data-testid="status">{words.title}</h1>
        {words.hint && <p class="lead">{words.hint}</p>}
        {entering && <Outlook sending={state.room.joinsSending} text={text} />}
        {entering && (
          <div class="preview-level">
            <Icon name="microphone" />
            <Meter levels={live.levels} label={text.joining.level} />
          </div>
        )}
        {phase !== "leaving" && <DisplayAsks {...props} />}
        {phase !== "leaving" && (
          <button
            type="button"
            class="button big"
            data-testid="leave"
            onClick={() => act.request({ request: "leave" })}
          >
            {entering ? text.joining.cancel : text.call.leave}
          </button>
        )}
      </div>
    </main>
  );
}

/** What the room sends, or does not, once it is in. */
function Outlook({ sending, text }: { sending: boolean; text: Text }) {
  return (
    <div class={sending ? "promise warning" : "promise"} data-testid="promise">
      <Icon name={sending ? "broadcast" : "microphone-off"} />
      {!sending && <Icon name="camera-off" />}
      <div>
        <strong>{sending ? text.joining.sending : text.joining.silent}</strong>
        <p>{sending ? text.joining.sendingHint : text.joining.silentHint}</p>
      </div>
    </div>
  );
}

function describe({ room }: State, text: Text): { title: string; hint: string | null } {
  switch (room.phase.phase) {
    case "lobby":
      return { title: text.joining.lobby, hint: text.joining.lobbyHint };
    case "reconnecting":
      return {
        title: text.reconnecting.title,
        hint: text.reconnecting.attempt(room.phase.attempt),
      };
    case "leaving":
      return { title: text.leaving.title, hint: text.leaving.hint };
    case "joining":
    case "idle":
    case "offered":
    case "in-call":
    case "fault":
      return { title: text.joining.title, hint: null };
  }
}
