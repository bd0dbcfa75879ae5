// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// The server's half of RFC 6455, as much as the stand-in needs: text frames, unfragmented.
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export class ServerSocket {
  onText: (text: string) => void = () => {};
  onClose: () => void = () => {};
  readonly #stream: Duplex;
  #buffer = Buffer.alloc(0);

  constructor(request: IncomingMessage, stream: Duplex) {
    this.#stream = stream;
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}${MAGIC}`)
      .digest("base64");
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    stream.on("data", (chunk: Buffer) => this.#data(chunk));
    stream.on("error", () => stream.destroy());
    stream.on("close", () => this.onClose());
  }

  send(text: string): void {
    if (this.#stream.destroyed) return;
    const body = Buffer.from(text);
    const head =
      body.length < 126
        ? Buffer.from([0x81, body.length])
        : Buffer.from([0x81, 126, body.length >> 8, body.length & 255]);
    this.#stream.write(Buffer.concat([head, body]));
  }

  /** Says goodbye, as the room does after `refused` and `ended`. */
  close(): void {
    if (!this.#stream.destroyed) this.#stream.end(Buffer.from([0x88, 0]));
  }

  /** Vanishes, as a lost network does. */
  cut(): void {
    this.#stream.destroy();
  }

  #data(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const buffer = this.#buffer;
      if (buffer.length < 2) return;
      const short = (buffer[1] ?? 0) & 127;
      const start = short === 126 ? 4 : 2;
      if (short === 127 || buffer.length < start + 4) return;
      const length = short === 126 ? buffer.readUInt16BE(2) : short;
      if (buffer.length < start + 4 + length) return;
      const mask = buffer.subarray(start, start + 4);
      const body = Buffer.from(buffer.subarray(start + 4, start + 4 + length));
      for (let i = 0; i < body.length; i += 1) body[i] = (body[i] ?? 0) ^ (mask[i % 4] ?? 0);
      this.#buffer = buffer.subarray(start + 4 + length);
      const opcode = (buffer[0] ?? 0) & 15;
      if (opcode === 1) this.onText(body.toString());
      if (opcode === 8) this.#stream.end();
    }
  }
}
