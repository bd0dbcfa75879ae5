// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Shows one story: `?story=in-call&lang=de&theme=dark`. What a person does is kept in
// `window.requests`, and what only concerns the screen works as in the real page.
import { signal } from "@preact/signals";
import { render } from "preact";
import { createActions } from "../../src/actions";
import type { Language, Request } from "../../src/api/types";
import { FRESH_UI, type Ui } from "../../src/snapshot";
import "../../src/styles/panel.css";
import { show, theme } from "../../src/theme";
import { Panel } from "../../src/views/panel";
import { NOW } from "./state";
import { STORIES } from "./stories";

declare global {
  interface Window {
    requests: Request[];
  }
}

const query = new URLSearchParams(location.search);
const story = STORIES[query.get("story") ?? "idle"];
if (!story) throw new Error("no such story");
const language: Language = query.get("lang") === "en" ? "en" : "de";
show(query.get("theme") === "light" ? "light" : "dark");
window.requests = [];

const ui = signal<Ui>({ ...FRESH_UI, ...story.ui, language });
const act = createActions(
  {
    request(request) {
      window.requests.push(request);
      return Promise.resolve({ reply: "accepted" });
    },
    pair: () => Promise.resolve({ kind: "wrong", triesLeft: 4 }),
    showCode: () => Promise.resolve(true),
  },
  ui,
  show,
);
const live = {
  now: signal(NOW),
  levels: signal({ microphone: 0, speaking: [], ...story.levels }),
};
const state = story.state && { ...story.state, room: { ...story.state.room, language } };

function App() {
  return (
    <Panel
      snapshot={{ link: story?.link ?? "online", state, ui: ui.value, theme: theme.value }}
      live={live}
      act={act}
    />
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
