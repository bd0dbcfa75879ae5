// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { WaitReason } from "../../wire/types";
import type { Guest } from "../guest";
import { texts, type Texts } from "../i18n";
import { ClockIcon, DoorIcon, LockIcon, PeopleIcon } from "./icons";
import { Notice } from "./notice";

export function Connecting({ guest }: { guest: Guest }) {
  const t = texts.value;
  return (
    <Notice view="connecting" icon={<DoorIcon />} busy {...t.connecting}>
      <Cancel guest={guest} />
    </Notice>
  );
}

export function Waiting({ guest, reason }: { guest: Guest; reason: WaitReason }) {
  const t = texts.value;
  const { icon, words } = waiting(reason, t);
  return (
    <Notice view={`waiting-${reason}`} icon={icon} busy eyebrow={guest.call.value.roomName} {...words}>
      <Cancel guest={guest} />
    </Notice>
  );
}

function waiting(reason: WaitReason, t: Texts) {
  switch (reason) {
    case "not-started":
      return { icon: <ClockIcon />, words: t.waiting.notStarted };
    case "lobby":
      return { icon: <DoorIcon />, words: t.waiting.lobby };
    case "full":
      return { icon: <PeopleIcon />, words: t.waiting.full };
  }
}

function Cancel({ guest }: { guest: Guest }) {
  return (
    <button
      type="button"
      class="button wide"
      data-action="cancel"
      onClick={() => guest.dispatch({ type: "leave" })}
    >
      {texts.value.waiting.cancel}
    </button>
  );
}

export function Password({ guest, wrong }: { guest: Guest; wrong: boolean }) {
  const t = texts.value;
  const password = useSignal("");
  const missing = useSignal(false);
  const shown = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    missing.value = password.value === "";
    if (missing.value) field.current?.focus();
    else guest.dispatch({ type: "password", password: password.value });
  };
  const error = missing.value ? t.password.missing : wrong ? t.password.wrong : "";
  return (
    <Notice
      view="password"
      icon={<LockIcon />}
      heading={t.password.heading}
      text={t.password.text}
    >
      <form onSubmit={submit} noValidate>
        <div>
          <label for="password">{t.password.label}</label>
          <input
            ref={field}
            id="password"
            class="field"
            {...(shown.value ? { type: "text" as const } : { type: "password" as const })}
            maxLength={200}
            aria-invalid={error !== ""}
            aria-describedby="password-error"
            onInput={(event) => {
              password.value = event.currentTarget.value;
              missing.value = false;
            }}
          />
          <p id="password-error" class="error" role="alert">
            {error}
          </p>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={shown.value}
            onChange={(event) => {
              shown.value = event.currentTarget.checked;
            }}
          />
          {t.password.show}
        </label>
        <button type="submit" class="button primary wide" data-action="password">
          {t.password.submit}
        </button>
      </form>
    </Notice>
  );
}
