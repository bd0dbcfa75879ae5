// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A room that speaks the panel's protocol and does what a test tells it.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { apply } from "../../src/api/apply";
import type { Event, Reply, Request, State } from "../../src/api/types";
import { ServerSocket } from "../guest/websocket";
import { listen, serveFolder } from "../support/server";

const TOKEN = "wired-panel-token";

export class StandInRoom {
  state: State;
  code = "418203";
  paired = false;
  local = false;
  triesLeft = 3;
  codesShown = 0;
  readonly requests: Request[] = [];
  /** What the content inputs show. */
  preview: string | null = null;
  readonly looks: string[] = [];
  answer: (request: Request) => Reply = () => ({ reply: "accepted" });
  origin = "";
  #server: Server;
  #sockets = new Set<ServerSocket>();

  constructor(state: State) {
    this.state = state;
    this.#server = serveFolder("dist");
    const files = this.#server.listeners("request");
    this.#server.removeAllListeners("request");
    this.#server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      if (request.url?.startsWith("/api/")) void this.#api(request, response);
      else for (const serve of files) serve(request, response);
    });
    this.#server.on("upgrade", (request: IncomingMessage, stream: Duplex) => {
      if (this.paired) this.#open(new ServerSocket(request, stream));
      else stream.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
    });
  }

  async start(): Promise<void> {
    this.origin = await listen(this.#server);
  }

  stop(): void {
    this.cut();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Loses every connection, as a pulled cable does. */
  cut(): void {
    for (const socket of this.#sockets) socket.cut();
    this.#sockets.clear();
  }

  /** Changes the room. A page that connects later learns of it with the whole state. */
  tell(event: Event): void {
    this.state = apply(this.state, event) ?? this.state;
    for (const socket of this.#sockets) socket.send(JSON.stringify({ message: "event", event }));
  }

  garbage(): void {
    for (const socket of this.#sockets) socket.send('{"message":42');
  }

  #open(socket: ServerSocket): void {
    this.#sockets.add(socket);
    socket.onClose = () => this.#sockets.delete(socket);
    socket.onText = (text) => {
      const { id, request } = JSON.parse(text);
      this.requests.push(request);
      socket.send(JSON.stringify({ message: "reply", id, reply: this.answer(request) }));
    };
    socket.send(JSON.stringify({ message: "event", event: { event: "state", value: this.state } }));
  }

  async #api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const send = (status: number, value?: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(value ? JSON.stringify(value) : undefined);
    };
    const url = new URL(request.url ?? "/", this.origin);
    if (url.pathname === "/api/content") {
      this.looks.push(url.searchParams.get("input") ?? "");
      if (this.preview === null) return send(204);
      response.writeHead(200, { "content-type": "image/svg+xml" });
      response.end(this.preview);
      return;
    }
    switch (`${request.method} ${request.url}`) {
      case "GET /api/session":
        return this.paired ? send(200, { paired: true, local: this.local }) : send(401);
      case "POST /api/session":
        this.paired = JSON.parse(body).token === TOKEN;
        this.local = this.paired;
        return send(this.paired ? 204 : 403);
      case "POST /api/pair/show":
        if (this.triesLeft <= 0) return send(429, { retryAfterSeconds: 90 });
        this.codesShown += 1;
        return send(204);
      case "POST /api/pair":
        this.paired = JSON.parse(body).code === this.code;
        if (this.paired) return send(204);
        this.triesLeft -= 1;
        return this.triesLeft > 0
          ? send(403, { triesLeft: this.triesLeft })
          : send(429, { retryAfterSeconds: 60 });
      default:
        return send(404);
    }
  }
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Requests arrive a moment after what a person did. */
export async function eventually(check: () => void): Promise<void> {
  const end = Date.now() + 10_000;
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
