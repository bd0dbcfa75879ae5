// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Generated from the crate roomd-api by `cargo xtask generate`; edit there.

/** Names a person, a meeting or an address: shown, never stored, never logged. */
export type Pii<T> = T;

/**
 * Today's meetings, and how fresh they are.
 */
export type Agenda = { 
/**
 * Bookings that end after now and begin before midnight, and the offered one, by start.
 */
entries: Array<AgendaEntry>, 
/**
 * When the calendar was last read; none before the first time.
 */
readAt: string | null, 
/**
 * The calendar does not answer at the moment; the entries are the last known ones.
 */
stale: boolean, 
/**
 * A calendar is configured at all.
 */
configured: boolean, 
/**
 * Entries that could not be read, for the admin view.
 */
skipped: Array<SkippedEntry>, };

/**
 * One meeting of the agenda.
 */
export type AgendaEntry = { 
/**
 * Which.
 */
id: BookingId, 
/**
 * Its title; none when the privacy setting hides it.
 */
title: Pii<string> | null, 
/**
 * Start.
 */
start: string, 
/**
 * End.
 */
end: string, 
/**
 * All day or several days.
 */
allDay: boolean, 
/**
 * The room's own answer.
 */
attendance: Attendance, 
/**
 * What touching it does.
 */
link: AgendaLink, 
/**
 * What the linter found.
 */
warnings: Array<LinkWarning>, };

/**
 * What touching a meeting of the agenda does.
 */
export type AgendaLink = { "kind": "none" } | { "kind": "joinable", 
/**
 * The platform's id, such as `direct`.
 */
provider: string, } | { "kind": "refused", 
/**
 * The host it names.
 */
host: Pii<string>, 
/**
 * Why.
 */
reason: LinkRefusal, };

/**
 * The room's own participation status (RFC 5545, PARTSTAT).
 */
export type Attendance = "needs-action" | "accepted" | "tentative" | "declined";

/**
 * Names one occurrence of a calendar entry: UID, and the recurrence id of a repeated one.
 */
export type BookingId = string;

/**
 * The call, from the touch of the join button to the end of leaving.
 */
export type Call = { 
/**
 * The meeting's title, when there is one to show.
 */
title: Pii<string> | null, 
/**
 * The platform's id.
 */
provider: string, 
/**
 * The link that guests open, when the room hosts the meeting.
 */
guestUrl: Pii<string> | null, 
/**
 * When the join button was touched.
 */
since: string, 
/**
 * A person pressed the button that sends, or the configuration joins sending.
 */
sending: boolean, 
/**
 * The microphone is on the wire.
 */
microphone: boolean, 
/**
 * The camera is on the wire.
 */
camera: boolean, 
/**
 * What a content input shows is on the wire.
 */
content: boolean, 
/**
 * Loudspeaker volume, 0 to 100.
 */
volume: number, 
/**
 * How the display arranges people and content.
 */
layout: Layout, 
/**
 * The room's hand is raised.
 */
hand: boolean, 
/**
 * End-to-end encryption, as negotiated.
 */
e2ee: E2ee, 
/**
 * The others, in order of arrival.
 */
participants: Array<Participant>, 
/**
 * Who waits to be admitted.
 */
waiting: Array<Participant>, 
/**
 * Who speaks, or spoke last.
 */
speaker: ParticipantId | null, 
/**
 * Whose shared content is shown.
 */
sharer: ParticipantId | null, 
/**
 * The meeting's chat.
 */
chat: Array<ChatMessage>, 
/**
 * The meeting asks for a password; true when the one given was wrong.
 */
passwordWanted: boolean | null, 
/**
 * The call ends by itself unless somebody stays.
 */
countdown: Countdown | null, 
/**
 * The platform can do this: admit, chat, raise hands.
 */
canAdmit: boolean, 
/**
 * See `can_admit`.
 */
canChat: boolean, 
/**
 * See `can_admit`.
 */
canRaiseHand: boolean, 
/**
 * The platform carries what somebody in the room shows.
 */
canShare: boolean, 
/**
 * Media streams and who sends them, for the display.
 */
previews: Array<Preview>, };

/**
 * A camera that the room can show itself with.
 */
