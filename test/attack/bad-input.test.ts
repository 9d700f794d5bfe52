import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { WebSocketServer } from "ws";
import { longestMs, showdown } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { echo, oneIn, serve, start, stopServers } from "./servers.ts";

setDefaultTimeout(longestMs);

afterAll(stopServers);

test.concurrent("an unreachable port: every connection failed, and why", async () => {
  const gone = serve(echo);
  await gone.stop();
  const { result, exitCode, stderr } = await attack(gone.url, ...small);
  expect(exitCode).toBe(15);
  expect(result.connections).toMatchObject({ requested: 4, opened: 0, failed: 4 });
  expect(result.connections.failures).toMatchObject([
    { failure: { kind: "system", code: "ECONNREFUSED" }, count: 4 },
  ]);
  expect(result.reason?.kind).toBe("no-connection-opened");
  expect(stderr).toContain("4 × ECONNREFUSED (127.0.0.1:");
});

test.concurrent("an unreachable host: counted by what the system says, or as a timeout in TCP", async () => {
  // Of the addresses for documentation (RFC 3849), which lead nowhere.
  const { result, exitCode, stderr } = await attack(
    "ws://[2001:db8::1]/",
    ...small,
    "--connect-timeout",
    "0.5",
  );
  expect(exitCode).toBe(15);
  expect(stderr).toStartWith("Target: ws://[2001:db8::1]/\n");
  const [{ failure, count } = { failure: null, count: 0 }, ...others] = result.connections.failures;
  expect([count, others]).toEqual([4, []]);
  const isNoRoute =
    failure?.kind === "system" && /^E(NETUNREACH|HOSTUNREACH|ADDRNOTAVAIL|AFNOSUPPORT)$/.test(failure.code);
  expect(
    isNoRoute || Bun.deepEquals(failure, { kind: "timeout", stage: "tcp" }),
    JSON.stringify(failure),
  ).toBe(true);
});

test.concurrent("a server that takes connections and never answers the upgrade", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { result, stderr } = await attack(
    `ws://127.0.0.1:${silent.port}/`,
    ...small,
    "--connect-timeout",
    "0.5",
  );
  silent.stop(true);
  expect(result.connections.failures).toEqual([{ failure: { kind: "timeout", stage: "upgrade" }, count: 4 }]);
  expect(stderr).toContain("4 × timed out waiting for the upgrade");
});

test.concurrent("a name without an address is refused before anything is opened", async () => {
  const ended = await showdown("attack", "ws://no-such-name.invalid/");
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toMatch(/error: no-such-name\.invalid: no address is known by that name \(\w+\)\n/);
});

test.concurrent("a name is looked up once; its addresses are named first, and in the report the one that is used", async () => {
  const { result, stderr } = await attack(start(echo).replace("127.0.0.1", "localhost"), ...small);
  const { address, addresses, port } = result.plan.target;
  expect(address).toBe("127.0.0.1");
  const named = addresses.map((one) => (one.includes(":") ? `[${one}]:${port}` : `${one}:${port}`));
  expect(stderr).toStartWith(`Target: ws://localhost:${port}/ (${named.join(" or ")})\n`);
  expect(stderr).toContain(`ws://localhost:${port}/ at 127.0.0.1`);
});

test.concurrent.each([301, 401, 403, 404, 503])(
  "status %d at the upgrade is counted, and shown with its body",
  async (status) => {
    const body = `no: \x1b[31m${status}`;
    const headers = { location: "ws://127.0.0.1/elsewhere?token=hush" };
    const refuse = () => new Response(body, { status, ...(status === 301 ? { headers } : {}) });
    const { result, exitCode, stderr } = await attack(start(echo, { refuse }), ...small);
    expect(exitCode).toBe(15);
    expect(result.connections.failures).toEqual([{ failure: { kind: "http", status }, count: 4 }]);
    const location = status === 301 ? "ws://127.0.0.1/elsewhere?token=…" : null;
    expect(result.refusals).toEqual([{ status, location, body }]);
    expect(stderr).toContain(`"no: \\x1b[31m${status}"`);
  },
);

test.concurrent("some upgrades refused: counted, and the rest goes on", async () => {
  let asked = 0;
  const refuse = () => (++asked % 2 === 0 ? new Response("full", { status: 503 }) : null);
  const { result } = await attack(start(echo, { refuse }), ...small);
  expect(result.connections).toMatchObject({ opened: 2, failed: 2 });
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0 });
});

