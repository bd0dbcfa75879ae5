// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useEffect, useMemo, useRef } from "preact/hooks";
import { createLocale, LocaleContext } from "../i18n/locale";
import { Announcer } from "../components/announcer";
import { Keyboard } from "../components/keyboard";
import { Toast } from "../components/toast";
import type { State } from "../api/types";
import type { Actions, Live, Snapshot, Ui } from "../snapshot";
import type { Theme } from "../theme";
import { Connecting } from "./connecting";
import { Dialogs } from "./dialogs";
import { FaultView } from "./fault";
import { Idle } from "./idle";
import { InCall } from "./in-call";
import { Joining } from "./joining";
import { Pairing } from "./pairing";

interface Props {
  snapshot: Snapshot;
  live: Live;
  act: Actions;
}

/** What every view of a connected panel takes. */
export interface ViewProps {
  state: State;
  ui: Ui;
  theme: Theme;
  live: Live;
  act: Actions;
}

/** The whole page: a projection of the snapshot. */
export function Panel({ snapshot, live, act }: Props) {
  const { link, state, ui, theme } = snapshot;
  const language = state?.room.language ?? ui.language;
  const timeZone = state?.room.timeZone ?? "Europe/Berlin";
  const locale = useMemo(() => createLocale(language, timeZone), [language, timeZone]);
  document.documentElement.lang = language;
  useTidyScreen(state, ui, act);

  return (
    <LocaleContext.Provider value={locale}>
      {link === "unpaired" && <Pairing entry={ui.pairing} theme={theme} act={act} />}
      {link !== "unpaired" && state && (
        <div class="stage" inert={link !== "online"}>
          <View state={state} ui={ui} theme={theme} live={live} act={act} />
          {link === "online" && <Dialogs state={state} ui={ui} theme={theme} live={live} act={act} />}
        </div>
      )}
      {link === "online" && <Keyboard dialog={false} />}
      {link === "connecting" && <Connecting over={state !== null} />}
      {/* Over a dialog that stays open, only what is in it can be seen. */}
      <Toast refusal={staysOpen(ui) ? null : ui.toast} onClose={() => act.show({ toast: null })} />
      <Announcer link={link} state={state} />
    </LocaleContext.Provider>
  );
}

/** A dialog from which people ask for more than one thing; it shows refusals itself. */
function staysOpen({ dialog }: Ui): boolean {
  return dialog?.kind === "cameras" || dialog?.kind === "edit-presets" || dialog?.kind === "diagnosis";
}

/** What was open for one meeting must not be open in the next, nor anybody's list or chat. */
function useTidyScreen(state: State | null, ui: Ui, act: Actions): void {
  const called = state ? state.call !== null : null;
  const before = useRef(called);
  useEffect(() => {
    const was = before.current;
    before.current = called ?? was;
    if (was === null || called === null || was === called) return;
    act.show({ tab: "people", person: null, seenChat: 0 });
    if (ui.dialog && ui.dialog.kind !== "diagnosis") act.open(null);
  }, [called]);
}

function View(props: ViewProps) {
  switch (props.state.room.phase.phase) {
    case "idle":
    case "offered":
      return <Idle {...props} />;
    case "joining":
    case "lobby":
    case "reconnecting":
    case "leaving":
      return <Joining {...props} />;
    case "in-call":
      return props.state.call ? <InCall {...props} call={props.state.call} /> : <Idle {...props} />;
    case "fault":
      return <FaultView {...props} code={props.state.room.phase.code} />;
  }
}
