// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { Icon } from "../components/icon";
import { Meter } from "../components/meter";
import { Notice } from "../components/notice";
import { useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";

/** Lets somebody speak, then hear what the far side would have got of it. */
export function SelfHear({ state, ui, live, act }: ViewProps) {
  const { text } = useLocale();
  const words = text.diagnosis.selfHear;
  const { selfHear, selfHearFailed, progress } = state.soundTest;
  const inCall = state.call !== null;
  const tested = progress !== null;
  if (selfHear) {
    return (
      <section class="section" aria-labelledby="self-hear" data-testid="self-hear">
        <h3 id="self-hear">{words.title}</h3>
        <p role="status">{words.phases[selfHear.phase]}</p>
        {selfHear.phase === "speaking" && (
          <div class="preview-level">
            <Icon name="microphone" />
            <Meter levels={live.levels} label={text.call.level} />
          </div>
        )}
        <button
          type="button"
          class="button wide"
          data-testid="self-hear-stop"
          onClick={() => act.request({ request: "stop-self-hear" })}
        >
          {words.stop}
        </button>
      </section>
    );
  }
  return (
    <section class="section" aria-labelledby="self-hear" data-testid="self-hear">
      <h3 id="self-hear">{words.title}</h3>
      <p class="muted">{inCall ? words.inCall : tested ? words.tested : words.hint}</p>
      {selfHearFailed && <Notice severity="warning" {...text.refusals[selfHearFailed]} />}
      <button
        type="button"
        class="button wide"
        data-testid="self-hear-start"
        disabled={inCall || tested || ui.dialog?.kind !== "diagnosis"}
        onClick={() => act.request({ request: "start-self-hear" })}
      >
        <Icon name="microphone" />
        {words.start}
      </button>
    </section>
  );
}

/** Says outside of the diagnosis that the room listens or plays, and ends it. */
export function SelfHears({ state, ui, act }: ViewProps) {
  const { text } = useLocale();
  const words = text.diagnosis.selfHear;
  const { selfHear } = state.soundTest;
  if (!selfHear || ui.dialog?.kind === "diagnosis") return null;
  return (
    <div class="asks" role="group" aria-labelledby="self-hears" data-testid="self-hears">
      <Icon name={selfHear.phase === "listening" ? "volume" : "microphone"} size={32} />
      <strong id="self-hears">
        {words.title}: {words.phases[selfHear.phase]}
      </strong>
      <button
        type="button"
        class="button primary"
        data-testid="self-hears-stop"
        onClick={() => act.request({ request: "stop-self-hear" })}
      >
        {words.stop}
      </button>
    </div>
  );
}
