// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";
import { adjustable } from "../cameras";
import { Toolbar } from "../components/toolbar";
import type { ViewProps } from "./panel";

type Props = Pick<ViewProps, "state" | "theme" | "act"> & {
  /** The room's name heads the view. */
  main?: boolean;
  children?: ComponentChildren;
};

/** The room's name, what the view adds, and the quiet tools. */
export function TopBar({
  state,
  theme,
  act,
  main = false,
  children,
}: Props) {
  const Name = main ? "h1" : "span";
  return (
    <header class="topbar">
      <Name class="brand" data-testid="room-name">
        {state.room.name}
      </Name>
      {children}
      <Toolbar
        theme={theme}
        onTheme={act.theme}
        onLanguage={(language) => act.request({ request: "language", language })}
        onCamera={adjustable(state.cameras) ? () => act.open({ kind: "cameras" }) : undefined}
        onDiagnosis={() => act.open({ kind: "diagnosis" })}
      />
    </header>
  );
}
