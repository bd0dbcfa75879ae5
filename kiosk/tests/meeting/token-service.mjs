// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// A stand-in for the MatrixRTC authorization service (lk-jwt-service, MSC4195), which no package
// registry carries: checks a person's OpenID token at the homeserver and gives a token for LiveKit.
// It does not take over delayed leave events; whoever asks for that is refused, as by a service that
// does not know the caller's homeserver well.
//
// TOKEN_SERVICE in the environment is its configuration:
// { port, livekit, key, secret, homeservers: { SERVER_NAME: URL }, fullAccess: [SERVER_NAME] }
import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";

const config = JSON.parse(process.env.TOKEN_SERVICE ?? "{}");
const HOUR = 3600;
const SLOT = "m.call#ROOM";
const OPENID = ["access_token", "token_type", "matrix_server_name", "expires_in"];
const DELAY = ["delay_id", "delay_timeout", "delay_cs_api_url"];

class Refusal extends Error {
  constructor(status, errcode, error) {
    super(error);
    this.status = status;
    this.body = { errcode, error };
  }
}

const badJson = (text) => new Refusal(400, "M_BAD_JSON", text);
const unauthorized = () =>
  new Refusal(401, "M_UNAUTHORIZED", "The request could not be authorised.");

function base64url(value) {
  return Buffer.from(value).toString("base64url");
}

/** Unpadded base64 of a SHA-256: names of rooms and people that say nothing. */
function pseudonym(...words) {
  const hash = createHash("sha256").update(JSON.stringify(words)).digest("base64");
  return hash.replaceAll("=", "");
}

function mint(claims) {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: config.key, nbf: now, exp: now + HOUR, ...claims };
  const signed = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(all))}`;
  const signature = createHmac("sha256", config.secret).update(signed).digest("base64url");
  return `${signed}.${signature}`;
}

function allow(object, fields) {
  const unknown = Object.keys(object ?? {}).find((field) => !fields.includes(field));
  if (unknown) throw new Refusal(400, "M_NOT_JSON", `unknown field ${unknown}`);
}

/** Who asks, by the homeserver's word. */
async function identify(token) {
  const homeserver = config.homeservers[token.matrix_server_name];
  if (!homeserver) throw unauthorized();
  const query = new URLSearchParams({ access_token: token.access_token });
  const reply = await fetch(`${homeserver}/_matrix/federation/v1/openid/userinfo?${query}`).catch(() => null);
  if (!reply?.ok) throw unauthorized();
  const { sub } = await reply.json();
  if (!sub?.endsWith(`:${token.matrix_server_name}`)) throw unauthorized();
  return sub;
}

/** Only people of the homeservers that the SFU belongs to make rooms there; others find them. */
async function createRoom(room) {
  const reply = await fetch(`${config.livekit.replace("ws", "http")}/twirp/livekit.RoomService/CreateRoom`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${mint({ video: { roomCreate: true } })}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ name: room, empty_timeout: 300, departure_timeout: 20 }),
  }).catch(() => null);
  if (!reply?.ok) throw new Refusal(500, "M_UNKNOWN", "Unable to create room on SFU");
}

async function admit(room, identity, token) {
  const full = config.fullAccess.includes(token.matrix_server_name);
  if (full) await createRoom(room);
  const video = { roomJoin: true, room, canPublish: true, canSubscribe: true, canUpdateOwnMetadata: true };
  return { url: config.livekit, jwt: mint({ sub: identity, video }) };
}

function check(request, known, required) {
  allow(request, [...known, "openid_token", ...DELAY]);
  allow(request.openid_token, OPENID);
  const missing = required.find((field) => !request[field]);
  if (missing) throw badJson(`The request body is missing \`${missing}\``);
  const token = request.openid_token;
  if (!token?.access_token || !token.matrix_server_name) throw badJson("Missing OpenID token parameters");
  if (DELAY.some((field) => request[field])) {
    throw badJson("Delegation of delayed events is only supported for full access users");
  }
}

const endpoints = {
  async "/sfu/get"(request) {
    check(request, ["room", "device_id"], ["room"]);
    const user = await identify(request.openid_token);
    const identity = `${user}:${request.device_id ?? ""}`;
    return admit(pseudonym(request.room, SLOT), identity, request.openid_token);
  },
  async "/get_token"(request) {
    const fields = ["room_id", "slot_id", "member"];
    check(request, fields, fields);
    const { id, claimed_user_id: claimed, claimed_device_id: device } = request.member;
    if (!id || !claimed || !device) throw badJson("The request body `member` is incomplete");
    const user = await identify(request.openid_token);
    if (user !== claimed) throw unauthorized();
    const room = pseudonym(request.room_id, request.slot_id);
    return admit(room, pseudonym(user, device, id), request.openid_token);
  },
};

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal(400, "M_NOT_JSON", "Error reading request");
  }
}

async function answer(request) {
  const { pathname } = new URL(request.url, "http://localhost");
  if (request.method === "OPTIONS" || pathname === "/healthz") return [200, null];
  if (!Object.hasOwn(endpoints, pathname)) return [404, { errcode: "M_UNRECOGNIZED", error: pathname }];
  if (request.method !== "POST") return [405, null];
  try {
    return [200, await endpoints[pathname](await body(request))];
  } catch (error) {
    if (error instanceof Refusal) return [error.status, error.body];
    return [500, { errcode: "M_UNKNOWN", error: String(error) }];
  }
}

const server = createServer(async (request, response) => {
  const [status, value] = await answer(request);
  console.log(`${request.method} ${request.url} ${status}`);
  response.writeHead(status, {
    "content-type": "application/json",
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token",
  });
  response.end(value === null ? "" : JSON.stringify(value));
});
server.listen(config.port, "127.0.0.1");
