// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { minutesUntil, occupancy, offered, upNext } from "../agenda";
import { SEVERITY } from "../api/severity";
import type { AgendaEntry, State } from "../api/types";
import { Icon } from "../components/icon";
import { Notice } from "../components/notice";
import { useLocale } from "../i18n/locale";
import { AgendaList } from "./agenda-list";
import { DisplayAsks } from "./display-asks";
import type { ViewProps } from "./panel";
import { SelfHears } from "./self-hear";
import { TopBar } from "./top-bar";

const MOST_NOTICES = 2;

/** The room at rest, or with a meeting to join: clock, what is next, today's meetings. */
export function Idle(props: ViewProps) {
  const { state } = props;
  const entry = offered(state);
  return (
    <main class="idle" data-phase={state.room.phase.phase}>
      <TopBar main {...props}>
        <Status {...props} />
      </TopBar>
      <section class="idle-main">
        {entry ? <Offer entry={entry} {...props} /> : <Clock {...props} />}
        <Notices {...props} />
        <Shortcuts {...props} small={entry !== null} />
        <Footer state={state} />
      </section>
      <AgendaList {...props} />
    </main>
  );
}

function Status({ state, live }: ViewProps) {
  const { text, format } = useLocale();
  if (!state.agenda.configured) return <span class="spacer" />;
  const { busy, until } = occupancy(state.agenda, live.now.value);
  const free = until === null ? text.idle.freeAllDay : text.idle.freeUntil(format.time(until));
  return (
    <span class={busy ? "pill busy" : "pill free"} data-testid="occupancy">
      <span class="dot" />
      {busy ? text.idle.busyUntil(format.time(until ?? 0)) : free}
    </span>
  );
}

function Clock({ state, live }: ViewProps) {
  const { text, format } = useLocale();
  const now = live.now.value;
  const next = upNext(state.agenda, now);
  return (
    <div class="clock">
      <time class="clock-time tabular" data-testid="clock">
        {format.time(now)}
      </time>
      <p class="clock-date">{format.date(now)}</p>
      {next && (
        <p class="next">
          <span class="eyebrow">{text.idle.next}</span>
          <strong class="clamp-2">{next.title ?? text.booking.untitled}</strong>
          <span class="muted">{when(next, now)}</span>
        </p>
      )}
    </div>
  );

  function when(entry: AgendaEntry, at: number): string {
    const minutes = minutesUntil(Date.parse(entry.start), at);
    return minutes <= 60
      ? text.idle.inMinutes(minutes)
      : text.idle.at(format.time(Date.parse(entry.start)));
  }
}

function Offer({ entry, state, live, act }: ViewProps & { entry: AgendaEntry }) {
  const { text, format } = useLocale();
  const now = live.now.value;
  const start = Date.parse(entry.start);
  const minutes = minutesUntil(start, now);
  const running = Math.floor((now - start) / 60_000);
  return (
    <div class="offer" data-testid="offer">
      <p class="offer-when">
        <time class="tabular">{format.time(now)}</time>
        <span>
          {minutes > 0 && text.offered.startsIn(minutes)}
          {minutes <= 0 && running < 1 && text.offered.startsNow}
          {running >= 1 && text.offered.runningSince(running)}
        </span>
      </p>
      <h2 class="clamp-3">{entry.title ?? text.booking.untitled}</h2>
      <p class="muted tabular">
        {format.time(start)} – {format.time(Date.parse(entry.end))}
      </p>
      <button
        type="button"
        class="button primary huge wide"
        data-testid="join-offered"
        onClick={() => act.request({ request: "join-booking", booking: entry.id })}
      >
        <Icon name="camera" size={32} />
        {text.offered.join}
      </button>
      <p class={state.room.joinsSending ? "offer-hint warning" : "offer-hint"}>
        <Icon name={state.room.joinsSending ? "broadcast" : "microphone-off"} size={20} />
        {state.room.joinsSending ? text.idle.joinsSending : text.offered.silent}
      </p>
    </div>
  );
}

function Notices(props: ViewProps) {
  const { text } = useLocale();
  const { state, act } = props;
  const asks = [state.devices.displayAsks, state.soundTest.selfHear !== null];
  const most = MOST_NOTICES - asks.filter(Boolean).length;
  const rest = state.faults.length - most;
  return (
    <div class="notices">
      <DisplayAsks {...props} />
      <SelfHears {...props} />
      {state.faults.slice(0, most).map(({ code }) => (
        <Notice key={code} severity={SEVERITY[code]} {...text.faults[code]} />
      ))}
      {rest > 0 && (
        <button type="button" class="button quiet" onClick={() => act.open({ kind: "diagnosis" })}>
          {text.idle.moreFaults(rest)}
        </button>
      )}
      {state.faults.length === 0 && state.room.joinsSending && (
        <Notice severity="notice" title={text.idle.joinsSending} />
      )}
    </div>
  );
}

function Shortcuts({ state, act, small }: ViewProps & { small: boolean }) {
  const { text } = useLocale();
  return (
    <div class="shortcuts">
      {state.room.hostsMeetings && (
        <button
          type="button"
          class={small ? "button shortcut" : "button primary shortcut"}
          data-testid="start-meeting"
          onClick={() => act.open({ kind: "start-meeting" })}
        >
          <Icon name="people" size={28} />
          <span>{text.idle.startMeeting}</span>
        </button>
      )}
      <button
        type="button"
        class="button shortcut"
        data-testid="join-link"
        onClick={() => act.open({ kind: "join-link" })}
      >
        <Icon name="link" size={28} />
        <span>{text.idle.joinLink}</span>
      </button>
    </div>
  );
}

function Footer({ state }: { state: State }) {
  const { text } = useLocale();
  if (!state.room.support) return null;
  return <p class="idle-footer muted">{text.common.support(state.room.support)}</p>;
}
