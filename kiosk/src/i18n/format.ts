// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Language } from "../api/types";

const TAGS: Record<Language, string> = { de: "de-DE", en: "en-GB" };

/** Dates, times and numbers as people in this room write them. */
export interface Format {
  time(at: number): string;
  /** `Freitag, 22. November` */
  date(at: number): string;
  /** When something was, with the year: it may be long ago. */
  moment(at: number): string;
  /** `Fr., 22. Nov.` */
  shortDate(at: number): string;
  /** A calendar day in the room's time zone, to compare with another. */
  day(at: number): string;
  number(value: number, digits?: number): string;
  /** `1:05` or `1:02:05` */
  duration(seconds: number): string;
}

export function createFormat(language: Language, timeZone: string): Format {
  const tag = TAGS[language];
  const zone = known(timeZone);
  const time = new Intl.DateTimeFormat(tag, { hour: "2-digit", minute: "2-digit", ...zone });
  const date = new Intl.DateTimeFormat(tag, { weekday: "long", day: "numeric", month: "long", ...zone });
  const moment = new Intl.DateTimeFormat(tag, { dateStyle: "long", timeStyle: "short", ...zone });
  const shortDate = new Intl.DateTimeFormat(tag, { weekday: "short", day: "numeric", month: "short", ...zone });
  const day = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", ...zone });
  return {
    time: (at) => time.format(at),
    date: (at) => date.format(at),
    moment: (at) => moment.format(at),
    shortDate: (at) => shortDate.format(at),
    day: (at) => day.format(at),
    number: (value, digits = 0) =>
      value.toLocaleString(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
    duration,
  };
}

/** The time zone as an option, or the browser's own where it knows no such zone. */
function known(timeZone: string): { timeZone?: string } {
  try {
    new Intl.DateTimeFormat("de", { timeZone }).format(0);
    return { timeZone };
  } catch {
    return {};
  }
}

const two = (value: number): string => String(value).padStart(2, "0");

function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
