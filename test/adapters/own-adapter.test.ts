import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerWebSocket } from "bun";
import type { Adapter } from "../../src/engine/adapters/adapter.ts";
import { projectFolder } from "../../src/machine/installation.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";

const folder = mkdtempSync(join(tmpdir(), "own-adapter-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The server that docs/adapters.md tells of. */
function startLines() {
  type Socket = ServerWebSocket<{ room: string }>;
  const server = Bun.serve<{ room: string }, never>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) =>
      server.upgrade(request, { data: { room: "" } }) ? undefined : new Response("no", { status: 400 }),
    websocket: {
      open: (socket: Socket) => {
        socket.send("hello");
      },
      message(socket: Socket, message) {
        const [word, rest = ""] = String(message).split(/ (.*)/s);
        if (word === "join") {
          socket.data.room = rest;
          socket.subscribe(rest);
          socket.send("joined");
          return;
        }
        const [id, text] = rest.split(/ (.*)/s);
        server.publish(socket.data.room, `said ${text}`);
        socket.send(`ok ${id}`);
      },
    },
  });
  return server;
}

test("the adapter of docs/adapters.md works as it stands there", async () => {
  const page = readFileSync(join(projectFolder, "docs", "adapters.md"), "utf8");
  const [, source = ""] = /^```ts\n(.*?)^```$/ms.exec(page) ?? [];
  const file = join(folder, "mine.ts");
  writeFileSync(file, source);
  const { default: adapter } = (await import(file)) as { default: Adapter };
  const server = startLines();
  try {
    const url = `ws://127.0.0.1:${server.port}`;
    expect(await loadAdapter({ adapter, url })).toEqual(flawless(20, 1000, 5000));
    const options = { greeting: "bonjour" };
    const load = await loadAdapter({ adapter, url, options, connections: 2 });
    expect(load.refusals).toEqual({ "unknown: hello": 2 });
  } finally {
    await server.stop(true);
  }
});
