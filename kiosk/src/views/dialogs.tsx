// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useState } from "preact/hooks";
import { providerName } from "../agenda";
import type { AgendaEntry, Call } from "../api/types";
import { Dialog } from "../components/dialog";
import { Icon } from "../components/icon";
import { Notice } from "../components/notice";
import { offersContent } from "../content";
import { useLocale } from "../i18n/locale";
import { Cameras } from "./cameras";
import { Content } from "./content";
import { Diagnosis } from "./diagnosis";
import type { ViewProps } from "./panel";
import { StartMeeting } from "./start-meeting";

/** The dialog that is open, if what it is about still exists. */
export function Dialogs(props: ViewProps) {
  const { state, ui, act } = props;
  const close = (): void => act.open(null);
  if (state.call && state.call.passwordWanted !== null) {
    return <Password wrong={state.call.passwordWanted} {...props} />;
  }
  switch (ui.dialog?.kind) {
    case undefined:
      return null;
    case "booking": {
      const { booking } = ui.dialog;
      const entry = state.agenda.entries.find(({ id }) => id === booking);
      return entry ? <Booking entry={entry} close={close} {...props} /> : null;
    }
    case "join-link":
      return <JoinLink close={close} {...props} />;
    case "start-meeting":
      return <StartMeeting close={close} {...props} />;
    case "leave":
      return state.call ? <Leave call={state.call} close={close} {...props} /> : null;
    case "remove": {
      const { participant } = ui.dialog;
      const person = state.call?.participants.find(({ id }) => id === participant);
      return person ? <Remove id={person.id} name={person.name} close={close} {...props} /> : null;
    }
    case "diagnosis":
      return <Diagnosis close={close} {...props} />;
    case "cameras":
    case "edit-presets":
    case "save-preset":
    case "delete-preset":
      return <Cameras page={ui.dialog} close={close} {...props} />;
    case "content":
      return state.call && offersContent(state, state.call) ? (
        <Content page={ui.dialog} close={close} {...props} />
      ) : null;
  }
}

type Closable = ViewProps & { close: () => void };

function Booking({ entry, close, act }: Closable & { entry: AgendaEntry }) {
  const { text, format } = useLocale();
  const { link } = entry;
  const answer = (accept: boolean): void => {
    act.request({ request: "attendance", booking: entry.id, accept });
    close();
  };
  return (
    <Dialog title={entry.title ?? text.booking.untitled} onClose={close}>
      <p class="muted tabular dialog-when">
        <Icon name="clock" size={20} />
        {when()}
      </p>
      {link.kind === "joinable" && (
        <p class="muted dialog-when">
          <Icon name="camera" size={20} />
          {providerName(text, link.provider)}
        </p>
      )}
      {link.kind === "none" && (
        <Notice severity="notice" title={text.booking.noLink} remedy={text.booking.noLinkHint} />
      )}
      {link.kind === "refused" && (
        <Notice
          severity="error"
          title={text.linkRefusals[link.reason].title}
          remedy={`${text.booking.refusedHost(link.host)}. ${text.linkRefusals[link.reason].remedy}`}
        />
      )}
      {entry.warnings.map((warning) => (
        <Notice key={warning} severity="warning" {...text.linkWarnings[warning]} />
      ))}
      <div class="answer" role="group" aria-label={text.booking.attendance}>
        <span>
          <span class="eyebrow">{text.booking.attendance}</span>
          <strong>{text.booking[entry.attendance]}</strong>
        </span>
        {entry.attendance !== "accepted" && (
          <button type="button" class="button" data-testid="accept" onClick={() => answer(true)}>
            <Icon name="check" />
            {text.booking.accept}
          </button>
        )}
        {entry.attendance !== "declined" && (
          <button type="button" class="button" data-testid="decline" onClick={() => answer(false)}>
            <Icon name="close" />
            {text.booking.decline}
          </button>
        )}
      </div>
      {link.kind === "joinable" && (
        <button
          type="button"
          class="button primary wide"
          data-testid="join-details"
          onClick={() => {
            act.request({ request: "join-booking", booking: entry.id });
            close();
          }}
        >
          {text.booking.join}
        </button>
      )}
    </Dialog>
  );

  function when(): string {
    const [start, end] = [Date.parse(entry.start), Date.parse(entry.end)];
    if (!entry.allDay) return `${format.time(start)} – ${format.time(end)}`;
    // An all-day entry ends with the first moment that is no longer part of it.
    const last = end - 1;
    const days = format.day(start) === format.day(last) ? "" : ` ${text.booking.until(format.shortDate(last))}`;
    return `${text.booking.allDay}${days}`;
  }
}

