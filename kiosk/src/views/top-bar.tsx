// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";
import { Toolbar } from "../components/toolbar";
import type { ViewProps } from "./panel";

/** The room's name, what the view adds, and the quiet tools. */
export function TopBar({
  state,
  theme,
  act,
  children,
}: Pick<ViewProps, "state" | "theme" | "act"> & { children?: ComponentChildren }) {
  return (
    <header class="topbar">
      <span class="brand" data-testid="room-name">
        {state.room.name}
      </span>
      {children}
      <Toolbar
        theme={theme}
        onTheme={act.theme}
        onLanguage={(language) => act.request({ request: "language", language })}
        onDiagnosis={() => act.open({ kind: "diagnosis" })}
      />
    </header>
  );
}
