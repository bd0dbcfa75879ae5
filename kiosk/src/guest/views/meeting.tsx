// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { allConnected } from "../core/call";
import type { Guest } from "../guest";
import { texts } from "../i18n";
import { Chat } from "./chat";
import { Controls } from "./controls";
import { DeviceErrors, DeviceFields } from "./device-fields";
import { CloseIcon, LockIcon, LockOpenIcon, PeopleIcon, SettingsIcon } from "./icons";
import { People } from "./people";
import { Preferences } from "./preferences";
import { Stage } from "./stage";

export type Side = "chat" | "people" | null;

export function Meeting({ guest }: { guest: Guest }) {
  const t = texts.value;
  const side = useSignal<Side>(null);
  const settings = useRef<HTMLDialogElement>(null);
  const open = (next: Side) => {
    side.value = side.value === next ? null : next;
    guest.dispatch({ type: "chat-open", open: side.value === "chat" });
  };
  const call = guest.call.value;
  return (
    <main class="meeting" data-view="meeting" data-side={side.value ?? "none"}>
      <header class="meeting-bar">
        <h1>{call.roomName}</h1>
        <Encryption guest={guest} />
        <button
          type="button"
          class="round quiet"
          data-action="people"
          aria-expanded={side.value === "people"}
          aria-label={`${t.meeting.people}: ${call.members.length + 1}`}
          onClick={() => open("people")}
        >
          <PeopleIcon />
          <span class="count" aria-hidden="true">
            {call.members.length + 1}
          </span>
        </button>
        <button
          type="button"
          class="round quiet"
          data-action="settings"
          aria-label={t.settings}
          onClick={() => settings.current?.showModal()}
        >
          <SettingsIcon />
        </button>
      </header>
      <Banners guest={guest} />
      <div class="meeting-body">
        <Stage guest={guest} />
        {side.value && <SidePanel guest={guest} side={side} close={() => open(side.value)} />}
      </div>
      <Controls guest={guest} chatOpen={side.value === "chat"} openChat={() => open("chat")} />
      <dialog ref={settings} class="settings" aria-labelledby="settings-title">
        <header>
          <h2 id="settings-title">{t.settings}</h2>
          <button
            type="button"
            class="round quiet"
            data-action="close"
            aria-label={t.close}
            onClick={() => settings.current?.close()}
          >
            <CloseIcon />
          </button>
        </header>
        <DeviceFields guest={guest} />
        <DeviceErrors guest={guest} />
        <Preferences />
      </dialog>
    </main>
  );
}

function Encryption({ guest }: { guest: Guest }) {
  const t = texts.value;
  const secure = allConnected(guest.call.value);
  return (
    <p
      class="encryption"
      role="status"
      data-role="encryption"
      data-verified={secure}
      title={secure ? t.meeting.encryptedText : t.meeting.securingText}
    >
      {secure ? <LockIcon /> : <LockOpenIcon />}
      <span>{secure ? t.meeting.encrypted : t.meeting.securing}</span>
    </p>
  );
}

function Banners({ guest }: { guest: Guest }) {
  const t = texts.value;
  const shareError = guest.devices.shareError.value;
  return (
    <div class="banners" role="status">
      {!guest.call.value.online && (
        <p class="banner warning" data-banner="offline">
          {t.meeting.offline}
        </p>
      )}
      {guest.devices.screen.value && (
        <div class="banner accent" data-banner="sharing">
          <p>{t.meeting.youShare}</p>
          <button
            type="button"
            class="button"
            data-action="stop-share"
            onClick={() => guest.devices.stopSharing()}
          >
            {t.meeting.stopShare}
          </button>
        </div>
      )}
      {shareError && (
        <div class="banner warning" data-banner="share-error">
          <p>{t.shareError[shareError]}</p>
          <button
            type="button"
            class="round quiet"
            aria-label={t.close}
            onClick={() => {
              guest.devices.shareError.value = null;
            }}
          >
            <CloseIcon />
          </button>
        </div>
      )}
    </div>
  );
}

interface SideProps {
  readonly guest: Guest;
  readonly side: Signal<Side>;
  readonly close: () => void;
}

function SidePanel({ guest, side, close }: SideProps) {
  const t = texts.value;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) close();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [side.value]);
  const chat = side.value === "chat";
  return (
    <aside class="side" aria-labelledby="side-title" data-panel={side.value}>
      <header>
        <h2 id="side-title">{chat ? t.meeting.chat : t.meeting.people}</h2>
        <button type="button" class="round quiet" data-action="close" aria-label={t.close} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {chat ? <Chat guest={guest} /> : <People guest={guest} />}
    </aside>
  );
}
