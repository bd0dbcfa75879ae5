// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
/** What a sender is told; a part of `RTCRtpEncodingParameters`. */
export interface Encoding {
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
}

/** Lines that a guest's tile shows to other guests. */
export function tileLines(members: number): number {
  if (members <= 2) return 720;
  return members <= 4 ? 360 : 180;
}

/** The size of the room's camera for a tile this high: a little larger than the picture does no harm. */
export function shownLines(height: number): number {
  return [180, 360, 720].find((lines) => height <= lines * 1.2) ?? 1080;
}

/** Never more lines than wanted, never more than captured. */
export function cameraEncoding(wanted: number, captured: number): Encoding {
  const lines = Math.max(90, Math.min(wanted, captured > 0 ? captured : wanted));
  const scale = captured > lines ? captured / lines : 1;
  return { scaleResolutionDownBy: scale, maxBitrate: bitrate(lines) };
}

export const SCREEN_ENCODING: Encoding = { scaleResolutionDownBy: 1, maxBitrate: 2_500_000 };

function bitrate(lines: number): number {
  if (lines <= 180) return 200_000;
  if (lines <= 360) return 600_000;
  if (lines <= 720) return 1_700_000;
  return 3_000_000;
}

/** VP8 first, the rest in the browser's order. */
export function preferVp8<T extends { readonly mimeType: string }>(codecs: readonly T[]): T[] {
  const vp8 = (codec: T) => codec.mimeType.toLowerCase() === "video/vp8";
  return [...codecs.filter(vp8), ...codecs.filter((codec) => !vp8(codec))];
}