export type Camera = { 
/**
 * Its name from the configuration, or what it calls itself.
 */
name: string, 
/**
 * It is plugged in and may be used.
 */
present: boolean, 
/**
 * It is the one in use.
 */
active: boolean, 
/**
 * It can be pointed: pan and tilt.
 */
moves: boolean, 
/**
 * It can be zoomed.
 */
zooms: boolean, 
/**
 * What of its picture can be adjusted; only what it has.
 */
adjusts: Array<CameraAdjusts>, 
/**
 * Its saved positions, in the order in which people see them.
 */
presets: Array<CameraPreset>, };

/**
 * Who sees to a part of a camera's picture.
 */
export type CameraAdjustment = "automatic" | "manual" | "once";

/**
 * What a camera has of a part of its picture.
 */
export type CameraAdjusts = { 
/**
 * Which part.
 */
setting: CameraSetting, 
/**
 * Whether the camera sees to it; none where that is no choice.
 */
automatic: boolean | null, 
/**
 * Whether the camera can see to it once.
 */
once: boolean, 
/**
 * The value when it was read last; an automatic changes it all the time. None where it has none.
 */
value: number | null, 
/**
 * Which values there are; none where it has none.
 */
range: CameraRange | null, };

/**
 * A saved position of a camera.
 */
export type CameraPreset = { 
/**
 * What people call it.
 */
name: string, 
/**
 * A small picture of what it shows, taken when it was saved, as a data URL; none without one.
 */
thumbnail: string | null, };

/**
 * The values of a part of a camera's picture.
 */
export type CameraRange = { 
/**
 * The smallest.
 */
min: number, 
/**
 * The largest.
 */
max: number, 
/**
 * Values lie so far apart.
 */
step: number, 
/**
 * Without anybody's choice.
 */
default: number, };

/**
 * A part of a camera's picture.
 */
export type CameraSetting = "focus" | "exposure" | "white-balance" | "backlight";

/**
 * A line of the meeting's chat; kept in memory until the meeting ends, never on disk.
 */
export type ChatMessage = { 
/**
 * Counts up within the meeting.
 */
id: number, 
/**
 * Who wrote it; none for the room itself.
 */
from: ParticipantId | null, 
/**
 * The writer's name at that time.
 */
name: Pii<string>, 
/**
 * What they wrote; plain text.
 */
text: Pii<string>, 
/**
 * When.
 */
at: string, };

/**
 * A message from a client (WebSocket text, JSON).
 */
export type ClientMessage = { 
/**
 * Chosen by the client; the reply repeats it.
 */
id: number, 
/**
 * What is wanted.
 */
request: Request, };

/**
 * How well a participant is connected.
 */
export type Connection = "connecting" | "good" | "poor" | "lost";

/**
 * An input for what somebody in the room shows: HDMI, or a dongle on the USB. Its picture does not
 * travel here; whoever looks asks for its preview.
 */
export type ContentInput = { 
/**
 * Its name from the configuration, or what it calls itself.
 */
name: string, 
/**
 * How its signal is.
 */
signal: ContentSignal, 
/**
 * Width of its picture, in pixels, where known.
 */
width: number | null, 
/**
 * Height, likewise.
 */
height: number | null, 
/**
 * How its sharing is.
 */
share: ContentShare, 
/**
 * The picture of the moment stands; it is what the others go on seeing.
 */
frozen: boolean, 
/**
 * Which part of the picture is shared.
 */
crop: Crop, };

/**
 * How the sharing of a content input is.
 */
export type ContentShare = "off" | "starting" | "on" | "held" | "paused" | "ended";

/**
 * How the signal of a content input is.
 */
export type ContentSignal = "missing" | "no-signal" | "unstable" | "out-of-range" | "protected" | "ready" | "live" | "no-picture" | "dark";

/**
 * An empty call's end.
 */
export type Countdown = { 
/**
 * When the room leaves.
 */
endsAt: string, };

/**
 * The part of a picture that is shown, in thousandths of its width and height.
 */
export type Crop = { 
/**
 * Left edge.
 */
x: number, 
/**
 * Upper edge.
 */
y: number, 
/**
 * Width.
 */
width: number, 
/**
 * Height.
 */
height: number, };

