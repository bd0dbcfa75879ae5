// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Catalogue } from "../catalogue";
import type { content as de } from "./de";

export const content: Catalogue<typeof de> = {
  title: "Share content",
  choose: "Choose an input",
  connected: "Connected",
  opening: "Getting the picture …",
  preview: (name) => `Preview: what is connected to “${name}”`,
  hint: "The others see nothing until you press Share.",
  start: "Share",
  stop: "Stop sharing",
  freeze: "Freeze picture",
  unfreeze: "Let picture move",
  frozen: "Shared: a still picture",
  crop: "Choose a part",
  cropAgain: "Change the part",
  cropHint: "Draw a frame on the picture. The others see only what is inside.",
  cropDone: "Done",
  whole: "Whole picture",
  leftHalf: "Left half",
  rightHalf: "Right half",
  lost: "No signal from the laptop",
  lostHint: {
    held: "The others still see the last picture. Check cable and laptop.",
    paused: "The others see nothing any more. If the signal is back at once, it goes on.",
    ended: "Sharing has ended. When the signal is back, press Share again.",
  },
  buttonFrozen: "Still picture",
  button: {
    off: "Share",
    starting: "Starting …",
    on: "Sharing",
    held: "No signal",
    paused: "No signal",
    ended: "Share",
  },
  share: {
    off: "Only you see this picture",
    starting: "Sharing begins …",
    on: "The others see this picture",
    held: "The others see the last picture",
    paused: "The others see nothing",
    ended: "No longer shared",
  },
  signal: {
    missing: {
      title: "The input is not plugged in",
      remedy: "Check the cable between adapter and room system.",
    },
    "no-signal": {
      title: "No signal",
      remedy: "Plug the cable into the laptop, and turn it on.",
    },
    unstable: {
      title: "Looking for the signal …",
      remedy: "If it stays like this, plug the cable in again or take another one.",
    },
    "out-of-range": {
      title: "This resolution does not work",
      remedy: "Set the laptop to 1920×1080 at 60 Hz.",
    },
    protected: {
      title: "The picture is copy-protected (HDCP)",
      remedy: "Close the protected content, or turn HDCP off at the laptop.",
    },
    ready: { title: "Connected", remedy: "" },
    live: { title: "The picture is there", remedy: "" },
    "no-picture": {
      title: "No picture comes",
      remedy: "Wake the laptop, and check that it sends to the cable.",
    },
    dark: {
      title: "The picture has one colour only",
      remedy: "It may be copy-protected (HDCP), or the laptop sleeps. Open something else, or wake it.",
    },
  },
};
