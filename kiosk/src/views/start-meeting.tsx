// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "../components/dialog";
import { Icon } from "../components/icon";
import { useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";

/** Begins a meeting of the room's own, open to who has the link or protected by a password. */
export function StartMeeting({ act, close }: ViewProps & { close: () => void }) {
  const { text } = useLocale();
  const [password, setPassword] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const protectedBy = password !== null;
  useEffect(() => input.current?.focus(), [protectedBy]);

  const start = (chosen: string | null): void => {
    act.request({ request: "start-meeting", password: chosen });
    close();
  };
  return (
    <Dialog title={text.start.title} onClose={close}>
      <p class="muted">{text.start.hint}</p>
      {password === null ? (
        <div class="form">
          <button type="button" class="button primary wide" data-testid="start-open" onClick={() => start(null)}>
            <Icon name="people" />
            {text.start.open}
          </button>
          <button
            type="button"
            class="button wide"
            data-testid="start-protected"
            onClick={() => setPassword("")}
          >
            <Icon name="lock" />
            {text.start.protect}
          </button>
        </div>
      ) : (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            if (password) start(password);
          }}
        >
          <label class="label" for="start-password">
            {text.start.label}
          </label>
          <input
            ref={input}
            id="start-password"
            class="field"
            type="text"
            autoComplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={200}
            value={password}
            data-testid="start-password"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          <button type="submit" class="button primary wide" data-testid="start-submit">
            {text.start.submit}
          </button>
        </form>
      )}
    </Dialog>
  );
}
