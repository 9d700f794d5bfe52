import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerProgram } from "../../src/process/child.ts";

/**
 * A small server for the tests of this folder: echoes, answers /stats, and misbehaves as MODE says. The
 * misbehaviour is in how the process lives and dies; faulty messages are the concern of the fixture contenders.
 */
const script = `
const { HOST, PORT, MODE } = process.env;
require("node:fs").writeFileSync("pid", String(process.pid));
if (MODE === "exit") { console.error("cannot load libfoo.so"); process.exit(3); }
if (MODE === "silent") { setInterval(() => {}, 1000); }
if (MODE === "fork" || MODE === "escape") {
  // A child of its own, in the group or in a session of its own, that ignores SIGTERM.
  const child = Bun.spawn(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], { detached: MODE === "escape" });
  console.error("child " + child.pid);
}
if (MODE === "stubborn") process.on("SIGTERM", () => console.error("no"));
else process.on("SIGTERM", () => { console.error("bye"); process.exit(0); });
if (MODE === "chatty") setInterval(() => { for (let i = 0; i < 200; i++) console.error("line " + i + " " + "x".repeat(1000)); }, 1);
console.error("env " + JSON.stringify(Object.keys(process.env).sort()));
if (MODE !== "silent") Bun.serve({
  hostname: HOST, port: Number(PORT),
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/stats" && MODE === "slow-stats") return new Promise(() => {});
    if (pathname === "/stats" && MODE === "bad-stats") return Response.json({ connections: "many" });
    if (pathname === "/stats") return Response.json({ connections: server.pendingWebSockets, received: 7, sent: 8, dropped: 9, more: 1 });
    if (pathname === "/ws" && MODE !== "not-found" && server.upgrade(request)) return;
    return new Response("no", { status: 404 });
  },
  websocket: {
    message(socket, message) {
      if (message === '{"type":"crash"}') process.exit(42);
      socket.send(MODE === "garbled" ? String(message).replace("seq", "SEQ") : message);
    },
  },
});
`;

export interface Fixture extends ServerProgram {
  /** Of the last server that was started from it. */
  readPid(): number;
  remove(): void;
}

export function createFixture(mode = "good", env: Readonly<Record<string, string>> = {}): Fixture {
  const folder = mkdtempSync(join(tmpdir(), "fixture-"));
  writeFileSync(join(folder, "server.ts"), script);
  return {
    name: `fixture-${mode}`,
    folder,
    start: ["bun", "server.ts"],
    env: { MODE: mode, ...env },
    protocol: "chaos-chat",
    readPid: () => Number(readFileSync(join(folder, "pid"), "utf8")),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Whether a process runs; one that has ended and waits to be collected does not. */
export async function isRunning(pid: number): Promise<boolean> {
  const state = await new Response(Bun.spawn(["ps", "-o", "stat=", "-p", `${pid}`]).stdout).text();
  return state.trim() !== "" && !state.startsWith("Z");
}

/** Waits until a process is gone; false when it is still there after `timeoutMs`. */
export async function awaitGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (await isRunning(pid)) {
    if (Date.now() > deadline) return false;
    await Bun.sleep(20);
  }
  return true;
}
