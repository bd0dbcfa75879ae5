// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useComputed } from "@preact/signals";

import { initials, type Person } from "../core/everyone";
import type { Guest } from "../guest";
import { texts } from "../i18n";
import { HandIcon, MicrophoneIcon } from "./icons";
import { Video } from "./video";

export function Tile({ guest, person }: { guest: Guest; person: Person }) {
  const t = texts.value;
  const own = useComputed(() =>
    guest.devices.camera.value ? new MediaStream([guest.devices.camera.value]) : null,
  );
  const stream = person.own ? own.value : (guest.streams.value.get(person.id)?.camera ?? null);
  const speaking = person.microphone && guest.speaking.value.includes(person.id);
  const label = person.own ? `${person.name} (${t.you})` : person.name;
  return (
    <li
      class="tile"
      data-tile={person.id}
      data-speaking={speaking}
      data-link={person.link}
      data-own={person.own}
    >
      {person.camera && stream ? (
        <Video
          participant={person.id}
          kind="camera"
          stream={stream}
          label={label}
          mirrored={person.own}
        />
      ) : (
        <Avatar name={person.name} />
      )}
      {person.hand && (
        <span class="tile-hand" role="img" aria-label={t.meeting.handRaised}>
          <HandIcon />
        </span>
      )}
      {person.link !== "connected" && (
        <span class="tile-link">
          {person.link === "connecting" ? t.meeting.connecting : t.meeting.interrupted}
        </span>
      )}
      <span class="tile-name">
        {!person.microphone && (
          <span class="tile-mute" role="img" aria-label={t.meeting.muted}>
            <MicrophoneIcon off />
          </span>
        )}
        <span class="tile-words">{label}</span>
        {speaking && <span class="visually-hidden">{t.meeting.speaking}</span>}
      </span>
    </li>
  );
}

/** Stands in for a picture; the name says who, so it is not read aloud. */
export function Avatar({ name }: { name: string }) {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}
