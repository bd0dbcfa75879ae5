// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useState } from "preact/hooks";
import type { Language } from "../api/types";
import { useLocale } from "../i18n/locale";
import { erase, field, forgetGone, hideKeyboard, submit, type, type Field } from "../keyboard";
import { useHold } from "./hold";
import { Icon, type IconName } from "./icon";

const LETTERS: Record<Language, readonly string[]> = {
  de: ["qwertzuiopü", "asdfghjklöä", "yxcvbnmß"],
  en: ["qwertyuiop", "asdfghjkl", "zxcvbnm"],
};
const SYMBOLS = ["1234567890", "/:.-_@?=&#", "!%+*()\"',;"];

type Shift = "off" | "once" | "locked";
const NEXT_SHIFT: Record<Shift, Shift> = { off: "once", once: "locked", locked: "off" };

const REPEAT_EVERY_MS = 70;

/**
 * The keyboard for the fields of one dialog, or for those outside of all dialogs: what a modal
 * dialog does not contain cannot be pressed. Its keys take neither the focus nor a tab stop, so the
 * caret stays in the field, and who has real keys never meets them.
 */
export function Keyboard({ dialog }: { dialog: boolean }) {
  const into = field.value;
  useEffect(forgetGone);
  if (!into || (into.closest("dialog") !== null) !== dialog) return null;
  return <Keys key={into.id} into={into} />;
}

function Keys({ into }: { into: Field }) {
  const { text, language } = useLocale();
  const [shift, setShift] = useState<Shift>("off");
  const [symbols, setSymbols] = useState(false);
  const rows = symbols ? SYMBOLS : LETTERS[language];
  const upper = shift !== "off" && !symbols;

  const press = (character: string): void => {
    type(into, character);
    if (shift === "once") setShift("off");
  };
  const key = (character: string) => {
    // The capital of ß is a letter that no password or link has.
    const shown = upper && character !== "ß" ? character.toUpperCase() : character;
    return (
      <button
        type="button"
        tabIndex={-1}
        class="button cap"
        key={character}
        data-key={character}
        onClick={() => press(shown)}
      >
        {shown}
      </button>
    );
  };

  return (
    <section class="keyboard" aria-label={text.keyboard.label} data-testid="keyboard">
      {rows.map((row, index) => (
        <div class="keyboard-row" key={row}>
          {index === 2 && !symbols && (
            <Special
              name={text.keyboard.shift}
              icon={shift === "locked" ? "shift-lock" : "shift"}
              id="shift"
              pressed={shift !== "off"}
              onPress={() => setShift(NEXT_SHIFT[shift])}
            />
          )}
          {[...row].map(key)}
          {index === 2 && <Backspace into={into} name={text.keyboard.backspace} />}
        </div>
      ))}
      <div class="keyboard-row">
        <button
          type="button"
          tabIndex={-1}
          class="button cap special"
          data-key="symbols"
          aria-label={symbols ? text.keyboard.letters : text.keyboard.symbols}
          onClick={() => setSymbols(!symbols)}
        >
          {symbols ? "ABC" : "?123"}
        </button>
        {!symbols && key("/")}
        <button
          type="button"
          tabIndex={-1}
          class="button cap space"
          data-key="space"
          onClick={() => press(" ")}
        >
          {text.keyboard.space}
        </button>
        {!symbols && key(".")}
        <Special name={text.keyboard.enter} icon="enter" id="enter" main onPress={() => submit(into)} />
        <Special name={text.keyboard.hide} icon="keyboard-hide" id="hide" onPress={hideKeyboard} />
      </div>
    </section>
  );
}

interface SpecialProps {
  name: string;
  icon: IconName;
  id: string;
  pressed?: boolean;
  main?: boolean;
  onPress: () => void;
}

function Special({ name, icon, id, pressed, main = false, onPress }: SpecialProps) {
  const state = pressed === undefined ? {} : { "aria-pressed": pressed };
  return (
    <button
      type="button"
      tabIndex={-1}
      class={main ? "button cap special main" : "button cap special"}
      aria-label={name}
      {...state}
      data-key={id}
      onClick={onPress}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Deletes once when tapped, and goes on while it is held. */
function Backspace({ into, name }: { into: Field; name: string }) {
  const hold = useHold(() => erase(into), REPEAT_EVERY_MS);
  return (
    <button
      type="button"
      tabIndex={-1}
      class="button cap special"
      aria-label={name}
      data-key="backspace"
      {...hold}
    >
      <Icon name="backspace" />
    </button>
  );
}
