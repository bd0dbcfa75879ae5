// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Serves the guests' pages on loopback, and under /element-call/ the published Element Call, so that both
// are of one origin: node serve.mjs PORT
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const here = (path) => new URL(path, import.meta.url).pathname;
const PAGES = here("../out/meeting");
const ELEMENT_CALL = here("../../node_modules/@element-hq/element-call-embedded/dist");
const PREFIX = "/element-call/";
const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mp3": "audio/mpeg",
  ".ogg": "audio/ogg",
  ".tflite": "application/octet-stream",
  ".wasm": "application/wasm",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
};

function file(pathname) {
  if (!pathname.startsWith(PREFIX)) return join(PAGES, pathname);
  return join(ELEMENT_CALL, pathname.slice(PREFIX.length));
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const type = TYPES[extname(pathname)];
  try {
    if (!type) throw new Error("unknown kind of file");
    const body = await readFile(file(pathname));
    response.writeHead(200, { "content-type": type });
    response.end(body);
  } catch {
    response.writeHead(404);
    response.end();
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1");
