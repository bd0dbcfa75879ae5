// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
/** What a browser says of a captured surface; Firefox says nothing of its kind. */
export interface Surface {
  readonly displaySurface?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

export interface Screen {
  readonly width: number;
  readonly height: number;
}

/** A whole screen is never shared: it shows more than its owner means to show. */
export function isWholeScreen(surface: Surface, screen: Screen): boolean {
  if (surface.displaySurface !== undefined) return surface.displaySurface === "monitor";
  return surface.width === screen.width && surface.height === screen.height;
}
