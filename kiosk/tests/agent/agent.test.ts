// SPDX-License-Identifier: EUPL-1.2
// SPDX-FileCopyrightText: The roomd authors
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { it } from "node:test";

it("answers every command, survives wrong ones, and ends with its stdin", async () => {
  const agent = spawn(process.execPath, ["tests/agent/agent.mjs"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, (reply: { ok?: unknown; error?: string }) => void>();
  createInterface({ input: agent.stdout }).on("line", (line) => {
    const reply = JSON.parse(line) as { id: number | null; ok?: unknown; error?: string };
    waiting.get(reply.id ?? 0)?.(reply);
  });
  let last = 0;
  const ask = (command: string, rest: object = {}) => {
    last += 1;
    const id = last;
    agent.stdin.write(`${JSON.stringify({ id, command, ...rest })}\n`);
    return new Promise<{ ok?: unknown; error?: string }>((done) => waiting.set(id, done));
  };
  const garbage = new Promise<{ error?: string }>((done) => waiting.set(0, done));
  agent.stdin.write("{\n");
  assert.ok((await garbage).error);
  assert.match((await ask("newPage", { page: "a" })).error ?? "", /launch first/);
  assert.match((await ask("nonsense")).error ?? "", /unknown command/);
  assert.equal((await ask("launch")).error, undefined);
  const html = `<html lang="en"><title>t</title><main><h1>Hi</h1><label>Name <input></label>
    <button onclick="document.title = document.querySelector('input').value">Go</button>
    <canvas width="640" height="360"></canvas></main>`;
  await ask("newPage", { page: "a", url: `data:text/html,${encodeURIComponent(html)}` });
  assert.deepEqual(await ask("text", { page: "a", selector: "h1" }), { id: last, ok: "Hi" });
  await ask("fill", { page: "a", label: "Name", value: "Anna" });
  await ask("click", { page: "a", role: "button", name: "Go" });
  assert.equal((await ask("waitForValue", { page: "a", expression: "document.title" })).ok, "Anna");
  assert.equal((await ask("probe", { page: "a", name: "readTimecode", selector: "canvas" })).ok, null);
  assert.deepEqual((await ask("probe", { page: "a", name: "inboundStats" })).ok, []);
  assert.deepEqual((await ask("axe", { page: "a" })).ok, []);
  assert.deepEqual((await ask("console", { page: "a" })).ok, []);
  const missing = await ask("click", { page: "a", selector: "#missing", timeout: 200 });
  assert.match(missing.error ?? "", /Timeout/i);
  assert.ok((await ask("eval", { page: "a", expression: "throw new Error('own')" })).error);
  const ended = once(agent, "exit");
  agent.stdin.end();
  assert.deepEqual(await ended, [0, null]);
});