/**
 * What is attached to the room.
 */
export type Devices = { 
/**
 * What the camera is: a device's name, a file, or a test picture; none when it failed.
 */
camera: string | null, 
/**
 * What the microphone is.
 */
microphone: string | null, 
/**
 * What the loudspeaker is.
 */
loudspeaker: string | null, 
/**
 * What the display is; none when roomd runs headless.
 */
display: string | null, 
/**
 * What the display for content is; none without one.
 */
contentDisplay: string | null, 
/**
 * The camera is a test picture, not a device: the panel says so.
 */
testPicture: boolean, 
/**
 * The display should be on and does not turn on by itself: the panel asks for a hand.
 */
displayAsks: boolean, };

/**
 * End-to-end encryption as negotiated, never as configured.
 */
export type E2ee = "pending" | "verified" | "off";

/**
 * One change; each replaces one part of the [`State`] as a whole.
 */
export type Event = { "event": "state", "value": State } | { "event": "room", "value": Room } | { "event": "agenda", "value": Agenda } | { "event": "call", "value": Call | null } | { "event": "devices", "value": Devices } | { "event": "cameras", "value": Array<Camera> } | { "event": "content", "value": Array<ContentInput> } | { "event": "health", "value": Health } | { "event": "sound-test", "value": SoundTest } | { "event": "pairing", "value": Pairing | null } | { "event": "faults", "value": Array<Fault> } | { "event": "statistics", "value": Statistics } | { "event": "levels", "value": Levels };

/**
 * Something that people or operators should know, as a code that panel and display translate.
 */
export type Fault = { 
/**
 * What it is.
 */
code: FaultCode, 
/**
 * A short technical detail for the admin view, free of personal data; such as a file and line.
 */
detail: string | null, };

/**
 * Every fault the room can show. The panel holds text and remedy for each, in each language.
 */
export type FaultCode = "calendar-unreachable" | "calendar-refused" | "calendar-entries-skipped" | "config-rejected" | "camera-missing" | "microphone-missing" | "loudspeaker-missing" | "display-missing" | "destination-not-allowed" | "platform-unknown" | "meeting-unknown" | "meeting-refused" | "password-required" | "meeting-unreachable" | "connection-lost" | "peer-not-verified" | "guest-dropped" | "media-failed" | "account-unreachable" | "account-refused" | "account-unverified" | "encryption-missing" | "call-not-allowed" | "transport-missing" | "token-refused" | "token-service-down" | "knock-denied" | "link-broken" | "clock-wrong" | "meeting-full" | "removed-from-meeting" | "replaced" | "message-not-sent" | "sending-refused" | "moderation-refused" | "key-unusable" | "participant-unreadable" | "content-lost";

/**
 * How the room's devices are. Panel, D-Bus, figures and the command line all show this.
 */
export type Health = { 
/**
 * 100 when all is well, 0 when the room is of no use.
 */
score: number, 
/**
 * Every device that the room uses or should use.
 */
items: Array<HealthItem>, };

/**
 * How a device is.
 */
export type HealthItem = { 
/**
 * Code for operators, such as `camera-missing`; `camera-ok` for a device that is well.
 */
code: string, 
/**
 * How much it matters; none when it is well.
 */
severity: Severity | null, 
/**
 * Which one, such as `front` or `usb:046d:0857/A1B2@1-1.4:1.0`.
 */
device: string, 
/**
 * What is the matter.
 */
text: Words, 
/**
 * What to do about it; none when there is nothing to do.
 */
remedy: Words | null, 
/**
 * A short technical detail for operators.
 */
detail: string | null, };

/**
 * A language of panel and display.
 */
export type Language = "de" | "en";

/**
 * How the display arranges people and content.
 */
export type Layout = "grid" | "speaker" | "share";

/**
 * Sound levels for meters.
 */
export type Levels = { 
/**
 * The room's microphone, 0 (silence) to 100 (full scale), also while nothing is sent.
 */
microphone: number, 
/**
 * Who speaks, loudest first.
 */
speaking: Array<ParticipantId>, };

/**
 * Why the room will not open a link.
 */
export type LinkRefusal = "unknown-platform" | "not-allowed" | "not-https";

