// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// The connection to the room: session, WebSocket, reconnection. What it knows are the room's own
// events; nothing is kept beyond the next one.
import { signal, type ReadonlySignal } from "@preact/signals";
import { apply } from "./api/apply";
import type { ClientMessage, Levels, Reply, Request, ServerMessage, State } from "./api/types";

/** How the page stands with the room. */
export type Link = "connecting" | "unpaired" | "online";

/** What came of a pairing code. */
export type PairResult =
  | { readonly kind: "paired" }
  | { readonly kind: "wrong"; readonly triesLeft: number }
  | { readonly kind: "locked"; readonly retryAfterSeconds: number }
  | { readonly kind: "expired" }
  | { readonly kind: "failed" };

/** What came of the wish to see a code. */
export type ShowResult =
  | { readonly kind: "shown" }
  | Extract<PairResult, { kind: "locked" | "failed" }>;

export interface Room {
  readonly link: ReadonlySignal<Link>;
  readonly state: ReadonlySignal<State | null>;
  readonly levels: ReadonlySignal<Levels>;
  /** Whether this page runs on the device's own screen, which has no keys. */
  readonly wired: ReadonlySignal<boolean>;
  request(request: Request): Promise<Reply>;
  /** What a content input shows now; null when it shows nothing. */
  preview(input: string): Promise<Blob | null | "busy">;
  pair(code: string): Promise<PairResult>;
  /** Makes the room's display show a fresh pairing code. */
  showCode(): Promise<ShowResult>;
}

const SILENCE: Levels = { microphone: 0, speaking: [] };
const BUSY: Reply = { reply: "refused", refusal: "busy" };
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 8_000;
const REPLY_TIMEOUT_MS = 10_000;
const PROBE_EVERY_MS = 15_000;
const PROBE_TIMEOUT_MS = 5_000;

/** Connects to the room that served this page, and stays connected. */
export function connectRoom(): Room {
  const link = signal<Link>("connecting");
  const state = signal<State | null>(null);
  const levels = signal<Levels>(SILENCE);
  const wired = signal(false);
  const pending = new Map<number, (reply: Reply) => void>();
  let socket: WebSocket | null = null;
  let nextId = 1;
  let delay = FIRST_DELAY_MS;

  function receive(text: string): void {
    const message = parse(text);
    if (!message) return;
    if (message.message === "reply") {
      pending.get(message.id)?.(message.reply);
      pending.delete(message.id);
      return;
    }
    if (message.event.event === "levels") {
      levels.value = message.event.value;
      return;
    }
    state.value = apply(state.value, message.event);
    if (message.event.event === "state") {
      link.value = "online";
      delay = FIRST_DELAY_MS;
    }
  }

  function retry(): void {
    setTimeout(() => void start(), delay * (0.8 + Math.random() * 0.4));
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
  }

  function open(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const opened = new WebSocket(`${scheme}://${location.host}/api/panel`);
    socket = opened;
    opened.addEventListener("message", ({ data }) => receive(String(data)));
    opened.addEventListener("close", () => {
      if (socket === opened) lost();
    });
  }

  function lost(): void {
    socket = null;
    link.value = "connecting";
    levels.value = SILENCE;
    for (const answer of pending.values()) answer(BUSY);
    pending.clear();
    retry();
  }

  async function start(): Promise<void> {
    const { status, local } = await session();
    if (status === 200) {
      wired.value = local;
      open();
    } else if (status === 401) {
      link.value = "unpaired";
      state.value = null;
    } else retry();
  }

  // A cable that was pulled closes no socket; the probe notices within seconds.
  setInterval(() => {
    const probed = socket;
    if (!probed) return;
    void session().then(({ status }) => {
      if (status === 200 || socket !== probed) return;
      probed.close();
      lost();
    });
  }, PROBE_EVERY_MS);
  addEventListener("online", () => {
    delay = FIRST_DELAY_MS;
  });
  void redeemAddress().then(start);

  return {
    link,
    state,
    levels,
    wired,
    request(request) {
      if (!socket || socket.readyState !== WebSocket.OPEN) return Promise.resolve(BUSY);
      const id = nextId++;
      const message: ClientMessage = { id, request };
      socket.send(JSON.stringify(message));
      return new Promise((resolve) => {
        pending.set(id, resolve);
        setTimeout(() => {
          if (pending.delete(id)) resolve(BUSY);
        }, REPLY_TIMEOUT_MS);
      });
    },
    preview,
    async pair(code) {
      const result = await pair(code);
      if (result.kind === "paired") {
        link.value = "connecting";
        void start();
      }
      return result;
    },
    showCode,
  };
}

/**
 * Turns what the address carries into a session, and takes it off: a wired panel's token, or the
 * code that a tablet scanned from the display.
 */
async function redeemAddress(): Promise<void> {
  const carried = new URLSearchParams(location.hash.slice(1));
  const [token, code] = [carried.get("token"), carried.get("code")];
  if (!token && !code) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (token) await post("/api/session", { token });
  else await post("/api/pair", { code });
}

async function session(): Promise<{ status: number | null; local: boolean }> {
  try {
    const response = await fetch("/api/session", {
      cache: "no-store",
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const { status } = response;
    return { status, local: status === 200 && (await details(response)).local === true };
  } catch {
    return { status: null, local: false };
  }
}

async function preview(input: string): Promise<Blob | null | "busy"> {
  try {
    const response = await fetch(`/api/content?input=${encodeURIComponent(input)}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(REPLY_TIMEOUT_MS),
    });
    if (response.status === 200) return await response.blob();
    return response.status === 503 ? "busy" : null;
  } catch {
    return null;
  }
}

async function showCode(): Promise<ShowResult> {
  const response = await post("/api/pair/show");
  if (response?.ok) return { kind: "shown" };
  if (response?.status === 429) return locked(await details(response));
  return { kind: "failed" };
}

const locked = ({ retryAfterSeconds = 60 }: { retryAfterSeconds?: number }) => ({
  kind: "locked" as const,
  retryAfterSeconds,
});

async function pair(code: string): Promise<PairResult> {
  const response = await post("/api/pair", { code });
  if (response?.ok) return { kind: "paired" };
  const body = await details(response);
  if (response?.status === 403) return { kind: "wrong", triesLeft: body.triesLeft ?? 0 };
  if (response?.status === 410) return { kind: "expired" };
  if (response?.status === 429) return locked(body);
  return { kind: "failed" };
}

async function details(
  response: Response | null,
): Promise<{ triesLeft?: number; retryAfterSeconds?: number; local?: boolean }> {
  try {
    return (await response?.json()) ?? {};
  } catch {
    return {};
  }
}

async function post(path: string, body?: object): Promise<Response | null> {
  try {
    return await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
  } catch {
    return null;
  }
}

function parse(text: string): ServerMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    return isServerMessage(message) ? message : null;
  } catch {
    return null;
  }
}

function isServerMessage(value: unknown): value is ServerMessage {
  if (typeof value !== "object" || value === null || !("message" in value)) return false;
  return value.message === "event" || value.message === "reply";
}
