// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";

import { everyone } from "../core/everyone";
import type { Guest } from "../guest";
import { texts } from "../i18n";
import { CameraIcon, HandIcon, MicrophoneIcon, ShareIcon } from "./icons";
import { Avatar } from "./tile";

export function People({ guest }: { guest: Guest }) {
  const t = texts.value;
  const people = everyone(guest.call.value);
  return (
    <>
      <p class="muted people-count">{t.meeting.peopleCount(people.length)}</p>
      <ul class="people" tabIndex={0} aria-label={t.meeting.people}>
        {people.map((person) => (
          <li key={person.id} data-person={person.id}>
            <Avatar name={person.name} />
            <span class="person-name">
              {person.name}
              {person.own && <span class="muted"> ({t.you})</span>}
            </span>
            <span class="person-marks">
              {person.hand && <Mark label={t.meeting.handRaised} tone="hand" icon={<HandIcon />} />}
              {person.sharing && <Mark label={t.meeting.sharing} icon={<ShareIcon />} />}
              {!person.camera && <Mark label={t.meeting.noCamera} icon={<CameraIcon off />} />}
              {!person.microphone && <Mark label={t.meeting.muted} icon={<MicrophoneIcon off />} />}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Mark({ label, icon, tone }: { label: string; icon: ComponentChildren; tone?: string }) {
  return (
    <span class={`mark ${tone ?? ""}`} role="img" aria-label={label} title={label}>
      {icon}
    </span>
  );
}