/**
 * What the linter says about a link; advice, never a refusal.
 */
export type LinkWarning = "short-id" | "reused-id" | "password-in-invitation";

/**
 * A code that pairs a tablet with the room.
 */
export type Pairing = { 
/**
 * Six digits; only the display shows them, a remote panel receives none.
 */
code: Pii<string> | null, 
/**
 * The address to open on the tablet.
 */
url: Pii<string>, 
/**
 * When it expires.
 */
expiresAt: string, };

/**
 * Someone in the meeting, or waiting to be admitted.
 */
export type Participant = { 
/**
 * Who, within this meeting.
 */
id: ParticipantId, 
/**
 * The name they gave.
 */
name: Pii<string>, 
/**
 * Their microphone is on.
 */
microphone: boolean, 
/**
 * Their camera is on.
 */
camera: boolean, 
/**
 * They share a window or a tab.
 */
sharing: boolean, 
/**
 * They raised a hand.
 */
hand: boolean, 
/**
 * The emoji that they show for a few seconds.
 */
reaction: Pii<string> | null, 
/**
 * They speak now.
 */
speaking: boolean, 
/**
 * How well they are connected.
 */
connection: Connection, 
/**
 * End-to-end encryption with them, as negotiated.
 */
e2ee: E2ee, };

/**
 * Names a participant within one meeting; random, says nothing about the person.
 */
export type ParticipantId = string;

/**
 * One connection, measured.
 */
export type PeerStats = { 
/**
 * Whose, when known.
 */
participant: ParticipantId | null, 
/**
 * Round trip, in milliseconds.
 */
rttMs: number | null, 
/**
 * Lost of what they sent, in per cent.
 */
lossPercent: number | null, 
/**
 * Received, in kbit/s.
 */
receivedKbps: number | null, 
/**
 * Sent, in kbit/s.
 */
sentKbps: number | null, 
/**
 * Addresses at TURN servers that relay now.
 */
relays: number, 
/**
 * How often a TURN server was of no use, or was lost.
 */
relayFailures: number, 
/**
 * Why, the last time: a code such as `turn_credentials_refused`.
 */
relayFailure: string | null, };

/**
 * What the room is doing; the states of the room machine.
 */
export type Phase = { "phase": "idle" } | { "phase": "offered", 
/**
 * The booking that the join button joins.
 */
booking: BookingId, } | { "phase": "joining" } | { "phase": "lobby" } | { "phase": "in-call" } | { "phase": "reconnecting", 
/**
 * The attempt under way, from 1.
 */
attempt: number, } | { "phase": "leaving" } | { "phase": "fault", 
/**
 * What failed.
 */
code: FaultCode, };

/**
 * A received stream and who sends it.
 */
export type Preview = { 
/**
 * The stream.
 */
stream: StreamId, 
/**
 * Who sends it.
 */
participant: ParticipantId, 
/**
 * What it carries.
 */
kind: StreamKind, 
/**
 * It delivers.
 */
live: boolean, 
/**
 * What is the matter with it.
 */
trouble: StreamTrouble | null, };

/**
 * What the room leaves out because its processor is too slow for all of it. Each goes with those
 * before it.
 */
export type QualityLimit = "cpu-without-1080p" | "cpu-without-720p" | "cpu-without-360p" | "cpu-fewer-pictures" | "cpu-slower-display";

/**
 * Why a request was refused.
 */
export type Refusal = "not-now" | "unknown" | "bad-link" | "destination-not-allowed" | "platform-unknown" | "bad-request" | "busy" | "calendar-read-only" | "not-invited" | "calendar-conflict" | "calendar-refused" | "calendar-unreachable" | "pairing-locked" | "camera-unknown" | "camera-refused" | "camera-cannot" | "camera-value" | "preset-unknown" | "preset-name" | "presets-full" | "content-unknown" | "content-no-picture" | "content-protected" | "in-call" | "sound-test-runs" | "microphone-muted" | "microphone-missing" | "loudspeaker-missing";

/**
 * The answer to a [`Request`].
 */
export type Reply = { "reply": "accepted" } | { "reply": "refused", 
/**
 * Why.
 */
refusal: Refusal, };

