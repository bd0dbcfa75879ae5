// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect } from "preact/hooks";
import type { Participant } from "../api/types";
import { Icon, type IconName } from "../components/icon";
import { useLocale } from "../i18n/locale";
import type { Tab } from "../snapshot";
import { Chat } from "./chat";
import type { CallProps } from "./in-call";
import { People } from "./people";

const ICONS: Record<Tab, IconName> = { people: "people", chat: "chat", invite: "link" };

/** Who waits, who is there, what was written, how to come in. */
export function SidePanel(props: CallProps) {
  const { text } = useLocale();
  const { call, ui, act } = props;
  const tabs: Tab[] = ["people"];
  if (call.canChat) tabs.push("chat");
  if (call.guestUrl) tabs.push("invite");
  const tab = tabs.includes(ui.tab) ? ui.tab : "people";
  const lastChat = call.chat.at(-1)?.id ?? 0;
  const unread = call.chat.filter(({ id, from }) => id > ui.seenChat && from !== null).length;

  useEffect(() => {
    if (tab === "chat" && lastChat !== ui.seenChat) act.show({ seenChat: lastChat });
  }, [tab, lastChat, ui.seenChat]);

  const names: Record<Tab, string> = {
    people: text.people.count(call.participants.length),
    chat: text.chat.title,
    invite: text.invite.title,
  };
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    if (!next) return;
    act.show({ tab: next });
    document.getElementById(`tab-${next}`)?.focus();
  };

  return (
    <aside class="side" aria-label={names[tab]}>
      {call.waiting.length > 0 && call.canAdmit && <Waiting {...props} />}
      <div class="tabs" role="tablist" tabIndex={-1} onKeyDown={move}>
        {tabs.map((name) => (
          <button
            type="button"
            role="tab"
            key={name}
            id={`tab-${name}`}
            aria-selected={name === tab}
            aria-controls="side-body"
            tabIndex={name === tab ? 0 : -1}
            data-testid={`tab-${name}`}
            onClick={() => act.show({ tab: name })}
          >
            <Icon name={ICONS[name]} size={20} />
            <span>{names[name]}</span>
            {name === "chat" && unread > 0 && tab !== "chat" && (
              <span class="badge" aria-label={text.chat.unread(unread)} role="img">
                {unread > 99 ? "99+" : unread}
              </span>
            )}
          </button>
        ))}
      </div>
      <div class="side-body" role="tabpanel" id="side-body" aria-labelledby={`tab-${tab}`}>
        {tab === "people" && <People {...props} />}
        {tab === "chat" && <Chat {...props} />}
        {tab === "invite" && <Invite url={call.guestUrl ?? ""} />}
      </div>
    </aside>
  );
}

function Waiting({ call, act }: CallProps) {
  const { text } = useLocale();
  return (
    <section class="lobby" aria-label={text.people.waiting(call.waiting.length)}>
      <p class="lobby-title">
        <Icon name="people" size={20} />
        {text.people.waiting(call.waiting.length)}
      </p>
      <ul class="lobby-list">
        {call.waiting.map((person) => (
          <Guest key={person.id} person={person} />
        ))}
      </ul>
    </section>
  );

  function Guest({ person }: { person: Participant }) {
    return (
      <li class="lobby-guest" data-testid="waiting">
        <span class="clamp-2">{person.name}</span>
        <button
          type="button"
          class="button success"
          aria-label={text.people.admitName(person.name)}
          data-testid="admit"
          onClick={() => act.request({ request: "admit", participant: person.id })}
        >
          {text.people.admit}
        </button>
        <button
          type="button"
          class="button square"
          aria-label={text.people.denyName(person.name)}
          data-testid="deny"
          onClick={() => act.request({ request: "deny", participant: person.id })}
        >
          <Icon name="close" />
        </button>
      </li>
    );
  }
}

function Invite({ url }: { url: string }) {
  const { text } = useLocale();
  return (
    <div class="invite">
      <p>{text.invite.hint}</p>
      <div class="invite-url">
        <span class="eyebrow">{text.invite.address}</span>
        <strong data-testid="guest-url">{url}</strong>
      </div>
      <p class="muted">{text.invite.display}</p>
      <p class="muted">{text.invite.admit}</p>
    </div>
  );
}
