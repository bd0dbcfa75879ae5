// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { FaultCode } from "../../api/types";
import type { Explained } from "../catalogue";

export const faults: Record<FaultCode, Explained> = {
  "calendar-unreachable": {
    title: "Calendar not reachable",
    remedy: "The last known schedule stands. Joining still works.",
  },
  "calendar-refused": {
    title: "Calendar refuses the room",
    remedy: "Ask support to check the room's calendar account.",
  },
  "calendar-entries-skipped": {
    title: "Some entries cannot be read",
    remedy: "The other meetings are right. See “Diagnosis” for details.",
  },
  "config-rejected": {
    title: "New settings are faulty",
    remedy: "The room carries on with the last valid settings.",
  },
  "camera-missing": {
    title: "No picture from the camera",
    remedy: "Check the camera's cable. Sound works without it.",
  },
  "microphone-missing": {
    title: "No sound from the microphone",
    remedy: "Check the microphone's cable and mute button.",
  },
  "loudspeaker-missing": {
    title: "No loudspeaker",
    remedy: "Check the cable and that the loudspeaker is switched on.",
  },
  "display-missing": {
    title: "The room's display is dark",
    remedy: "Switch the display on and check its cable.",
  },
  "destination-not-allowed": {
    title: "Destination not allowed",
    remedy: "The room only opens approved services. Ask support to approve it.",
  },
  "platform-unknown": {
    title: "Unknown conference service",
    remedy: "This room cannot join that service. Ask for another link.",
  },
  "meeting-unknown": {
    title: "Meeting not found",
    remedy: "The link has expired or is incomplete. Ask for a new one.",
  },
  "meeting-refused": {
    title: "Not let into the meeting",
    remedy: "The host did not admit the room. Please contact the host.",
  },
  "password-required": {
    title: "Password needed",
    remedy: "Ask the host for the password and join again.",
  },
  "meeting-unreachable": {
    title: "Meeting not reachable",
    remedy: "The server does not answer. Try again in a minute.",
  },
  "connection-lost": {
    title: "Connection lost",
    remedy: "The meeting could not be reached any more. Join again.",
  },
  "peer-not-verified": {
    title: "Participant not verified",
    remedy: "Their certificate does not match. No picture or sound is exchanged.",
  },
  "guest-dropped": {
    title: "Participant disconnected",
    remedy: "Their data was faulty. They can join again.",
  },
  "media-failed": {
    title: "Picture and sound restarted",
    remedy: "It carries on in a moment. If it happens again, call support.",
  },
  "account-unreachable": {
    title: "Conference account not reachable",
    remedy: "Its server does not answer. The room keeps trying by itself.",
  },
  "account-refused": {
    title: "Conference account is not accepted",
    remedy: "Ask support to check the sign-in and verification of the room's account.",
  },
  "account-unverified": {
    title: "Room account is not verified",
    remedy: "Others see a warning about this room. Support can provide the recovery key.",
  },
  "encryption-missing": {
    title: "Meeting is not end-to-end encrypted",
    remedy: "The room only joins encrypted ones. Ask the host for an encrypted meeting.",
  },
  "call-not-allowed": {
    title: "Calls are not allowed there",
    remedy: "Members may not join calls there. The host can change that.",
  },
  "transport-missing": {
    title: "No conference server",
    remedy: "The server of the room's account names none. Call support.",
  },
  "token-refused": {
    title: "Conference server refuses the room",
    remedy: "It gives the room's account no access. Call support.",
  },
  "token-service-down": {
    title: "No access to the conference server",
    remedy: "The service that lets the room in does not answer. Try again in a few minutes.",
  },
  "knock-denied": {
    title: "Nobody let the room in",
    remedy: "The people in the meeting turned it away. Please contact them.",
  },
  "link-broken": {
    title: "Link is incomplete",
    remedy: "It names no meeting. Ask for the complete link.",
  },
  "clock-wrong": {
    title: "The device's clock is wrong",
    remedy: "Support must check the device's time settings.",
  },
  "meeting-full": {
    title: "Meeting is full",
    remedy: "When somebody leaves the meeting, the room can join again.",
  },
  "removed-from-meeting": {
    title: "Removed from the meeting",
    remedy: "Somebody removed the room. Please contact the host.",
  },
  replaced: {
    title: "The room's account joined elsewhere",
    remedy: "Another device uses the account. Call support.",
  },
  "message-not-sent": {
    title: "Message not sent",
    remedy: "The meeting did not take it. Please send it again.",
  },
  "sending-refused": {
    title: "Picture or sound is not taken",
    remedy: "The host can allow the room to send.",
  },
  "moderation-refused": {
    title: "The room may not do this here",
    remedy: "Whoever manages the meeting can allow the room to.",
  },
  "key-unusable": {
    title: "Somebody’s key does not fit",
    remedy: "Whose picture is missing should join again.",
  },
  "participant-unreadable": {
    title: "Somebody cannot be seen here",
    remedy: "Their application is too new or too old for the room.",
  },
  "content-lost": {
    title: "No signal from the laptop",
    remedy: "Check cable and laptop. If the signal is not back at once, share again.",
  },
};