/**
 * What a person at the panel, or an operator, wants.
 */
export type Request = { "request": "join-booking", 
/**
 * Which.
 */
booking: BookingId, } | { "request": "join-link", 
/**
 * The link; must lead to an allowed destination.
 */
url: Pii<string>, } | { "request": "start-meeting", 
/**
 * Guests must know it, if given.
 */
password: Secret | null, } | { "request": "leave" } | { "request": "start-sending" } | { "request": "microphone", 
/**
 * On.
 */
on: boolean, } | { "request": "camera", 
/**
 * On.
 */
on: boolean, } | { "request": "volume", 
/**
 * 0 to 100.
 */
percent: number, } | { "request": "layout", 
/**
 * How.
 */
layout: Layout, } | { "request": "admit", 
/**
 * Who.
 */
participant: ParticipantId, } | { "request": "deny", 
/**
 * Who.
 */
participant: ParticipantId, } | { "request": "remove", 
/**
 * Who.
 */
participant: ParticipantId, } | { "request": "hand", 
/**
 * Raised.
 */
raised: boolean, } | { "request": "chat", 
/**
 * Plain text, at most 2000 characters.
 */
text: Pii<string>, } | { "request": "password", 
/**
 * The password.
 */
password: Secret, } | { "request": "stay" } | { "request": "attendance", 
/**
 * Which.
 */
booking: BookingId, 
/**
 * Accept; otherwise decline.
 */
accept: boolean, } | { "request": "language", 
/**
 * To.
 */
language: Language, } | { "request": "show-pairing-code" } | { "request": "select-camera", 
/**
 * Its name.
 */
camera: string, } | { "request": "move-camera", 
/**
 * Its name.
 */
camera: string, 
/**
 * Steps to the right; to the left when negative.
 */
pan: number, 
/**
 * Steps up; down when negative.
 */
tilt: number, 
/**
 * Steps closer; away when negative.
 */
zoom: number, } | { "request": "adjust-camera", 
/**
 * Its name.
 */
camera: string, 
/**
 * Which part.
 */
setting: CameraSetting, 
/**
 * Who sees to it.
 */
to: CameraAdjustment, } | { "request": "set-camera-value", 
/**
 * Its name.
 */
camera: string, 
/**
 * Which part.
 */
setting: CameraSetting, 
/**
 * Within the range that the camera names; the closest step below is taken.
 */
value: number, } | { "request": "recall-preset", 
/**
 * The camera's name.
 */
camera: string, 
/**
 * The preset's name, or its number counted from 1.
 */
preset: string, } | { "request": "save-preset", 
/**
 * The camera's name.
 */
camera: string, 
/**
 * 1 to 40 characters.
 */
preset: string, } | { "request": "delete-preset", 
/**
 * The camera's name.
 */
camera: string, 
/**
 * The preset's name.
 */
preset: string, } | { "request": "share-content", 
/**
 * The input's name.
 */
input: string, } | { "request": "stop-content" } | { "request": "freeze-content", 
/**
 * Stands.
 */
frozen: boolean, } | { "request": "crop-content", 
/**
 * The input's name.
 */
input: string, 
/**
 * Which part.
 */
crop: Crop, } | { "request": "display-is-on" } | { "request": "start-sound-test" } | { "request": "stop-sound-test" } | { "request": "start-self-hear" } | { "request": "stop-self-hear" } | { "request": "acknowledge", 
/**
 * Which.
 */
code: FaultCode, };

/**
 * The room itself.
 */
export type Room = { 
/**
 * Its name, as on the door.
 */
name: string, 
/**
 * What it is doing.
 */
phase: Phase, 
/**
 * The language of panel and display.
 */
language: Language, 
/**
 * IANA name of the room's time zone, such as `Europe/Berlin`.
 */
timeZone: string, 
/**
 * The room can host direct meetings.
 */
hostsMeetings: boolean, 
/**
 * The room joins already sending, against the default; the panel says so.
 */
joinsSending: boolean, 
/**
 * roomd's version.
 */
version: string, 
/**
 * Whom to ask, from the configuration; such as a telephone number.
 */
support: string | null, };

/**
 * A password, token or key. Prints as `[secret]` and is wiped from memory when dropped.
 */
