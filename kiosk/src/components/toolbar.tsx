// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Language } from "../api/types";
import { LANGUAGES } from "../i18n/catalogue";
import { useLocale } from "../i18n/locale";
import type { Theme } from "../theme";
import { Icon } from "./icon";

interface Props {
  theme: Theme;
  onTheme: (theme: Theme) => void;
  onLanguage: (language: Language) => void;
  /** Not offered where there is nothing to diagnose yet. */
  onDiagnosis?: () => void;
  /** Not offered where no camera can be chosen or moved. */
  onCamera?: (() => void) | undefined;
}

/** Language, appearance, diagnosis: there in every quiet moment, out of the way otherwise. */
export function Toolbar({ theme, onTheme, onLanguage, onDiagnosis, onCamera }: Props) {
  const { text, language } = useLocale();
  return (
    <div class="toolbar">
      <div class="segmented small" role="group" aria-label={text.language.choose}>
        {LANGUAGES.map((code) => (
          <button
            type="button"
            key={code}
            aria-pressed={code === language}
            lang={code}
            data-testid={`language-${code}`}
            onClick={() => onLanguage(code)}
          >
            {text.language[code]}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="button square quiet"
        aria-label={theme === "dark" ? text.common.themeLight : text.common.themeDark}
        data-testid="theme"
        onClick={() => onTheme(theme === "dark" ? "light" : "dark")}
      >
        <Icon name={theme === "dark" ? "sun" : "moon"} />
      </button>
      {onCamera && (
        <button
          type="button"
          class="button square quiet"
          aria-label={text.cameras.title}
          data-testid="cameras"
          onClick={onCamera}
        >
          <Icon name="frame" />
        </button>
      )}
      {onDiagnosis && (
        <button
          type="button"
          class="button square quiet"
          aria-label={text.common.diagnosis}
          data-testid="diagnosis"
          onClick={onDiagnosis}
        >
          <Icon name="diagnosis" />
        </button>
      )}
    </div>
  );
}
