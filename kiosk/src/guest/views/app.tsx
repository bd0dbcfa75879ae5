// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Announcement } from "../core/effects";
import type { Guest } from "../guest";
import { texts, type Texts } from "../i18n";
import { Connecting, Password, Waiting } from "./before";
import { Meeting } from "./meeting";
import { Over } from "./over";
import { Prejoin } from "./prejoin";
import { Sound } from "./sound";

export function App({ guest }: { guest: Guest }) {
  const announcement = guest.announcement.value;
  return (
    <>
      <View guest={guest} />
      <Sound guest={guest} />
      <div class="visually-hidden" role="status" aria-live="polite" data-role="announcer">
        {announcement && spoken(announcement, texts.value)}
      </div>
    </>
  );
}

function View({ guest }: { guest: Guest }) {
  const { phase } = guest.call.value;
  switch (phase.name) {
    case "prejoin":
      return <Prejoin guest={guest} />;
    case "connecting":
      return <Connecting guest={guest} />;
    case "waiting":
      return <Waiting guest={guest} reason={phase.reason} />;
    case "password":
      return <Password guest={guest} wrong={phase.wrong} />;
    case "meeting":
      return <Meeting guest={guest} />;
    case "over":
      return <Over guest={guest} cause={phase.cause} />;
  }
}

function spoken(it: Announcement, t: Texts): string {
  switch (it.what) {
    case "joined":
    case "offline":
    case "online":
      return t.say[it.what];
    case "came":
    case "went":
    case "hand":
    case "shares":
    case "wrote":
      return t.say[it.what](it.name);
  }
}
