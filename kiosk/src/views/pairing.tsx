// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect } from "preact/hooks";
import { Icon } from "../components/icon";
import { Toolbar } from "../components/toolbar";
import { type Text, useLocale } from "../i18n/locale";
import type { Actions, PairingEntry } from "../snapshot";
import type { Theme } from "../theme";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const PLACES = [0, 1, 2, 3, 4, 5];

interface Props {
  entry: PairingEntry;
  theme: Theme;
  act: Actions;
}

/** Asks for the code that the room's display shows; by touch or on a keyboard. */
export function Pairing({ entry, theme, act }: Props) {
  const { text } = useLocale();

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (/^\d$/.test(event.key)) act.pairDigit(event.key);
      else if (event.key === "Backspace") act.pairRemove();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [act]);

  const checking = entry.status === "checking";
  return (
    <main class="pairing" data-phase="pairing">
      <header class="topbar">
        <span class="brand">roomd</span>
        <Toolbar
          theme={theme}
          onTheme={act.theme}
          onLanguage={(language) => act.show({ language })}
        />
      </header>
      <div class="pairing-body">
        <section class="pairing-text">
          <Icon name="display" size={56} />
          <h1>{text.pairing.title}</h1>
          <p class="muted">{text.pairing.instruction}</p>
          <button
            type="button"
            class="button"
            data-testid="pair-show"
            disabled={checking}
            onClick={act.pairShow}
          >
            {text.pairing.show}
          </button>
        </section>
        <section class="pairing-entry">
          <div
            class="code"
            role="img"
            aria-label={`${text.pairing.code}: ${text.pairing.digits(entry.code.length)}`}
            data-testid="pair-code"
          >
            {PLACES.map((place) => (
              <span key={place} class={place < entry.code.length ? "digit filled" : "digit"}>
                {entry.code[place] ?? ""}
              </span>
            ))}
          </div>
          <p class={`pairing-status ${tone(entry)}`} role="status" data-testid="pair-status">
            {status(entry, text)}
          </p>
          <div class="keypad">
            {DIGITS.map((digit) => (
              <Key key={digit} digit={digit} act={act} disabled={checking} />
            ))}
            <span />
            <Key digit="0" act={act} disabled={checking} />
            <button
              type="button"
              class="button key quiet"
              aria-label={text.pairing.remove}
              data-testid="pair-remove"
              disabled={checking}
              onClick={act.pairRemove}
            >
              <Icon name="backspace" size={28} />
            </button>
          </div>
        </section>
      </div>
    </main>
  );
}

function Key({ digit, act, disabled }: { digit: string; act: Actions; disabled: boolean }) {
  return (
    <button
      type="button"
      class="button key tabular"
      data-testid={`pair-key-${digit}`}
      disabled={disabled}
      onClick={() => act.pairDigit(digit)}
    >
      {digit}
    </button>
  );
}

function tone({ status }: PairingEntry): string {
  return typeof status === "object" ? "bad" : "";
}

function status({ status }: PairingEntry, text: Text): string {
  if (status === "typing") return "";
  if (status === "checking") return text.pairing.checking;
  if (status === "shown") return text.pairing.shown;
  switch (status.kind) {
    case "wrong":
      return text.pairing.wrong(status.triesLeft);
    case "locked":
      return text.pairing.locked(status.retryAfterSeconds);
    case "expired":
      return text.pairing.expired;
    case "failed":
      return text.pairing.failed;
  }
}
