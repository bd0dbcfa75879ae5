// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A stand-in for the room: serves the built page and speaks wire.rs strictly. It is not the room;
// its own picture and sound come from a browser page (room-page.html) that answers offers.
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { FromGuest, Member, RefuseReason, ToGuest, WaitReason } from "../../src/wire/types";
import { ServerSocket } from "./websocket";

export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; " +
  "img-src 'self' data:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
};

export interface Options {
  readonly dist: string;
  readonly password?: string;
  readonly hold?: WaitReason;
}

interface Guest {
  socket: ServerSocket | null;
  readonly member: Member;
  readonly token: string;
  admitted: boolean;
}

const FIELDS: { readonly [T in FromGuest["type"]]: Record<string, string> } = {
  hello: { version: "number", name: "string", password: "string?", resume: "string?" },
  offer: { to: "string", sdp: "string" },
  answer: { to: "string", sdp: "string" },
  candidate: { to: "string", candidate: "string", mid: "string?" },
  state: { microphone: "boolean", camera: "boolean", sharing: "boolean" },
  hand: { raised: "boolean" },
  "wanted-height": { lines: "number" },
  chat: { text: "string" },
  bye: {},
};

export class StandIn {
  readonly url: string;
  readonly guests: Guest[] = [];
  readonly received: FromGuest[] = [];
  readonly breaches: string[] = [];
  readonly room: Member = {
    id: "room",
    name: "Sitzungssaal",
    microphone: true,
    camera: true,
    sharing: false,
    hand: false,
  };
  options: Options;
  /** Refuses new channels while false. */
  reachable = true;
  roomSocket: ServerSocket | null = null;
  readonly #server: Server;

  static async start(options: Options): Promise<StandIn> {
    const server = createServer();
    await new Promise<void>((done) => {
      server.listen(0, "127.0.0.1", done);
    });
    return new StandIn(server, options);
  }