export type Secret = string;

/**
 * Somebody in the room speaks, then hears what the far side would have got of it.
 */
export type SelfHear = { 
/**
 * What happens now.
 */
phase: SelfHearPhase, 
/**
 * When that ends; none while the microphone opens.
 */
endsAt: string | null, };

/**
 * What happens while somebody hears themself.
 */
export type SelfHearPhase = "starting" | "speaking" | "listening";

/**
 * One encoding that the room sends, to however many connections; rates over the last second.
 */
export type SentStats = { 
/**
 * What it carries.
 */
kind: StreamKind, 
/**
 * Pictures, or packets of sound, a second.
 */
fps: number, 
/**
 * Encoded media, in kbit/s.
 */
kbps: number, 
/**
 * What its encoder aims at, in kbit/s; none for sound.
 */
targetKbps: number | null, 
/**
 * Width of its pictures, in pixels; none for sound.
 */
width: number | null, 
/**
 * Height, likewise.
 */
height: number | null, };

/**
 * A message to a client (WebSocket text, JSON).
 */
export type ServerMessage = { "message": "event", 
/**
 * What.
 */
event: Event, } | { "message": "reply", 
/**
 * The request's id.
 */
id: number, 
/**
 * The answer.
 */
reply: Reply, };

/**
 * How much a fault matters.
 */
export type Severity = "notice" | "warning" | "error";

/**
 * Why a calendar entry was left out.
 */
export type SkipCause = "too-large" | "too-many" | "not-closed" | "not-calendar" | "no-uid" | "no-start" | "bad-time" | "ends-before-start" | "unknown-zone" | "bad-rule";

/**
 * A calendar entry that could not be read.
 */
export type SkippedEntry = { 
/**
 * Its UID, or its place in the file.
 */
uid: string, 
/**
 * What is wrong with it.
 */
cause: SkipCause, };

/**
 * What was done to received sound so that it is heard without a gap and no later than it has to
 * be, all streams together, in milliseconds.
 */
export type SoundStats = { 
/**
 * Put in unheard, by repeating what was like it.
 */
stretchedMs: number, 
/**
 * Taken out unheard.
 */
compressedMs: number, 
/**
 * Left out at once, as too much had come.
 */
skippedMs: number, 
/**
 * Time in which sound was due that came later.
 */
missingMs: number, };

/**
 * The sound test: does the microphone hear the loudspeaker, how late, how loud, and what becomes of
 * the echo.
 */
export type SoundTest = { 
/**
 * How much of the running test is done, 0 to 100; none while none runs.
 */
progress: number | null, 
/**
 * What the last one found; none before the first.
 */
result: SoundTestResult | null, 
/**
 * Somebody hears themself as the far side would; none while nobody does.
 */
selfHear: SelfHear | null, 
/**
 * What was missing when somebody last wanted to; none when they heard themself, or ended it.
 */
selfHearFailed: Refusal | null, };

/**
 * A problem or a figure of a sound test.
 */
export type SoundTestLine = { 
/**
 * Code for operators, such as `self-test-delay`.
 */
code: string, 
/**
 * How much it matters; none when it is as it should be.
 */
severity: Severity | null, 
/**
 * What was found.
 */
text: Words, 
/**
 * What to do about it; none when there is nothing to do.
 */
remedy: Words | null, };

/**
 * What a sound test found.
 */
export type SoundTestResult = { 
/**
 * When it was done.
 */
at: string, 
/**
 * The microphone that heard; none where the room does not choose it.
 */
microphone: string | null, 
/**
 * The loudspeaker that played; none where the room does not choose it.
 */
loudspeaker: string | null, 
/**
 * How much the worst line matters; none when all is well.
 */
severity: Severity | null, 
/**
 * Problems first, then figures.
 */
lines: Array<SoundTestLine>, };

/**
 * Everything a panel shows.
 */
