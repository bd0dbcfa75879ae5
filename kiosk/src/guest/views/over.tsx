// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Cause } from "../core/call";
import type { Guest } from "../guest";
import { texts } from "../i18n";
import { DoorIcon, ShieldIcon, WarningIcon } from "./icons";
import { Notice } from "./notice";

export function Over({ guest, cause }: { guest: Guest; cause: Cause }) {
  const t = texts.value;
  const key = cause.kind === "refused" ? cause.reason : cause.kind;
  const calm = key === "left" || key === "ended";
  return (
    <Notice
      view={`over-${key}`}
      icon={calm ? <DoorIcon /> : key === "denied" ? <ShieldIcon /> : <WarningIcon />}
      tone={calm ? "good" : "bad"}
      heading={t.over[key].heading}
      text={t.over[key].text}
    >
      <Way guest={guest} cause={key} />
    </Notice>
  );
}

type Key = Exclude<Cause["kind"], "refused"> | Extract<Cause, { reason: unknown }>["reason"];

function Way({ guest, cause }: { guest: Guest; cause: Key }) {
  const t = texts.value;
  switch (cause) {
    case "removed":
    case "unknown-meeting":
      return null;
    case "version":
    case "bad-message":
      return (
        <button
          type="button"
          class="button primary wide"
          data-action="reload"
          onClick={() => location.reload()}
        >
          {t.over.reload}
        </button>
      );
    case "left":
    case "ended":
    case "lost":
    case "denied":
    case "too-many":
    case "too-slow":
      return (
        <button
          type="button"
          class={`button wide ${cause === "lost" || cause === "left" ? "primary" : ""}`}
          data-action="again"
          onClick={() => guest.again()}
        >
          {cause === "left" ? t.over.again : t.over.retry}
        </button>
      );
  }
}
