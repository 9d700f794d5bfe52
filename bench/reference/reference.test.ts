import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const gcc = Bun.which("gcc");
const node = Bun.which("node");
const built = mkdtempSync(join(tmpdir(), "ws-showdown-reference-"));
afterAll(() => rmSync(built, { recursive: true }));

function compile(name: string, folder = import.meta.dir, ...options: string[]): string {
  const program = join(built, [name, ...options].join(""));
  const { exitCode, stderr } = Bun.spawnSync(
    ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, `${name}.c`, ...options],
    { cwd: folder },
  );
  expect([exitCode, stderr.toString()]).toEqual([0, ""]);
  return program;
}

async function output(command: readonly string[]): Promise<Record<string, unknown>> {
  const child = Bun.spawn([...command], { stderr: "pipe" });
  const [text, error] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect(error).toBe("");
  return JSON.parse(text);
}

async function startServer() {
  const floor = join(import.meta.dir, "..", "..", "contenders", "c-floor");
  const child = Bun.spawn([compile("server", floor)], { env: { PORT: "0" }, stderr: "pipe" });
  for await (const bytes of child.stderr) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(new TextDecoder().decode(bytes))?.[1];
    if (port !== undefined) return { child, port };
  }
  throw new Error("c-floor did not start");
}

const answersAll = (result: Record<string, unknown>, least: number) => {
  expect(result.roundTrips).toBe(result.sent);
  expect(result.roundTrips).toBeGreaterThan(least);
  expect(result.latencyUs).toMatchObject({ count: result.sent });
};

test.skipIf(gcc === null)("the clients get every echo back from the C server", async () => {
  const { child, port } = await startServer();
  try {
    const client = compile("epoll-client");
    for (const bytes of ["80", "125", "126", "65536"]) {
      answersAll(await output([client, "127.0.0.1", port, "20", "0.1", bytes]), 19);
    }
    const open = await output([client, "127.0.0.1", port, "20", "0.2", "128", "5000"]);
    answersAll(open, 999);
    expect(open.sendLagUs).toMatchObject({ count: 1000 });
    const ticking = await output([client, "127.0.0.1", port, "20", "0.2", "128", "5000", "1000"]);
    answersAll(ticking, 999);

    if (node !== null) {
      const entrypoints = [join(import.meta.dir, "ws-client.ts")];
      await Bun.build({ entrypoints, target: "node", outdir: built, naming: "ws-client.mjs" });
      answersAll(
        await output([node, join(built, "ws-client.mjs"), "127.0.0.1", port, "20", "0.1", "128"]),
        19,
      );
    }
  } finally {
    child.kill();
  }
});

test.skipIf(gcc === null || !existsSync("/usr/include/zlib.h"))(
  "the C client inflates every echo that the mirror sends back",
  async () => {
    const child = Bun.spawn([compile("mirror")], { stdout: "pipe" });
    try {
      for await (const bytes of child.stdout) {
        const port = String(Number(new TextDecoder().decode(bytes)));
        const client = compile("epoll-client", import.meta.dir, "-DDEFLATE", "-lz");
        for (const size of ["100", "1000", "65536"]) {
          answersAll(await output([client, "127.0.0.1", port, "20", "0.1", size]), 19);
        }
        break;
      }
    } finally {
      child.kill();
    }
  },
);

/** A server's frame, which is not masked, of less than 64 KiB. */
function frame(first: number, payload: string): Buffer {
  const { length } = payload;
  const head = length < 126 ? [first, length] : [first, 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), Buffer.from(payload)]);
}

/** A server that answers each text with what `reply` says, one write per part, and collects the pongs. */
function oddServer(reply: (text: string) => Buffer[]) {
  const pongs: string[] = [];
  let rest: Buffer | null = null;
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void socket.setNoDelay(true),
      data(socket, bytes) {
        if (rest === null) {
          rest = Buffer.alloc(0);
          socket.write("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
          return;
        }
        rest = Buffer.concat([rest, bytes]);
        for (;;) {
          const length = (rest[1] ?? 0) & 0x7f;
          if (rest.length < 6 + length) return;
          const mask = rest.subarray(2, 6);
          expect(mask.some((byte) => byte !== 0)).toBeTrue();
          const text = Buffer.from(
            rest.subarray(6, 6 + length).map((byte, i) => byte ^ (mask[i & 3] ?? 0)),
          ).toString();
          if (rest[0] === 0x8a) pongs.push(text);
          else for (const part of reply(text)) socket.write(part);
          rest = rest.subarray(6 + length);
        }
      },
    },
  });
  return { server, port: String(server.port), pongs };
}

test.skipIf(gcc === null)("the C client understands pings, fragments and split frames", async () => {
  const styles: ((text: string) => Buffer[])[] = [
    (text) => [frame(0x89, "are you there"), frame(0x81, text)],
    (text) => [frame(0x01, text.slice(0, 40)), frame(0x89, ""), frame(0x80, text.slice(40))],
    (text) => [...frame(0x81, text)].map((byte) => Buffer.from([byte])),
  ];
  let replies = 0;
  const { server, port, pongs } = oddServer((text) => styles[replies++ % styles.length]?.(text) ?? []);
  const result = await output([compile("epoll-client"), "127.0.0.1", port, "1", "0.2", "100"]);
  server.stop(true);
  answersAll(result, 6);
  expect(replies).toBe(Number(result.sent));
  expect(new Set(pongs)).toEqual(new Set(["are you there", ""]));
});

test.skipIf(gcc === null)("the C client counts the messages of a batch, not its frames", async () => {
  let first: string | null = null;
  const { server, port } = oddServer((text) => {
    if (first === null) {
      first = text;
      return [];
    }
    const batch = frame(0x81, `${first}\n${text}`);
    first = null;
    return [batch];
  });
  const result = await output([compile("epoll-client"), "127.0.0.1", port, "1", "0.2", "100", "1000"]);
  server.stop(true);
  expect(result).toMatchObject({ sent: 200, roundTrips: 200 });
});

test.skipIf(gcc === null)("the C client says what is wrong", async () => {
  const client = compile("epoll-client");
  const error = async (...command: string[]) => {
    const child = Bun.spawn([client, ...command], { stderr: "pipe" });
    expect(await child.exited).toBe(1);
    return child.stderr.text();
  };
  expect(await error()).toStartWith("epoll-client: usage: ");
  expect(await error("127.0.0.1", "80", "1", "1", "20")).toBe(
    "epoll-client: MESSAGE_BYTES is 20, expected a number from 80 to 65536\n",
  );
  const { server, port } = oddServer((text) => [frame(0x81, `${text} and more`)]);
  expect(await error("127.0.0.1", port, "1", "1", "90")).toContain("a reply of 99 bytes, expected 90");
  server.stop(true);
  expect(await error("127.0.0.1", port, "1", "1", "90")).toContain("Connection refused");
});
