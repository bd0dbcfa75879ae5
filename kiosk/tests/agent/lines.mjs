// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
// What tests in another language drive: one JSON command per line on stdin, one JSON reply per line on
// stdout, matched by `id`. A reply is {"id", "ok": VALUE} or {"id", "error": TEXT}. Commands run side by
// side as they arrive; the process ends with its stdin.
import { createInterface } from "node:readline";

function reply(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function run(commands, line) {
  let id = null;
  try {
    const command = JSON.parse(line);
    id = command.id ?? null;
    if (!Object.hasOwn(commands, command.command)) {
      throw new Error(`unknown command ${String(command.command)}`);
    }
    reply({ id, ok: (await commands[command.command](command)) ?? null });
  } catch (error) {
    reply({ id, error: error instanceof Error ? error.message : String(error) });
  }
}

/** Runs these commands, by their names, until stdin ends; `end` then comes last. */
export function serve(commands, end) {
  process.on("unhandledRejection", () => {});
  // A driver that is gone reads no reply.
  process.stdout.on("error", () => process.exit(1));
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    if (line.trim() !== "") void run(commands, line);
  });
  lines.on("close", async () => {
    await end().catch(() => {});
    process.exit(0);
  });
}
