// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Line drawings on a 24 by 24 grid, decorative by default: the control beside them carries the name.
const PATHS = {
  microphone: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3Z M5.5 11.5a6.5 6.5 0 0 0 13 0 M12 18v3",
  "microphone-off":
    "M9 9v3a3 3 0 0 0 4.6 2.5 M15 11.5V6a3 3 0 0 0-5.8-1 M5.5 11.5a6.5 6.5 0 0 0 10.6 5 M18.2 13.5c.2-.6.3-1.3.3-2 M12 18v3 M4 4l16 16",
  camera: "M4 7h9a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1Z M15 11l6-3.5v9L15 13",
  "camera-off": "M10.5 7H13a2 2 0 0 1 2 2v2l6-3.5v9l-4-2.3 M15 15a2 2 0 0 1-2 2H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h2.5 M4 4l16 16",
  volume: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4Z M15.5 9a4.2 4.2 0 0 1 0 6 M18 6.5a7.8 7.8 0 0 1 0 11",
  mute: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5H4Z M16 9.5l5 5 M21 9.5l-5 5",
  hand: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11 M11 10.5v-6a1.5 1.5 0 0 1 3 0v6.5 M14 11V6a1.5 1.5 0 0 1 3 0v8.5A6.5 6.5 0 0 1 10.5 21c-2.6 0-4-1.3-5.2-3.5l-2-3.8c-.8-1.6 1.2-2.7 2.2-1.4L8 15",
  leave: "M3.2 14.2c-.6-1-.5-2.3.4-3.1 4.7-4.1 12.1-4.1 16.8 0 .9.8 1 2.1.4 3.1l-.7 1.1c-.4.6-1.1.8-1.8.5l-2.4-1c-.6-.2-1-.8-1-1.5v-1.5a9.6 9.6 0 0 0-5.8 0v1.5c0 .7-.4 1.3-1 1.5l-2.4 1c-.7.3-1.4.1-1.8-.5Z",
  lock: "M6 11h12v9H6Z M8.5 11V7.5a3.5 3.5 0 0 1 7 0V11 M12 14.5v2",
  "lock-open": "M6 11h12v9H6Z M8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2 M12 14.5v2",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z M2.5 20a6.5 6.5 0 0 1 13 0 M16 4.9a3.5 3.5 0 0 1 0 6.2 M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  chat: "M4 5h16v11H10l-4.5 4v-4H4Z",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1 M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  grid: "M4 5h7v6H4Z M13 5h7v6h-7Z M4 13h7v6H4Z M13 13h7v6h-7Z",
  speaker: "M4 5h16v9H4Z M4 16.5h4.5V20H4Z M9.75 16.5h4.5V20h-4.5Z M15.5 16.5H20V20h-4.5Z",
  share: "M3.5 5h17v11h-17Z M9 20h6 M12 16v4 M12 13V8.5 M9.5 10.5 12 8l2.5 2.5",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M12 2.5v2 M12 19.5v2 M2.5 12h2 M19.5 12h2 M5.3 5.3l1.4 1.4 M17.3 17.3l1.4 1.4 M18.7 5.3l-1.4 1.4 M6.7 17.3l-1.4 1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  diagnosis: "M3 12.5h4l2.5-7 5 13 2.5-6h4",
  check: "M5 12.5l4.5 4.5L19 7",
  close: "M6 6l12 12 M18 6 6 18",
  warning: "M12 4 2.5 20h19L12 4Z M12 10v4.5 M12 17.2v.1",
  error: "M8.4 3.5h7.2l4.9 4.9v7.2l-4.9 4.9H8.4l-4.9-4.9V8.4Z M12 8v4.5 M12 15.7v.1",
  notice: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z M12 11v5.5 M12 7.7v.1",
  calendar: "M4 6h16v14H4Z M4 10.5h16 M8 3.5V7 M16 3.5V7",
  "calendar-off": "M8.5 6H20v11.5 M4 8v12h14 M4 10.5h3 M12 10.5h8 M16 3.5V7 M4 4l16 16",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z M12 7v5.2l3.5 2",
  plus: "M12 5v14 M5 12h14",
  minus: "M5 12h14",
  send: "M4 12 20.5 4.5 16 20l-4.5-6.5L4 12Z M11.5 13.5 20.5 4.5",
  broadcast: "M12 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3Z M8.5 15.5a5 5 0 0 1 0-7 M15.5 8.5a5 5 0 0 1 0 7 M5.6 18.4a9 9 0 0 1 0-12.8 M18.4 5.6a9 9 0 0 1 0 12.8",
  remove: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z M2.5 20a6.5 6.5 0 0 1 13 0 M16.5 11h5",
  backspace: "M9 6h11v12H9l-6-6 6-6Z M12 9.5l5 5 M17 9.5l-5 5",
  display: "M3 5h18v11.5H3Z M8.5 20h7",
  weak: "M4 19v-3 M9 19v-6 M14 19v-1 M19 19v-1",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  shift: "M12 4.5 4.5 12H9v7h6v-7h4.5Z",
  "shift-lock": "M12 3.5 5 10.5h4V16h6v-5.5h4Z M9 20h6",
  enter: "M19.5 6v7h-14 M9.5 9l-4 4 4 4",
  "keyboard-hide": "M3 4.5h18v10H3Z M6.5 8h.1 M10 8h.1 M14 8h.1 M17.5 8h.1 M8 11.5h8 M9 18l3 3 3-3",
  chevron: "M9 5.5l6.5 6.5L9 18.5",
  up: "M5.5 15 12 8.5l6.5 6.5",
  down: "M5.5 9l6.5 6.5L18.5 9",
  left: "M15 5.5 8.5 12l6.5 6.5",
  frame: "M4 8V4h4 M16 4h4v4 M20 16v4h-4 M8 20H4v-4 M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  edit: "M4 20l1-4.5L15.5 5 19 8.5 8.5 19Z",
  delete: "M4.5 7h15 M9 7V4.5h6V7 M6.5 7l1 12.5h9l1-12.5 M10.5 10.5V16 M13.5 10.5V16",
  panel: "M6 3h12v18H6Z M10.5 18h3",
  keys: "M5 5h14v14H5Z M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 24 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={size >= 40 ? 1.5 : 1.9}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