test.concurrent("a subprotocol that the server does not choose, and one that it does", async () => {
  // Bun.serve chooses the first one by itself.
  const picky = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => false });
  await once(picky, "listening");
  const { port } = picky.address() as AddressInfo;
  const refused = await attack(`ws://127.0.0.1:${port}/`, ...small, "--subprotocol", "chat.v9");
  picky.close();
  expect(refused.result.connections.failures).toEqual([
    { failure: { kind: "protocol", rule: "no-subprotocol-chosen" }, count: 4 },
  ]);
  const url = start(echo, { headers: { "Sec-WebSocket-Protocol": "chat.v2" } });
  const chosen = await attack(url, ...small, "--subprotocol", "chat.v1", "--subprotocol", "chat.v2");
  expect(chosen.result.messages).toMatchObject({ answered: 400 });
});

test.concurrent("1013 at once: opened, closed, and nothing was sent in vain", async () => {
  const { result, exitCode } = await attack(
    start(echo, { onOpen: (socket) => socket.close(1013, "try later") }),
    ...small,
  );
  expect(exitCode).toBe(15);
  expect(result.connections).toMatchObject({ opened: 4, died: 4, openAtEnd: 0 });
  expect(result.connections.deaths).toEqual([
    { failure: { kind: "close", code: 1013, reason: "try later" }, count: 4 },
  ]);
  expect(result.reason?.kind).toBe("all-connections-closed");
});

test.concurrent("a close in mid-run is counted by its code, its replies are lost on it, and the rest goes on", async () => {
  const closing: Parameters<typeof serve>[0] = (socket, message) => {
    if (socket.data.messages === 20 && String(message).endsWith(" of 1")) socket.close(4001, "bye");
    else socket.send(message);
  };
  const { result } = await attack(start(closing), ...small);
  expect(result.connections).toMatchObject({ opened: 4, died: 1, openAtEnd: 3 });
  expect(result.connections.deaths).toEqual([
    { failure: { kind: "close", code: 4001, reason: "bye" }, count: 1 },
  ]);
  expect(result.messages.lost).toBeGreaterThanOrEqual(1);
  expect(result.messages.lostOnClosed).toBe(result.messages.lost);
  expect(result.messages.sent + result.messages.unsent).toBe(400);
});

test.concurrent("with --reconnect what was closed comes back", async () => {
  const closing = oneIn(30, (socket) => void socket.close(4001, "bye"));
  const load = ["--rate", "400", "--duration", "1s", "--reconnect"];
  const { result } = await attack(start(closing), ...small, ...load);
  expect(result.connections.died).toBeGreaterThanOrEqual(4);
  expect(result.connections.reconnected).toBeGreaterThanOrEqual(3);
  expect(result.status).not.toBe("failed");
});

test.concurrent("with --reconnect a server that says 1013 each time is asked less and less often", async () => {
  let upgrades = 0;
  const onOpen = (socket: { close(code: number): void }) => {
    upgrades += 1;
    socket.close(1013);
  };
  const { result } = await attack(start(echo, { onOpen }), ...small, "--duration", "1s", "--reconnect");
  // After 100, 200, 400 ms: 4 of each; at an equal pace it would be 10.
  expect(upgrades).toBeGreaterThan(4);
  expect(upgrades).toBeLessThan(28);
  expect(result.connections.reconnected).toBe(result.connections.died - 4 + result.connections.openAtEnd);
});

test.concurrent("a server that does not echo: said plainly, with what it says and what to do", async () => {
  const { result, stderr } = await attack(
    start((socket) => void socket.send('{"ok":true}')),
    ...small,
  );
  expect(result.messages).toMatchObject({ sent: 400, answered: 0, lost: 400, unmatched: 400 });
  expect(stderr).toContain("The server does not echo");
  expect(stderr).toContain("--reply");
  expect(stderr).toContain('"{"ok":true}"');
});

test.concurrent("replies that are looked for by a pointer and never match are lost, and shown", async () => {
  const message = ["--message", '{"id":{{sequence}}}', "--reply", "json:/reply/id"];
  const { result, stderr } = await attack(start(echo), ...small, ...message);
  expect(result.messages).toMatchObject({ sent: 400, answered: 0, lost: 400, unmatched: 400 });
  expect(stderr).toContain("No message of the server is such a reply");
  expect(stderr).toMatch(/Unmatched: "{"id":\d+}"/);
});

test.concurrent("a server that says nothing", async () => {
  const { result, stderr } = await attack(
    start(() => {}),
    ...small,
  );
  expect(result.messages).toMatchObject({ sent: 400, answered: 0, lost: 400, unmatched: 0 });
  expect(stderr).toContain("The server answered nothing");
});

test.concurrent("a server that sends first is heard, and its greeting answers nothing", async () => {
  const { result } = await attack(start(echo, { onOpen: (socket) => void socket.send("welcome") }), ...small);
  expect(result.messages).toMatchObject({ answered: 400, lost: 0, unmatched: 4, received: 404 });
  expect(result.samples[0]?.text).toBe("welcome");
});

