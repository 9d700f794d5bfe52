import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { echo, start, stopServers } from "./servers.ts";

// What an option does to the server, where no other file of this folder looks at it.

setDefaultTimeout(longestMs);
afterAll(stopServers);

test.concurrent("--message-file: a template of several lines, and with --binary any bytes", async () => {
  const heard = new Set<string>();
  const url = start((socket, message) => {
    heard.add(typeof message === "string" ? message : message.toString("hex"));
    socket.send(message);
  });
  const folder = temporaryFolder();
  const [text, bytes] = [join(folder, "text"), join(folder, "bytes")];
  writeFileSync(text, "ünï {{connection}}\n{{sequence}}\n");
  writeFileSync(bytes, Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from("{{sequence}}")]));
  const lines = await attack(url, ...small, "--message-file", text);
  expect(lines.result.messages).toMatchObject({ sent: 400, answered: 400, unmatched: 0 });
  expect(heard.has("ünï 3\n100\n")).toBe(true);
  const binary = await attack(url, ...small, "--message-file", bytes, "--binary");
  expect(binary.result.messages).toMatchObject({ sent: 400, answered: 400, unmatched: 0 });
  expect(heard.has("ff00313030")).toBe(true);
});

test.concurrent("--source-address: connections come from each in turn", async () => {
  const seen: (string | undefined)[] = [];
  const url = start(echo, { onOpen: ({ remoteAddress }) => void seen.push(remoteAddress) });
  const sources = ["127.0.0.2", "127.0.0.3"];
  const given = sources.flatMap((source) => ["--source-address", source]);
  const { result } = await attack(url, ...small, ...given);
  expect(result.connections.opened).toBe(4);
  expect(seen.map((address) => address?.replace("::ffff:", "")).sort()).toEqual([
    "127.0.0.2",
    "127.0.0.2",
    "127.0.0.3",
    "127.0.0.3",
  ]);
});

test.concurrent("--connect-rate: so many connections are opened per second", async () => {
  const url = start(echo);
  const load = ["--connections", "11", "--connect-rate", "20", "--rate", "100", "--duration", "200ms"];
  const { result } = await attack(url, ...load);
  expect(result.connections.opened).toBe(11);
  // Ten distances of 50 ms, of which a busy machine may shorten some; at once it would be thousands.
  expect(result.connections.perSecond).toBeLessThan(60);
  expect(result.connections.perSecond).toBeGreaterThan(10);
});

test.concurrent("--connect-batch: no more are being opened at once, however slow the server is", async () => {
  let [opening, most] = [0, 0];
  const server = Bun.serve({
    port: 0,
    fetch: async (request, self) => {
      opening += 1;
      most = Math.max(most, opening);
      await Bun.sleep(100);
      opening -= 1;
      return self.upgrade(request) ? undefined : new Response(null, { status: 400 });
    },
    websocket: { message: (socket, message) => void socket.send(message) },
  });
  try {
    const load = ["--connections", "12", "--connect-rate", "1000", "--workers", "2", ...small.slice(2)];
    const { result } = await attack(`ws://127.0.0.1:${server.port}/`, ...load, "--connect-batch", "5");
    expect(result.connections).toMatchObject({ opened: 12, failed: 0 });
    expect(most).toBe(5);
    most = 0;
    await attack(`ws://127.0.0.1:${server.port}/`, ...load);
    expect(most).toBeGreaterThan(5);
  } finally {
    await server.stop(true);
  }
});

test.concurrent("--ping-interval: each connection is pinged, beside the load and apart from its account", async () => {
  let pings = 0;
  const url = start(echo, {
    onPing: () => {
      pings += 1;
    },
  });
  const { result } = await attack(url, ...small, "--ping-interval", "100ms");
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, unmatched: 0, received: 400 });
  expect(pings).toBeGreaterThanOrEqual(8);
});
