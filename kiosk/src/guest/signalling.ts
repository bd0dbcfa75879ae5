// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import type { FromGuest, ToGuest } from "../wire/types";
import { parse } from "./core/parse";

export interface ChannelEvents {
  open(): void;
  message(message: ToGuest): void;
  closed(): void;
}

/** `wss://HOST/meet/ID/ws` for the page `https://HOST/meet/ID`. */
export function channelAddress(page: string): string {
  const url = new URL(page);
  url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
  url.search = "";
  url.hash = "";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/ws`;
  return url.href;
}

/** The one channel to the room; opening it again replaces it. */
export class Channel {
  readonly #address: string;
  readonly #events: ChannelEvents;
  #socket: WebSocket | null = null;

  constructor(address: string, events: ChannelEvents) {
    this.#address = address;
    this.#events = events;
  }

  open(): void {
    this.close();
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    const current = () => this.#socket === socket;
    socket.addEventListener("open", () => {
      if (current()) this.#events.open();
    });
    socket.addEventListener("message", ({ data }) => {
      const message = typeof data === "string" ? parse(data) : null;
      if (message && current()) this.#events.message(message);
    });
    socket.addEventListener("close", () => {
      if (!current()) return;
      this.#socket = null;
      this.#events.closed();
    });
  }

  send(message: FromGuest): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
