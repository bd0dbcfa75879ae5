// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { TEXT_LENGTH } from "../core/call";
import { isVisible } from "../core/text";
import type { Guest } from "../guest";
import { language, texts } from "../i18n";
import { SendIcon } from "./icons";

export function Chat({ guest }: { guest: Guest }) {
  const t = texts.value;
  const { chat, self, online } = guest.call.value;
  const text = useSignal("");
  const list = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [chat.at(-1)?.key]);
  const send = (event: Event) => {
    event.preventDefault();
    if (!online || !isVisible(text.value)) return;
    guest.dispatch({ type: "chat", text: text.value });
    text.value = "";
  };
  const time = new Intl.DateTimeFormat(language.value, { hour: "2-digit", minute: "2-digit" });
  return (
    <div class="chat">
      {chat.length === 0 && <p class="muted empty">{t.chat.empty}</p>}
      <div ref={list} class="chat-log" role="log" tabIndex={0} aria-label={t.meeting.chat}>
        <ol data-role="chat">
        {chat.map((line) => (
          <li key={line.key} data-own={line.from === self}>
            <p class="line-head">
              <strong>{line.from === self ? t.you : line.name}</strong>{" "}
              <time dateTime={line.at}>{clock(time, line.at)}</time>
            </p>
            <p class="line-text">{line.text}</p>
          </li>
        ))}
        </ol>
      </div>
      <p class="muted small">{t.chat.forgotten}</p>
      <form onSubmit={send}>
        <textarea
          ref={field}
          class="field"
          rows={1}
          maxLength={TEXT_LENGTH}
          aria-label={t.chat.placeholder}
          placeholder={t.chat.placeholder}
          value={text.value}
          data-field="chat"
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
          }}
        />
        <button
          type="submit"
          class="round accent"
          data-action="send-chat"
          aria-label={t.chat.send}
          disabled={!online}
        >
          <SendIcon />
        </button>
      </form>
    </div>
  );
}

function clock(format: Intl.DateTimeFormat, at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : format.format(date);
}
