// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { isRunning, providerName } from "../agenda";
import type { AgendaEntry } from "../api/types";
import { Icon } from "../components/icon";
import { type Text, useLocale } from "../i18n/locale";
import type { ViewProps } from "./panel";

/** Today's meetings: one touch joins, a touch on the meeting itself tells more. */
export function AgendaList(props: ViewProps) {
  const { text, format } = useLocale();
  const { agenda } = props.state;
  const stale = agenda.readAt
    ? text.idle.stale(format.time(Date.parse(agenda.readAt)))
    : text.idle.staleNever;
  return (
    <section class="agenda" aria-labelledby="agenda-heading">
      <header class="agenda-head">
        <h2 id="agenda-heading">{text.idle.today}</h2>
        {agenda.stale && (
          <span class="pill warning" data-testid="stale">
            <Icon name="calendar-off" size={20} />
            {stale}
          </span>
        )}
      </header>
      {agenda.entries.length > 0 ? (
        <ol class="agenda-list" data-testid="agenda">
          {agenda.entries.map((entry) => (
            <Entry key={entry.id} entry={entry} {...props} />
          ))}
        </ol>
      ) : (
        <Empty {...props} />
      )}
    </section>
  );
}

function Empty({ state }: ViewProps) {
  const { text } = useLocale();
  const { agenda, room } = state;
  const reading = agenda.configured && !agenda.readAt && !agenda.stale;
  const hint = room.hostsMeetings ? text.idle.noMeetingsHint : text.idle.noMeetingsHintLink;
  return (
    <div class="empty" data-testid="empty-day">
      <Icon name="calendar" size={64} />
      <h3>{title()}</h3>
      {!reading && <p class="muted">{agenda.configured ? hint : text.idle.noCalendarHint}</p>}
    </div>
  );

  function title(): string {
    if (!agenda.configured) return text.idle.noCalendar;
    return reading ? text.idle.reading : text.idle.noMeetings;
  }
}

function Entry({ entry, live, act }: ViewProps & { entry: AgendaEntry }) {
  const { text, format } = useLocale();
  const now = live.now.value;
  const running = isRunning(entry, now) && !entry.allDay;
  const title = entry.title ?? text.booking.untitled;
  const open = (): void => act.open({ kind: "booking", booking: entry.id });
  return (
    <li class={running ? "entry running" : "entry"} data-testid="booking">
      <div class="entry-time tabular">
        {entry.allDay ? (
          <span class="all-day">{text.booking.allDay}</span>
        ) : (
          <>
            <time>{format.time(Date.parse(entry.start))}</time>
            <time class="muted">{format.time(Date.parse(entry.end))}</time>
          </>
        )}
      </div>
      <button
        type="button"
        class="entry-body"
        data-testid="booking-details"
        onClick={open}
      >
        <strong class="clamp-2">{title}</strong>
        <Marks entry={entry} running={running} text={text} />
        <span class="visually-hidden">{text.booking.details}</span>
      </button>
      {entry.link.kind === "joinable" && (
        <button
          type="button"
          class={running ? "button primary" : "button join"}
          aria-label={text.booking.joinTitle(title)}
          data-testid="join"
          onClick={() => act.request({ request: "join-booking", booking: entry.id })}
        >
          {text.booking.join}
        </button>
      )}
    </li>
  );
}

function Marks({ entry, running, text }: { entry: AgendaEntry; running: boolean; text: Text }) {
  const [warning] = entry.warnings;
  return (
    <span class="marks">
      {running && <span class="mark accent">{text.booking.now}</span>}
      {entry.link.kind === "joinable" && (
        <span class="mark">{providerName(text, entry.link.provider)}</span>
      )}
      {entry.link.kind === "refused" && (
        <span class="mark danger">
          <Icon name="warning" size={18} />
          {text.linkRefusals[entry.link.reason].title}
        </span>
      )}
      {entry.link.kind === "none" && <span class="mark">{text.booking.noLink}</span>}
      {warning && (
        <span class="mark warning">
          <Icon name="warning" size={18} />
          {text.linkWarnings[warning].title}
          {entry.warnings.length > 1 && ` +${entry.warnings.length - 1}`}
        </span>
      )}
      {(entry.attendance === "tentative" || entry.attendance === "declined") && (
        <span class="mark">{text.booking[entry.attendance]}</span>
      )}
    </span>
  );
}
