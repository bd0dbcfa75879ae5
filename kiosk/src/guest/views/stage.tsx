// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import { useLayoutEffect, useRef } from "preact/hooks";

import { arrange } from "../core/arrange";
import { everyone } from "../core/everyone";
import type { Guest } from "../guest";
import { texts } from "../i18n";
import { ROOM } from "../../wire/types";
import { Tile } from "./tile";
import { Video } from "./video";

const GAP = 12;

/** The people; with shared content, that large and the people beside it. */
export function Stage({ guest }: { guest: Guest }) {
  const t = texts.value;
  const call = guest.call.value;
  const people = everyone(call);
  const sharer = call.members.find((member) => member.id === call.sharer);
  const content = sharer && guest.streams.value.get(sharer.id)?.screen;
  const grid = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const element = grid.current;
    if (!element) return;
    const fit = () => {
      const { clientWidth, clientHeight } = element;
      const { width, height } = arrange(people.length, clientWidth, clientHeight, GAP);
      element.style.setProperty("--tile-width", `${width}px`);
      element.style.setProperty("--tile-height", `${height}px`);
      const room = element.querySelector(`[data-tile="${ROOM}"]`);
      if (room) guest.dispatch({ type: "shown", height: room.clientHeight * devicePixelRatio });
    };
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => observer.disconnect();
  }, [people.length, content === undefined]);
  return (
    <div class="stage" data-content={content !== undefined}>
      {sharer && content && (
        <figure class="content">
          <Video
            participant={sharer.id}
            kind="screen"
            stream={content}
            label={t.meeting.sharedBy(sharer.name)}
          />
          <figcaption>{t.meeting.sharedBy(sharer.name)}</figcaption>
        </figure>
      )}
      <ul ref={grid} class="tiles" aria-label={t.meeting.tiles} tabIndex={content ? 0 : undefined}>
        {people.map((person) => (
          <Tile key={person.id} guest={guest} person={person} />
        ))}
      </ul>
    </div>
  );
}
