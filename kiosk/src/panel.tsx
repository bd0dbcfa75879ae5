// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { signal } from "@preact/signals";
import { render } from "preact";
import { createActions } from "./actions";
import { preferredLanguage } from "./i18n/catalogue";
import { startKeyboard } from "./keyboard";
import { connectRoom } from "./room";
import { FRESH_UI, type Ui } from "./snapshot";
import "./styles/panel.css";
import { chooseTheme, startTheme, theme } from "./theme";
import { Panel } from "./views/panel";

startTheme();

const room = connectRoom();
startKeyboard(() => room.wired.value);
const ui = signal<Ui>({ ...FRESH_UI, language: preferredLanguage(navigator.languages) });
const actions = createActions(room, ui, chooseTheme);
const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 500);
const live = { now, levels: room.levels };

function App() {
  return (
    <Panel
      snapshot={{
        link: room.link.value,
        state: room.state.value,
        ui: ui.value,
        theme: theme.value,
      }}
      live={live}
      act={actions}
    />
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
