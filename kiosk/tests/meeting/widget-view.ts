// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What Element Call shows and plays, read from its page.
import { readTimeCode } from "./signal";

/** Somebody's picture, or the place for it. */
export interface Tile {
  /** As the tile is labelled; small ones are not. */
  name: string | null;
  local: boolean;
  /** `camera` or `screen_share`; null without a picture. */
  source: string | null;
  /** The time code in the picture. */
  code: { millis: number; source: number } | null;
  width: number;
  height: number;
  /** It is marked as not encrypted. */
  warns: boolean;
}

export class View {
  constructor(private readonly frame: HTMLIFrameElement) {}

  private all<Kind extends Element>(selector: string): Kind[] {
    return [...(this.frame.contentDocument?.querySelectorAll<Kind>(selector) ?? [])];
  }

  private text(selector: string): string | null {
    return this.all(selector)[0]?.textContent ?? null;
  }

  /** All text of the page, for whoever wonders why there is no call. */
  get words(): string {
    return this.frame.contentDocument?.body.innerText ?? "";
  }

  /** The lock beside the meeting's name; null when there is none. */
  get isLocked(): boolean | null {
    const [lock] = this.all<SVGElement>("[data-encrypted]");
    return lock ? lock.dataset["encrypted"] === "true" : null;
  }

  /** How many are in the call, in words. */
  get count(): string | null {
    return this.text('[data-testid="roomHeader_participants_count"]');
  }

  get tiles(): Tile[] {
    return this.all('[data-testid="videoTile"]').map((tile) => {
      const video = tile.querySelector<HTMLVideoElement>('[data-testid="video"]');
      return {
        name: tile.querySelector('[data-testid="name_tag"]')?.textContent ?? null,
        local: video?.dataset["lkLocalParticipant"] === "true",
        source: video?.dataset["lkSource"] ?? null,
        code: video && readTimeCode(video),
        width: video?.videoWidth ?? 0,
        height: video?.videoHeight ?? 0,
        warns: tile.querySelector('[role="img"][aria-label="Not encrypted"]') !== null,
      };
    });
  }

  /** How loud a tone is in what is played, 0 to 1. */
  async toneLevel(hertz: number): Promise<number> {
    const sounds = this.all<HTMLAudioElement>("audio").filter(({ srcObject }) => srcObject !== null);
    const levels = sounds.map(async (sound) => (await roomdProbe.dominantTone(sound, hertz, 600)).level);
    return Math.max(0, ...(await Promise.all(levels)));
  }
}