function JoinLink({ close, act }: Closable) {
  const { text } = useLocale();
  const [url, setUrl] = useState("");
  return (
    <Dialog title={text.joinLink.title} onClose={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!url.trim()) return;
          act.request({ request: "join-link", url: url.trim() });
          close();
        }}
      >
        <label class="label" for="link">
          {text.joinLink.label}
        </label>
        <input
          id="link"
          class="field"
          type="url"
          inputMode="url"
          autoComplete="off"
          autocapitalize="off"
          spellcheck={false}
          maxLength={2000}
          autofocus
          value={url}
          placeholder={text.joinLink.placeholder}
          data-testid="link-input"
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
        <button type="submit" class="button primary wide" data-testid="link-submit">
          {text.joinLink.submit}
        </button>
      </form>
    </Dialog>
  );
}

function Password({ wrong, act }: ViewProps & { wrong: boolean }) {
  const { text } = useLocale();
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const kind = shown ? { type: "text" as const } : { type: "password" as const };
  return (
    <Dialog title={text.password.title} onClose={() => act.request({ request: "leave" })} modal>
      <form
        class="form"
        data-testid="password"
        onSubmit={(event) => {
          event.preventDefault();
          if (!password) return;
          act.request({ request: "password", password });
          setPassword("");
        }}
      >
        <p class={wrong ? "danger-text" : "muted"} role={wrong ? "alert" : undefined} id="password-hint">
          {wrong ? text.password.wrong : text.password.hint}
        </p>
        <label class="label" for="password">
          {text.password.label}
        </label>
        <div class="field-row">
          <input
            id="password"
            class="field"
            {...kind}
            autoComplete="off"
            maxLength={200}
            autofocus
            value={password}
            aria-invalid={wrong}
            aria-describedby="password-hint"
            data-testid="password-input"
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          <button
            type="button"
            class="button square"
            aria-label={text.password.show}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            <Icon name="eye" />
          </button>
        </div>
        <div class="dialog-actions">
          <button
            type="button"
            class="button"
            data-testid="password-cancel"
            onClick={() => act.request({ request: "leave" })}
          >
            {text.common.cancel}
          </button>
          <button type="submit" class="button primary" data-testid="password-submit">
            {text.password.submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Leave({ call, close, act }: Closable & { call: Call }) {
  const { text } = useLocale();
  return (
    <Dialog title={text.call.leaveTitle} onClose={close}>
      <p class="muted">{text.call.leaveHint(call.participants.length)}</p>
      <div class="dialog-actions">
        <button type="button" class="button" data-testid="leave-cancel" onClick={close}>
          {text.call.stayHere}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="leave-confirm"
          onClick={() => {
            act.request({ request: "leave" });
            close();
          }}
        >
          <Icon name="leave" />
          {text.call.leaveConfirm}
        </button>
      </div>
    </Dialog>
  );
}

function Remove({ id, name, close, act }: Closable & { id: string; name: string }) {
  const { text } = useLocale();
  return (
    <Dialog title={text.people.removeTitle(name)} onClose={close}>
      <p class="muted">{text.people.removeHint}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={close}>
          {text.common.cancel}
        </button>
        <button
          type="button"
          class="button danger"
          data-testid="remove-confirm"
          onClick={() => {
            act.request({ request: "remove", participant: id });
            close();
          }}
        >
          {text.people.removeConfirm}
        </button>
      </div>
    </Dialog>
  );
}
