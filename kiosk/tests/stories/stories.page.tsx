// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Shows one story: `?story=in-call&lang=de&theme=dark`, and others by `window.tell`, without loading
// the page again. What only concerns the screen works as in the real page.
import { signal } from "@preact/signals";
import { render } from "preact";
import { createActions } from "../../src/actions";
import type { Language } from "../../src/api/types";
import { hideKeyboard, startKeyboard } from "../../src/keyboard";
import { FRESH_UI, type Ui } from "../../src/snapshot";
import "../../src/styles/panel.css";
import { show, theme, type Theme } from "../../src/theme";
import { Panel } from "../../src/views/panel";
import { NOW } from "./state";
import { STORIES, type Story } from "./stories";

declare global {
  interface Window {
    tell(name: string, language: Language, theme: Theme): Promise<void>;
  }
}

const root = document.getElementById("app") as HTMLElement;
let wired = false;
startKeyboard(() => wired);

function stage(story: Story, language: Language) {
  const ui = signal<Ui>({ ...FRESH_UI, ...story.ui, language });
  const act = createActions(
    {
      request: () => Promise.resolve({ reply: "accepted" }),
      preview: () => Promise.resolve(story.preview ?? null),
      pair: () => Promise.resolve({ kind: "wrong", triesLeft: 4 }),
      showCode: () => Promise.resolve({ kind: "shown" }),
    },
    ui,
    show,
  );
  const live = {
    now: signal(NOW),
    levels: signal({ microphone: 0, speaking: [], ...story.levels }),
  };
  const state = story.state && { ...story.state, room: { ...story.state.room, language } };
  return function App() {
    const snapshot = { link: story.link ?? "online", state, ui: ui.value, theme: theme.value };
    return <Panel snapshot={snapshot} live={live} act={act} />;
  };
}

window.tell = async (name, language, chosen) => {
  const story = STORIES[name];
  if (!story) throw new Error("no such story");
  render(null, root);
  hideKeyboard();
  wired = story.wired ?? false;
  show(chosen);
  const App = stage(story, language);
  render(<App />, root);
  // What follows the first picture, such as a dialog that opens, is done two frames later.
  await frame();
  if (wired) document.querySelector<HTMLElement>(".chat .field")?.focus();
  await frame();
  await frame();
  await document.fonts.ready;
};

function frame(): Promise<number> {
  return new Promise(requestAnimationFrame);
}

const query = new URLSearchParams(location.search);
void window.tell(
  query.get("story") ?? "idle",
  query.get("lang") === "en" ? "en" : "de",
  query.get("theme") === "light" ? "light" : "dark",
);
