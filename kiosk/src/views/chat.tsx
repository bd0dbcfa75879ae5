// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../components/icon";
import { useLocale } from "../i18n/locale";
import type { CallProps } from "./in-call";

const LONGEST = 2000;

/** The meeting's chat; typed text is the way in for people who do not speak. */
export function Chat({ call, act }: CallProps) {
  const { text, format } = useLocale();
  const [draft, setDraft] = useState("");
  const list = useRef<HTMLOListElement>(null);

  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [call.chat.length]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const line = draft.trim();
    if (!line) return;
    act.request({ request: "chat", text: line });
    setDraft("");
  };

  return (
    <div class="chat">
      {call.chat.length === 0 ? (
        <div class="empty">
          <Icon name="chat" size={56} />
          <h2>{text.chat.empty}</h2>
          <p class="muted">{text.chat.emptyHint}</p>
        </div>
      ) : (
        <ol class="chat-lines" ref={list} data-testid="chat" aria-live="polite" tabIndex={0} aria-label={text.chat.title}>
          {call.chat.map((line) => (
            <li key={line.id} class={line.from === null ? "line own" : "line"}>
              <span class="line-head">
                <strong class="clamp-1">{line.from === null ? text.chat.room : line.name}</strong>
                <time class="muted tabular">{format.time(Date.parse(line.at))}</time>
              </span>
              <p>{line.text}</p>
            </li>
          ))}
        </ol>
      )}
      <form class="chat-form" onSubmit={submit}>
        <input
          class="field"
          type="text"
          autoComplete="off"
          enterkeyhint="send"
          maxLength={LONGEST}
          value={draft}
          aria-label={text.chat.label}
          placeholder={text.chat.placeholder}
          data-testid="chat-input"
          onInput={(event) => setDraft(event.currentTarget.value)}
        />
        <button
          type="submit"
          class="button primary square"
          aria-label={text.chat.send}
          data-testid="chat-send"
        >
          <Icon name="send" />
        </button>
      </form>
    </div>
  );
}
