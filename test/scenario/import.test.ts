import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attack } from "../attack/attack.ts";
import { echo, serve } from "../attack/servers.ts";
import { longestMs, showdown, temporaryFolder } from "../showdown/showdown.ts";

setDefaultTimeout(longestMs);

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Message = readonly ["send" | "receive", afterSeconds: number, data: string, opcode?: number];

/** As Chrome saves it. */
function entry(url: string, messages: readonly Message[], headers: Readonly<Record<string, string>> = {}) {
  const start = Date.UTC(2026, 10, 29, 9, 0, 0);
  return {
    startedDateTime: new Date(start).toISOString(),
    _resourceType: "websocket",
    request: {
      method: "GET",
      url,
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    },
    response: { status: 101 },
    _webSocketMessages: messages.map(([type, after, data, opcode = 1]) => ({
      type,
      time: start / 1000 + after,
      opcode,
      data,
    })),
  };
}

function write(name: string, ...entries: readonly unknown[]): string {
  const file = join(folder, name);
  const page = {
    startedDateTime: "2026-11-29T09:00:00Z",
    request: { url: "https://example.test/", headers: [] },
  };
  writeFileSync(file, JSON.stringify({ log: { version: "1.2", entries: [page, ...entries] } }));
  return file;
}

test("what was recorded becomes a scenario that can be read, and that runs as it stands", async () => {
  const server = serve(echo, { onOpen: (socket) => void socket.send('{"type":"welcome","id":7}') });
  const har = write(
    "recording.har",
    entry(
      `${server.url}chat?room=1`,
      [
        ["receive", 0.01, '{"type":"welcome","id":3}'],
        ["send", 0.4, "hello"],
        ["receive", 0.41, "hello"],
        ["send", 0.42, "AAEC", 2],
        ["receive", 0.43, "AAEC", 2],
      ],
      { Cookie: "session=secret", Origin: "http://example.test", "Sec-WebSocket-Key": "x" },
    ),
    entry(`${server.url}other`, [["receive", 0.5, "whatever 17"]]),
  );
  const out = join(folder, "deep", "scenario.ts");
  const { exitCode, stderr } = await showdown("import", har, "--out", out);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain("2 WebSockets, 6 messages");
  const text = readFileSync(out, "utf8");
  expect(text).toBe(`import { scenario } from "ws-showdown";

// Made of recording.har: 2 WebSockets, 6 messages.
// Left out: the values of cookie; give them with --header or --cookie.
// As the browser did: --origin http://example.test
export default scenario({
  url: "${server.url}chat?room=1",

  async run({ connect, wait }) {
    const socket = await connect();
    const socket2 = await connect("/other");
    await socket.expect('"type":"welcome"'); // {"type":"welcome","id":3}
    await wait(400);
    socket.send("hello");
    await socket.expect("hello");
    socket.send(bytes("AAEC"));
    await socket.expect(); // binary
    await socket2.expect(); // whatever 17
  },
});

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
`);
  const { result } = await attack(out, "--connections", "2", "--duration", "1s");
  expect(result.scenario?.failures).toEqual([]);
  expect(result.scenario?.iterations.finished).toBeGreaterThan(1);
  expect(result.connections.opened).toBe(2 * (result.scenario?.iterations.started ?? 0));
  await server.stop();
});

test("a recording is nobody's to trust: nothing of it becomes code, hides or fills the screen", async () => {
  const evil = '"); process.exit(1); //\n\u2028\x1b[2J\u202e*/ $'.concat("{x} `");
  const har = write(
    "evil.har",
    entry(
      "wss://one.test/?token=abc",
      [
        ["send", 0, evil],
        ["receive", 9, evil.repeat(50)],
        ["receive", 9, `{"type":"${"x".repeat(100)}"}`],
        ["send", 9.2, "y".repeat(100_000)],
        ...Array.from({ length: 3000 }, (): Message => ["send", 10, "z"]),
      ],
      { "x-\x1b[31m": "1", "sec-websocket-protocol": "a, b" },
    ),
    entry("wss://two.test/", []),
  );
  const { exitCode, stdout, stderr } = await showdown("import", har);
  expect(exitCode).toBe(0);
  expect(stdout.length).toBeLessThan(60_000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(`${stdout}${stderr}`).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]/);
  expect(stdout).toContain('url: "wss://one.test/?token=…"');
  expect(stdout).toContain("--subprotocol a --subprotocol b");
  expect(stdout).toContain("{ timeoutMs: 27_000 }");
  expect(stdout).toContain("// socket sent 100000 characters here, which are left out.");
  expect(stderr).toContain("Left out: WebSockets to wss://two.test: an attack has one server.");
  expect(stderr).toMatch(/Left out: 1,?00\d messages after the first 2000\./);
  const written = join(folder, "evil.ts");
  writeFileSync(written, stdout.replace(/^import .*$/m, "const scenario = <T>(one: T): T => one;"));
  const module = await import(written);
  const sent: unknown[] = [];
  const socket = { send: (message: unknown) => sent.push(message), expect: async () => ({}) };
  await module.default.run({ connect: async () => socket, wait: async () => {} });
  expect(sent[0]).toBe(evil);
});

test.each([
  ["no JSON", "{", /it is no JSON/],
  ["no HAR", "{}", /log: .*expected/],
  [
    "no WebSocket",
    JSON.stringify({ log: { entries: [{ request: { url: "https://x/" } }] } }),
    /none of its 1 entries/,
  ],
  [
    "a message without data",
    JSON.stringify({
      log: {
        entries: [
          { request: { url: "ws://x/" }, _webSocketMessages: [{ type: "send", time: 1, opcode: 1 }] },
        ],
      },
    }),
    /log\.entries\[0\]\._webSocketMessages\[0\]\.data/,
  ],
  [
    "no base64",
    JSON.stringify({
      log: {
        entries: [
          {
            request: { url: "ws://x/" },
            _webSocketMessages: [{ type: "send", time: 1, opcode: 2, data: "?" }],
          },
        ],
      },
    }),
    /binary message 1 is no base64/,
  ],
  [
    "no URL",
    JSON.stringify({ log: { entries: [{ request: { url: "file:///x" }, _webSocketMessages: [] }] } }),
    /"file:\/\/\/x" is no ws:\/\/ or wss:\/\//,
  ],
])("%s is refused, and nothing written", async (_, text, message) => {
  const file = join(folder, "bad.har");
  const out = join(folder, "never.ts");
  writeFileSync(file, text);
  const { exitCode, stderr } = await showdown("import", file, "--out", out);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
  expect(existsSync(out)).toBe(false);
});

test("a file that isn't there", async () => {
  const { exitCode, stderr } = await showdown("import", join(folder, "absent.har"));
  expect(exitCode).toBe(2);
  expect(stderr).toContain("ENOENT");
});
