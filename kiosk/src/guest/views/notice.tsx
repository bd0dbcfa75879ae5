// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { ComponentChildren } from "preact";

import { Preferences } from "./preferences";

interface Props {
  readonly view: string;
  readonly icon: ComponentChildren;
  readonly tone?: "calm" | "good" | "bad";
  readonly eyebrow?: string;
  readonly heading: string;
  readonly text: string;
  readonly busy?: boolean;
  readonly children?: ComponentChildren;
}

/** One thing to say, one thing to do. */
export function Notice(props: Props) {
  const { view, icon, tone = "calm", eyebrow, heading, text, busy = false, children } = props;
  return (
    <main class="notice" data-view={view}>
      <div class="notice-card">
        <div class={`notice-icon ${tone}${busy ? " busy" : ""}`}>{icon}</div>
        <div role="status" class="notice-words">
          {eyebrow && <p class="eyebrow">{eyebrow}</p>}
          <h1>{heading}</h1>
          <p class="muted">{text}</p>
        </div>
        {children}
      </div>
      <Preferences />
    </main>
  );
}