test.concurrent("upgrades carry headers, cookies and origin; values are kept out of the result", async () => {
  const seen: Record<string, string | null>[] = [];
  const refuse = ({ headers }: Request) => {
    seen.push({
      token: headers.get("x-token"),
      cookie: headers.get("cookie"),
      origin: headers.get("origin"),
      host: headers.get("host"),
    });
    return null;
  };
  const { result, folder } = await attack(
    start(echo, { refuse }),
    ...small,
    ...[
      "--header",
      "X-Token: hush-1",
      "--cookie",
      "a=hush-2",
      "--cookie",
      "b=hush-3",
      "--origin",
      "http://x.test",
    ],
  );
  const { port } = result.plan.target;
  const expected = {
    token: "hush-1",
    cookie: "a=hush-2; b=hush-3",
    origin: "http://x.test",
    host: `127.0.0.1:${port}`,
  };
  expect(seen).toEqual(Array(4).fill(expected));
  for (const file of ["result.json", "report.md", "report.html"]) {
    expect(await Bun.file(join(folder, file)).text()).not.toContain("hush");
  }
});

const loopback = "ws://127.0.0.1:9/";
const users = join(import.meta.dir, "users.csv");

test.concurrent.each<[string, readonly string[], RegExp]>([
  ["no URL", [], /expected one URL, or a scenario, got none/],
  [
    "no WebSocket's URL",
    ["http://127.0.0.1:9/x"],
    /expected a URL such as ws:.*\n.*hint: give ws:\/\/127\.0\.0\.1:9\/x/,
  ],
  [
    "a user's name in the URL",
    ["ws://me:hush@127.0.0.1/"],
    /127\.0\.0\.1: expected a URL without a user's name/,
  ],
  [
    "an unknown field",
    [loopback, "--message", "{{sequnce}}"],
    /unknown field \{\{sequnce\}\}, did you mean "sequence"/,
  ],
  [
    "a file of rows that is not there",
    [loopback, "--data", "no.csv"],
    /--data no\.csv: .*(ENOENT|no such file)/i,
  ],
  ["too few rows", [loopback, "--data", users, "--connections", "5"], /4 rows for 5 connections/],
  ["stages that are none", [loopback, "--stages", "1m-1000"], /"1m-1000" is none/],
  ["stages of nothing", [loopback, "--stages", "1m:0"], /one of them above 0/],
  [
    "stages and a rate",
    [loopback, "--stages", "1m:5", "--rate", "5"],
    /--stages and --rate: expected one of them/,
  ],
  ["a pointer that is none", [loopback, "--reply", "json:id"], /JSON pointer that begins with a slash/],
  ["a pattern that is none", [loopback, "--reply", "regex:("], /expected a regular expression/],
  [
    "nothing to repeat",
    [loopback, "--message", "x", "--reply", "json:/id"],
    /neither \{\{sequence\}\} nor \{\{id\}\}/,
  ],
  ["an unknown adapter", [loopback, "--adapter", "eco"], /no adapter has that name, did you mean "echo"/],
  [
    "a module that is no adapter",
    [loopback, "--adapter", join(import.meta.dir, "servers.ts")],
    /no default export/,
  ],
  ["a header without a name", [loopback, "--header", "x"], /expected NAME: VALUE/],
  ["a header of the handshake", [loopback, "--header", "Upgrade: h2c"], /the handshake has its own/],
  ["a header with a line break", [loopback, "--header", "X: a\nY: b"], /expected NAME: VALUE/],
  ["a cookie without a name", [loopback, "--cookie", "x"], /--cookie: expected NAME=VALUE/],
  [
    "a subprotocol with a blank",
    [loopback, "--subprotocol", "a b"],
    /expected a name without blanks or commas/,
  ],
  ["a source that is no address", [loopback, "--source-address", "eth0"], /expected an IP address/],
  [
    "messages in flight of which none is answered",
    [loopback, "--in-flight", "2", "--reply", "none"],
    /--in-flight 2 and --reply none: expected a reply/,
  ],
  ["a message file that is not there", [loopback, "--message-file", "no.txt"], /--message-file no\.txt: /],
  [
    "a message and a file of one",
    [loopback, "--message", "x", "--message-file", users],
    /--message and --message-file: expected one of them/,
  ],
  [
    "more workers than connections",
    [loopback, "--connections", "1", "--workers", "2"],
    /at most one per connection/,
  ],
  [
    "a heavy load on a machine that is not near",
    ["ws://192.0.2.1/", "--connections", "1001"],
    /1,001 connections .* to ws:\/\/192\.0\.2\.1\/.* not without --yes/,
  ],
  [
    "a high rate there",
    ["ws://192.0.2.1/", "--rate", "10001"],
    /50 connections and 10,001 messages per second to .* not without --yes/,
  ],
])("%s is refused before anything is opened", async (_, args, message) => {
  const { exitCode, stdout, stderr } = await showdown("attack", ...args);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(message);
});
