// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { Catalogue } from "../../i18n/catalogue";
import type { de } from "./de";

export const en: Catalogue<typeof de> = {
  title: "Meeting",
  titleIn: (room) => `Meeting with ${room}`,
  language: "Language",
  appearance: "Appearance",
  light: "Light",
  dark: "Dark",
  german: "Deutsch",
  english: "English",
  settings: "Settings",
  close: "Close",
  you: "You",
  yourName: "Your name",
  nameHint: "This is how others see you.",
  nameMissing: "Please enter your name.",
  join: "Join",
  prejoin: {
    heading: "Ready for the meeting?",
    nothingSent: "Nothing is sent yet. Picture and sound leave this device only once you join.",
    preview: "Your preview",
    cameraOff: "Camera is off",
    level: "Microphone level",
  },
  device: {
    microphone: "Microphone",
    camera: "Camera",
    both: "Camera and microphone",
    speaker: "Speaker",
    standard: "Default",
    microphoneOn: "Turn microphone off",
    microphoneOff: "Turn microphone on",
    cameraOn: "Turn camera off",
    cameraOff: "Turn camera on",
  },
  deviceError: {
    denied: (device) =>
      `${device}: no access. Allow it in the browser's address bar. You can join without it.`,
    missing: (device) => `${device}: not found. You can join without it.`,
    busy: (device) => `${device}: in use by another program. You can join without it.`,
    insecure: (device) => `${device}: only available over a secure connection (https).`,
  },
  connecting: { heading: "Connecting", text: "One moment please." },
  waiting: {
    notStarted: {
      heading: "The meeting has not started yet",
      text: "You go on as soon as the room opens the meeting. Keep this page open.",
    },
    lobby: {
      heading: "You are in the lobby",
      text: "Somebody in the room will let you in shortly. Keep this page open.",
    },
    full: {
      heading: "The meeting is full",
      text: "All places are taken. You move up as soon as one becomes free.",
    },
    cancel: "Stop waiting",
  },
  password: {
    heading: "This meeting has a password",
    text: "You find it in the invitation, or the person who invited you knows it.",
    label: "Password",
    wrong: "The password is not right. Please try again.",
    missing: "Please enter the password.",
    submit: "Continue",
    show: "Show password",
  },
  meeting: {
    share: "Share a window or tab",
    stopShare: "Stop sharing",
    youShare: "You are sharing a window or tab.",
    hand: "Raise hand",
    handDown: "Lower hand",
    chat: "Chat",
    chatUnread: (count) => (count === 1 ? "Chat, 1 new message" : `Chat, ${count} new messages`),
    people: "People",
    peopleCount: (count) => (count === 1 ? "1 person" : `${count} people`),
    leave: "Leave",
    controls: "Controls",
    tiles: "Participants",
    muted: "Microphone off",
    noCamera: "Camera off",
    sharing: "sharing content",
    handRaised: "Hand raised",
    speaking: "speaking",
    connecting: "connecting …",
    interrupted: "connection interrupted",
    room: "Room",
    sharedBy: (name) => `${name} is sharing`,
    encrypted: "End-to-end encrypted",
    encryptedText:
      "Picture and sound go straight from device to device. Every connection stands, and its certificate is verified.",
    securing: "Securing connections",
    securingText: "Not every connection stands yet. Until then, encryption does not count as verified.",
    offline: "Connection to the room interrupted. It is being restored.",
  },
  shareError: {
    "whole-screen":
      "The whole screen is not shared, because it shows more than you mean to. Choose a window or a tab.",
    failed: "Sharing did not work. Try another window.",
  },
  chat: {
    empty: "No messages yet.",
    forgotten: "Messages are not stored anywhere.",
    placeholder: "Message to everyone",
    send: "Send",
  },
  over: {
    left: { heading: "You left the meeting", text: "Camera and microphone are off." },
    ended: {
      heading: "The meeting has ended",
      text: "Camera and microphone are off. You can close this page.",
    },
    lost: {
      heading: "The room cannot be reached",
      text: "Check this device's network connection and try again.",
    },
    "unknown-meeting": {
      heading: "There is no such meeting",
      text: "Compare the address with the invitation, or ask the person who invited you.",
    },
    denied: {
      heading: "You were not let in",
      text: "If that was a mistake, contact the person who invited you.",
    },
    removed: {
      heading: "You were removed from the meeting",
      text: "If that was a mistake, contact the person who invited you.",
    },
    "too-many": {
      heading: "Too many attempts",
      text: "Wait a few minutes, then try again.",
    },
    "too-slow": {
      heading: "The time is up",
      text: "The room waited too long for your entry. Try again.",
    },
    "bad-message": {
      heading: "The connection was closed",
      text: "The room did not understand this page. Reload the page.",
    },
    version: {
      heading: "This page is out of date",
      text: "Reload the page to go on.",
    },
    again: "Join again",
    retry: "Try again",
    reload: "Reload page",
  },
  say: {
    joined: "You are in the meeting.",
    offline: "Connection interrupted.",
    online: "Connection restored.",
    came: (name) => `${name} has joined.`,
    went: (name) => `${name} has left.`,
    hand: (name) => `${name} raised a hand.`,
    shares: (name) => `${name} is sharing content.`,
    wrote: (name) => `Message from ${name}.`,
  },
};
