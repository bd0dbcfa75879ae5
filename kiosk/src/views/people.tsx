// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Participant, Preview, StreamTrouble } from "../api/types";
import { Icon } from "../components/icon";
import { type Text, useLocale } from "../i18n/locale";
import type { CallProps } from "./in-call";

/** Everyone in the meeting; a touch on a name offers what can be done. */
export function People({ call, ui, act }: CallProps) {
  const { text } = useLocale();
  if (call.participants.length === 0) {
    return (
      <div class="empty">
        <Icon name="people" size={56} />
        <h2>{text.people.nobody}</h2>
        <p class="muted">{text.people.nobodyHint}</p>
      </div>
    );
  }
  return (
    <ul class="people" data-testid="participants">
      {call.participants.map((person) => {
        const open = ui.person === person.id;
        return (
          <li key={person.id} class={person.speaking ? "person speaking" : "person"}>
            <Row
              person={person}
              trouble={troubleOf(person, call.previews)}
              mixed={call.e2ee === "off"}
              open={open}
              canOpen={call.canAdmit}
              onToggle={() => act.show({ person: open ? null : person.id })}
            />
            {open && call.canAdmit && (
              <button
                type="button"
                class="button wide"
                data-testid="remove"
                onClick={() => act.open({ kind: "remove", participant: person.id })}
              >
                <Icon name="remove" />
                {text.people.remove}
                <span class="visually-hidden">: {person.name}</span>
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

interface RowProps {
  person: Participant;
  trouble: StreamTrouble | null;
  mixed: boolean;
  open: boolean;
  canOpen: boolean;
  onToggle: () => void;
}

function Row({ person, trouble, mixed, open, canOpen, onToggle }: RowProps) {
  const { text } = useLocale();
  const content = (
    <>
      <span class="avatar" aria-hidden="true">
        {initials(person.name)}
      </span>
      <span class="person-name">
        <span class="clamp-1">{person.name}</span>
        {person.connection !== "good" && (
          <small class={person.connection === "connecting" ? "muted" : "warning-text"}>
            {text.people.connection[person.connection]}
          </small>
        )}
        {trouble && person.connection === "good" && (
          <small class="warning-text">{text.people.trouble[trouble]}</small>
        )}
      </span>
      <span class="person-marks" aria-hidden="true">
        {person.reaction && (
          <span class="person-reaction" data-testid="reaction">
            {person.reaction}
          </span>
        )}
        {person.hand && <Mark icon="hand" tone="warning" />}
        {person.sharing && <Mark icon="share" tone="accent" />}
        {mixed && person.e2ee === "off" && <Mark icon="lock-open" tone="warning" />}
        <Mark icon={person.microphone ? "microphone" : "microphone-off"} tone={person.microphone ? "" : "dim"} />
        <Mark icon={person.camera ? "camera" : "camera-off"} tone={person.camera ? "" : "dim"} />
      </span>
      <span class="visually-hidden">, {spoken(person, text)}</span>
    </>
  );
  if (!canOpen) {
    return (
      <div class="person-row" data-testid="participant">
        {content}
      </div>
    );
  }
  return (
    <button
      type="button"
      class="person-row"
      aria-expanded={open}
      data-testid="participant"
      onClick={onToggle}
    >
      {content}
    </button>
  );
}

/** What is the matter with someone's streams; a camera that is off cannot stand still. */
function troubleOf(person: Participant, previews: Preview[]): StreamTrouble | null {
  const found = previews.filter(
    (preview) =>
      preview.participant === person.id &&
      (preview.trouble !== "stalled" || (preview.kind === "camera" && person.camera)),
  );
  return found.find((preview) => preview.trouble)?.trouble ?? null;
}

function Mark({ icon, tone }: { icon: Parameters<typeof Icon>[0]["name"]; tone: string }) {
  return (
    <span class={`person-mark ${tone}`}>
      <Icon name={icon} size={20} />
    </span>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}

function spoken(person: Participant, text: Text): string {
  const marks = [
    person.microphone ? text.people.microphoneOn : text.people.microphoneOff,
    person.camera ? text.people.cameraOn : text.people.cameraOff,
  ];
  if (person.speaking) marks.push(text.people.speaking);
  if (person.reaction) marks.push(person.reaction);
  if (person.hand) marks.push(text.people.hand);
  if (person.sharing) marks.push(text.people.sharing);
  if (person.e2ee === "off") marks.push(text.people.notEncrypted);
  return marks.join(", ");
}
