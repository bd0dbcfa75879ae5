// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// Many guests in the call of a Matrix room, in one process without a browser: each with a device and a
// Matrix client of its own, and a connection of LiveKit's native SDK. They publish and tell their keys,
// and take no media from each other, which would be too much for one machine. Tests in another language
// drive it by lines of JSON (../agent/lines.mjs).
//
// join    guests      all at once; resolves when all of them publish
// report  guest       -> what the guest of this place in the list knows
// leave   guest
import { dispose } from "@livekit/rtc-node";
import { serve } from "../agent/lines.mjs";
import { type Joining, Member } from "./member";
import { type Key, Publisher } from "./publisher";

interface Guest {
  member: Member;
  publisher: Publisher;
}

const guests: Guest[] = [];

async function join(joining: Joining): Promise<Guest> {
  const member = await Member.enter(joining);
  let publisher: Publisher | undefined;
  const first = new Promise<Key | undefined>((done) => {
    member.join((identity, index, bytes) => {
      if (identity !== member.identity) return;
      publisher?.useKey({ index, bytes });
      done({ index, bytes });
    });
    if (member.encrypts !== "keys") done(undefined);
  });
  publisher = new Publisher(joining.signal, await first);
  await publisher.connect(await member.token(member.service));
  return { member, publisher };
}

function at(place: number): Guest {
  const guest = guests[place];
  if (!guest) throw new Error(`no guest ${place}`);
  return guest;
}

const commands = {
  async join({ guests: all }: { guests: Joining[] }): Promise<void> {
    guests.push(...(await Promise.all(all.map(join))));
  },
  async report({ guest }: { guest: number }) {
    const { member, publisher } = at(guest);
    return { connected: publisher.isConnected, members: member.session.memberships.length, keys: member.keys };
  },
  async leave({ guest }: { guest: number }): Promise<void> {
    const { member, publisher } = at(guest);
    await member.leave();
    await publisher.leave();
    member.client.stopClient();
  },
};

// The Matrix client wants it, and Node.js has it from version 22 on.
if (!("withResolvers" in Promise)) {
  Object.assign(Promise, {
    withResolvers() {
      const made: Record<string, unknown> = {};
      made["promise"] = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
      return made;
    },
  });
}
// What libraries tell is no reply; and of eleven clients, only what is wrong can be read.
const nothing = () => {};
const told = Object.assign(new console.Console(process.stderr), { log: nothing, info: nothing, debug: nothing });
globalThis.console = Object.assign(told, { trace: nothing });
serve(commands, dispose);