export type State = { 
/**
 * The room itself.
 */
room: Room, 
/**
 * Today's meetings.
 */
agenda: Agenda, 
/**
 * The call; none while idle or offered.
 */
call: Call | null, 
/**
 * What is attached.
 */
devices: Devices, 
/**
 * The cameras to choose from.
 */
cameras: Array<Camera>, 
/**
 * The inputs for content, to preview and to share.
 */
content: Array<ContentInput>, 
/**
 * How the devices are.
 */
health: Health, 
/**
 * The sound test.
 */
soundTest: SoundTest, 
/**
 * The pairing code that the display shows, or none.
 */
pairing: Pairing | null, 
/**
 * What is wrong, worst first.
 */
faults: Array<Fault>, 
/**
 * What was measured.
 */
statistics: Statistics, };

/**
 * What was measured; null where it could not be.
 */
export type Statistics = { 
/**
 * Touch of the join button until media flows both ways, in milliseconds.
 */
joinMs: number | null, 
/**
 * Touch of the join button until the first remote picture was decoded, in milliseconds.
 */
firstRemoteFrameMs: number | null, 
/**
 * Pictures a second that the room sends.
 */
fpsSent: number | null, 
/**
 * Pictures a second received, the best stream.
 */
fpsReceived: number | null, 
/**
 * Picture minus sound of the same participant at playout, in milliseconds; positive is
 * picture late.
 */
avOffsetMs: number | null, 
/**
 * roomd's use of one core, in per cent.
 */
cpuPercent: number | null, 
/**
 * roomd's resident memory, in MB (10^6 bytes).
 */
rssMb: number | null, 
/**
 * roomd's threads.
 */
threads: number | null, 
/**
 * roomd's open file descriptors.
 */
descriptors: number | null, 
/**
 * Signalling messages that did not parse, since start.
 */
badMessages: number, 
/**
 * Times that a picture stood still for more than half a second, in this call.
 */
freezes: number, 
/**
 * What was done to received sound, in this call.
 */
sound: SoundStats, 
/**
 * Per connection.
 */
peers: Array<PeerStats>, 
/**
 * Per received stream.
 */
streams: Array<StreamStats>, 
/**
 * Per encoding that the room sends.
 */
sent: Array<SentStats>, 
/**
 * What the room leaves out of its picture because its processor is too slow.
 */
qualityLimit: QualityLimit | null, 
/**
 * Echo cancellation; none while it does nothing.
 */
voice: VoiceStats | null, };

/**
 * Names one media stream that the room receives; unique within the daemon's life.
 */
export type StreamId = number;

/**
 * What a stream carries.
 */
export type StreamKind = "audio" | "camera" | "screen";

/**
 * One received stream, measured: rates over the last second, counts since it began.
 */
export type StreamStats = { 
/**
 * Which.
 */
stream: StreamId, 
/**
 * What it carries.
 */
kind: StreamKind, 
/**
 * Decoded pictures, or packets of sound, a second.
 */
fps: number, 
/**
 * Encoded media, in kbit/s.
 */
kbps: number, 
/**
 * Width of its pictures, in pixels; none for sound, and before the first one.
 */
width: number | null, 
/**
 * Height, likewise.
 */
height: number | null, 
/**
 * Interarrival jitter, in milliseconds (RFC 3550, section 6.4.1).
 */
jitterMs: number, 
/**
 * How long it waits to be played, in milliseconds, lip-sync included.
 */
delayMs: number, 
/**
 * Picture minus sound of its participant at playout, in milliseconds; none where there are not
 * both, and for shared content.
 */
avOffsetMs: number | null, 
/**
 * Packets of sound missing when they were due; gaps in a picture's frames.
 */
lost: number, 
/**
 * Times that its picture stood still for more than half a second.
 */
freezes: number, };

/**
 * Why nothing of a stream is shown or heard at the moment.
 */
export type StreamTrouble = "stalled" | "undecodable" | "undecryptable";

/**
 * Echo cancellation, measured.
 */
export type VoiceStats = { 
/**
 * From a sound's way out of the mixer until the microphone has its echo, in milliseconds.
 */
delayMs: number, 
/**
 * Echo return loss enhancement of the adaptive filter, in decibels.
 */
erleDb: number, 
/**
 * How much faster the loudspeaker's clock runs than the microphone's, in parts of a million.
 */
driftPpm: number, };

/**
 * A sentence in each language of the room.
 */
export type Words = { 
/**
 * German.
 */
de: string, 
/**
 * English.
 */
en: string, };
