// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { SoundTestLine, SoundTestResult } from "../api/types";
import { Icon } from "../components/icon";
import { Notice } from "../components/notice";
import { useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";

/** Plays the sound test, and shows what the last one found. */
export function SoundTest({ state, ui, act }: ViewProps) {
  const { text } = useLocale();
  const words = text.diagnosis.soundTest;
  const { progress, result } = state.soundTest;
  const inCall = state.call !== null;
  return (
    <section class="section sound-test" aria-labelledby="sound-test" data-testid="sound-test">
      <h3 id="sound-test">{words.title}</h3>
      {progress === null && <p class="muted">{inCall ? words.inCall : words.hint}</p>}
      {progress !== null && (
        <>
          <p role="status">{words.running}</p>
          <progress max={100} value={progress} aria-label={words.title} />
        </>
      )}
      {progress === null && result && <Result result={result} />}
      {progress === null && !result && <p>{words.never}</p>}
      {progress === null ? (
        <button
          type="button"
          class="button wide"
          data-testid="sound-test-start"
          disabled={inCall || ui.dialog?.kind !== "diagnosis"}
          onClick={() => act.request({ request: "start-sound-test" })}
        >
          <Icon name="volume" />
          {result ? words.again : words.start}
        </button>
      ) : (
        <button
          type="button"
          class="button wide"
          data-testid="sound-test-stop"
          onClick={() => act.request({ request: "stop-sound-test" })}
        >
          {words.stop}
        </button>
      )}
    </section>
  );
}

function Result({ result }: { result: SoundTestResult }) {
  const { text, format } = useLocale();
  const words = text.diagnosis.soundTest;
  const { microphone, loudspeaker } = result;
  const trouble = result.lines.filter(({ severity }) => severity !== null);
  const well = result.lines.filter(({ severity }) => severity === null);
  return (
    <>
      <p class="muted">
        {words.at(format.moment(Date.parse(result.at)))}
        {microphone && loudspeaker && <br />}
        {microphone && loudspeaker && words.of(microphone, loudspeaker)}
      </p>
      {trouble.map((line) => (
        <Trouble key={line.code} line={line} />
      ))}
      <ul class="devices">
        {well.map((line) => (
          <Well key={line.code} line={line} />
        ))}
      </ul>
    </>
  );
}

function Trouble({ line }: { line: SoundTestLine }) {
  const { language } = useLocale();
  return (
    <div class="diagnosed" data-testid="sound-test-trouble">
      <Notice
        severity={line.severity ?? "notice"}
        title={line.text[language]}
        {...(line.remedy ? { remedy: line.remedy[language] } : {})}
      />
      <code>{line.code}</code>
    </div>
  );
}

function Well({ line }: { line: SoundTestLine }) {
  const { language } = useLocale();
  return (
    <li class="well">
      <Icon name="volume" />
      <span>{line.text[language]}</span>
      <Icon name="check" size={20} />
    </li>
  );
}
