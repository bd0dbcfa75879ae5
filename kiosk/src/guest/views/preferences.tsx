// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { chooseTheme, theme } from "../../theme";
import { chooseLanguage, language, texts, type Language } from "../i18n";

/** Language and appearance, side by side. */
export function Preferences() {
  const t = texts.value;
  return (
    <div class="preferences">
      <Choice
        label={t.language}
        chosen={language.value}
        options={[
          ["de", t.german],
          ["en", t.english],
        ]}
        onChoose={(next) => chooseLanguage(next as Language)}
        languages
      />
      <Choice
        label={t.appearance}
        chosen={theme.value}
        options={[
          ["light", t.light],
          ["dark", t.dark],
        ]}
        onChoose={(next) => chooseTheme(next === "light" ? "light" : "dark")}
      />
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly chosen: string;
  readonly options: readonly (readonly [string, string])[];
  readonly onChoose: (value: string) => void;
  readonly languages?: boolean;
}

function Choice({ label, chosen, options, onChoose, languages = false }: ChoiceProps) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([value, text]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          lang={languages ? value : undefined}
          data-choice={value}
          onClick={() => onChoose(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