  private constructor(server: Server, options: Options) {
    this.#server = server;
    this.options = options;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      const path = new URL(request.url ?? "/", this.url).pathname;
      const file = path.startsWith("/meet/")
        ? join(options.dist, "guest.html")
        : path.startsWith("/assets/")
          ? join(options.dist, path)
          : join("tests/guest", path);
      try {
        const body = readFileSync(file);
        response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
        if (path !== "/room-page.html") response.setHeader("content-security-policy", CSP);
        response.end(body);
      } catch {
        response.statusCode = 404;
        response.end();
      }
    });
    server.on("upgrade", (request, stream) => {
      if (!this.reachable) return void stream.destroy();
      const socket = new ServerSocket(request, stream);
      if (request.url === "/room") this.#roomJoined(socket);
      else if (/^\/meet\/\w+\/ws$/.test(request.url ?? "")) this.#guestCame(socket);
      else socket.close();
    });
  }

  async stop(): Promise<void> {
    for (const guest of this.guests) guest.socket?.cut();
    this.roomSocket?.cut();
    await new Promise((done) => {
      this.#server.close(done);
      this.#server.closeAllConnections();
    });
  }

  guest(name: string): Guest {
    const guest = this.guests.findLast(({ member }) => member.name === name);
    if (!guest) throw new Error(`no guest ${name}`);
    return guest;
  }

  send(name: string, message: ToGuest): void {
    this.guest(name).socket?.send(JSON.stringify(message));
  }

  refuse(name: string, reason: RefuseReason): void {
    const guest = this.guest(name);
    this.send(name, { type: "refused", reason });
    this.#gone(guest);
    guest.socket?.close();
  }

  admit(guest: Guest): void {
    guest.admitted = true;
    const others = this.#present().filter((other) => other !== guest);
    this.#tell(guest, {
      type: "welcome",
      id: guest.member.id,
      roomName: this.room.name,
      iceServers: [],
      members: [this.room, ...others.map(({ member }) => member)],
      resume: guest.token,
    });
    for (const other of others) this.#tell(other, { type: "member", member: guest.member });
  }

  broadcast(message: ToGuest): void {
    for (const guest of this.#present()) this.#tell(guest, message);
  }

  #present(): Guest[] {
    return this.guests.filter((guest) => guest.admitted);
  }

  #tell(guest: Guest, message: ToGuest): void {
    guest.socket?.send(JSON.stringify(message));
  }

  #gone(guest: Guest): void {
    if (guest.admitted) {
      guest.admitted = false;
      this.broadcast({ type: "member-left", id: guest.member.id });
      this.roomSocket?.send(JSON.stringify({ type: "member-left", id: guest.member.id }));
    }
  }

  #roomJoined(socket: ServerSocket): void {
    this.roomSocket = socket;
    socket.onText = (text) => {
      const { to, ...message } = JSON.parse(text) as ToGuest & { to: string };
      const guest = this.guests.find(({ member }) => member.id === to);
      if (guest?.admitted) this.#tell(guest, message);
    };
  }

  #guestCame(socket: ServerSocket): void {
    let guest: Guest | null = null;
    socket.onText = (text) => {
      const message = this.#read(text);
      if (!message) {
        socket.send(JSON.stringify({ type: "refused", reason: "bad-message" }));
        socket.close();
        return;
      }
      this.received.push(message);
      if (message.type === "hello") guest = this.#hello(socket, message, guest);
      else if (guest?.admitted) this.#relay(guest, message);
      else if (message.type !== "bye") this.breaches.push(`${message.type} before welcome`);
    };
    socket.onClose = () => {
      if (guest?.socket === socket) guest.socket = null;
    };
  }

  #read(text: string): FromGuest | null {
    const value = JSON.parse(text) as Record<string, unknown>;
    const fields = FIELDS[value["type"] as FromGuest["type"]];
    const keys = Object.keys(value).filter((key) => key !== "type");
    const known = keys.every((key) => {
      const kind = fields?.[key];
      return kind === typeof value[key] || (kind === "string?" && (value[key] === null || typeof value[key] === "string"));
    });
    const complete = Object.entries(fields ?? {}).every(
      ([key, kind]) => kind === "string?" || key in value,
    );
    if (fields && known && complete) return value as FromGuest;
    this.breaches.push(`not of this protocol: ${String(value["type"])}`);
    return null;
  }

  #hello(
    socket: ServerSocket,
    hello: Extract<FromGuest, { type: "hello" }>,
    known: Guest | null,
  ): Guest | null {
    if (hello.version !== 1) this.breaches.push("version");
    if (hello.name.length < 1 || hello.name.length > 80) this.breaches.push("name");
    const back = this.guests.find(({ token }) => token === hello.resume);
    if (back) {
      back.socket = socket;
      this.admit(back);
      return back;
    }
    if (this.options.password !== undefined && hello.password !== this.options.password) {
      const wrong = hello.password !== null;
      socket.send(JSON.stringify({ type: "password-required", wrong } satisfies ToGuest));
      return known;
    }
    const id = `g${this.guests.length + 1}`;
    const off = { microphone: false, camera: false, sharing: false, hand: false };
    const guest: Guest = {
      socket,
      member: { id, name: hello.name, ...off },
      token: `token-${id}`,
      admitted: false,
    };
    this.guests.push(guest);
    const { hold } = this.options;
    if (hold) this.#tell(guest, { type: "waiting", reason: hold, roomName: this.room.name });
    else this.admit(guest);
    return guest;
  }

  #relay(guest: Guest, message: Exclude<FromGuest, { type: "hello" }>): void {
    const from = guest.member.id;
    switch (message.type) {
      case "offer":
      case "answer":
      case "candidate": {
        const { to, ...rest } = message;
        const relayed = JSON.stringify({ ...rest, from });
        if (to === "room") this.roomSocket?.send(relayed);
        else this.#present().find(({ member }) => member.id === to)?.socket?.send(relayed);
        break;
      }
      case "state":
        this.#changed(guest, {
          microphone: message.microphone,
          camera: message.camera,
          sharing: message.sharing,
        });
        break;
      case "hand":
        this.#changed(guest, { hand: message.raised });
        break;
      case "wanted-height":
        break;
      case "chat":
        this.broadcast({
          type: "chat",
          from,
          name: guest.member.name,
          text: message.text,
          at: "2026-03-02T09:41:00Z",
        });
        break;
      case "bye":
        this.#gone(guest);
        guest.socket?.close();
        break;
    }
  }

  #changed(guest: Guest, change: Partial<Member>): void {
    Object.assign(guest.member, change);
    for (const other of this.#present()) {
      if (other !== guest) this.#tell(other, { type: "member", member: guest.member });
    }
  }
}
