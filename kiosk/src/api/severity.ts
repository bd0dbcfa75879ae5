// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { FaultCode } from "./types";

export type Severity = "notice" | "warning" | "error";

/** How much a fault matters; as `FaultCode::severity` of the crate. */
export const SEVERITY: Record<FaultCode, Severity> = {
  "calendar-entries-skipped": "notice",
  "config-rejected": "notice",
  "guest-dropped": "notice",
  "calendar-unreachable": "warning",
  "calendar-refused": "warning",
  "camera-missing": "warning",
  "microphone-missing": "warning",
  "loudspeaker-missing": "warning",
  "display-missing": "warning",
  "peer-not-verified": "warning",
  "media-failed": "warning",
  "destination-not-allowed": "error",
  "platform-unknown": "error",
  "meeting-unknown": "error",
  "meeting-refused": "error",
  "password-required": "error",
  "meeting-unreachable": "error",
  "connection-lost": "error",
};
