// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Refusal } from "../../api/types";
import type { Explained } from "../catalogue";

export const refusals: Record<Refusal, Explained> = {
  "calendar-read-only": {
    title: "This calendar takes no answers",
    remedy: "Accept or decline with the organiser yourself.",
  },
  "not-invited": {
    title: "The room is not invited to this meeting",
    remedy: "Ask the organiser to invite the room.",
  },
  "calendar-conflict": {
    title: "The meeting was changed just now",
    remedy: "Look at it again, then answer.",
  },
  "calendar-refused": {
    title: "The calendar does not take the answer",
    remedy: "The room's account may not do this. Call support.",
  },
  "calendar-unreachable": {
    title: "The calendar does not answer",
    remedy: "Try again in a few minutes.",
  },
  "pairing-locked": {
    title: "Pairing is locked at the moment",
    remedy: "There were too many wrong codes. Wait a few minutes.",
  },
  "content-unknown": {
    title: "This input is not plugged in",
    remedy: "Check the input's cable, or choose another one.",
  },
  "content-no-picture": {
    title: "No picture to share",
    remedy: "Check cable and laptop, then try again.",
  },
  "content-protected": {
    title: "The picture is copy-protected (HDCP)",
    remedy: "Close the protected content, or turn HDCP off at the laptop.",
  },
  "camera-unknown": {
    title: "This camera is not plugged in",
    remedy: "Check the camera's cable, or choose another camera.",
  },
  "camera-refused": {
    title: "The camera does not follow",
    remedy: "It cannot do this, or has reached its end. Try another direction.",
  },
  "camera-cannot": {
    title: "The camera cannot do this",
    remedy: "It sees to that by itself, or not at all.",
  },
  "camera-value": {
    title: "The camera does not have this value",
    remedy: "Choose another one.",
  },
  "preset-unknown": {
    title: "This position is no longer there",
    remedy: "The panel will be up to date in a moment.",
  },
  "preset-name": {
    title: "This name will not do",
    remedy: "The name of a position has 1 to 40 characters.",
  },
  "presets-full": {
    title: "The camera remembers no further positions",
    remedy: "First delete one that nobody needs any more.",
  },
  "in-call": {
    title: "Not possible during a meeting",
    remedy: "Leave the meeting first.",
  },
  "sound-test-runs": {
    title: "The sound test is running",
    remedy: "Wait until it is done, or stop it.",
  },
  "microphone-muted": {
    title: "The microphone is muted at the device",
    remedy: "Press its mute key, then try again.",
  },
  "microphone-missing": {
    title: "No microphone is plugged in",
    remedy: "Check the cable of the microphone.",
  },
  "loudspeaker-missing": {
    title: "No loudspeaker is plugged in",
    remedy: "Check cable and power of the loudspeaker.",
  },
  "not-now": { title: "Not possible right now", remedy: "The room is in another state." },
  unknown: { title: "No longer there", remedy: "The panel will be up to date in a moment." },
  "bad-link": { title: "That is not a link", remedy: "Check the address and try again." },
  "destination-not-allowed": {
    title: "Destination not allowed",
    remedy: "The room only opens approved services. Ask support to approve it.",
  },
  "platform-unknown": {
    title: "Unknown conference service",
    remedy: "This room cannot join that service.",
  },
  "bad-request": { title: "Not understood", remedy: "The input is too long or not valid." },
  busy: { title: "The room is busy", remedy: "Try again in a moment." },
};
