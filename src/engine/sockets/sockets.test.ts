import { FFIType } from "bun:ffi";
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Socket as ServerSocket } from "bun";
import { numbered } from "../../../test/support/numbered.ts";
import { until } from "../../../test/support/until.ts";
import { nowUs } from "../../machine/clock.ts";
import { openLibc } from "../../machine/libc.ts";
import { BunSockets } from "./bun-sockets.ts";
import { createSockets } from "./create-sockets.ts";
import { EpollSockets } from "./epoll-sockets.ts";
import { linuxSocketCalls } from "./linux-socket-calls.ts";
import type { Socket, SocketError, SocketOwner, Sockets } from "./socket.ts";
import { encodeSocketAddress } from "./socket-address.ts";

const host = "127.0.0.1";

/** One end of a connection at the server. */
interface Peer {
  readonly socket: ServerSocket<Peer>;
  received: Buffer[];
  ended: boolean;
  closed: boolean;
}

/** A server that does with its clients whatever the test says. */
class Server {
  readonly port: number;
  readonly peers: Peer[] = [];
  readonly #listener;

  constructor(reads = true, hostname = host) {
    this.#listener = Bun.listen<Peer>({
      hostname,
      port: 0,
      socket: {
        open: (socket) => {
          if (!reads) socket.pause();
          socket.data = { socket, received: [], ended: false, closed: false };
          this.peers.push(socket.data);
        },
        data: ({ data }, chunk) => {
          data.received.push(Buffer.from(chunk));
        },
        end: ({ data }) => {
          data.ended = true;
        },
        close: ({ data }) => {
          data.closed = true;
        },
        error: () => {},
      },
    });
    this.port = this.#listener.port;
    running.push(this);
  }

  get peer(): Peer {
    const [peer] = this.peers;
    if (peer === undefined) throw new Error("nobody has connected");
    return peer;
  }

  stop(): void {
    this.#listener.stop(true);
  }
}

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) server.stop();
});

const received = (peer: Peer) => Buffer.concat(peer.received);

async function writeAll(peer: Peer, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += Math.max(0, peer.socket.write(bytes.subarray(at)));
    await Bun.sleep(0);
  }
}

/** Writes down what it is told. */
class Owner implements SocketOwner {
  readonly told: string[] = [];
  readonly addresses: (string | null)[] = [];
  readonly received: Buffer[] = [];
  drains = 0;
  onData: () => void = () => {};

  onSocketOpen(): void {
    this.told.push("open");
  }
  onSocketData(bytes: Uint8Array, end: number): void {
    this.received.push(Buffer.from(bytes.subarray(0, end)));
    this.onData();
  }
  onSocketDrain(): void {
    this.drains += 1;
  }
  onSocketClose(error: SocketError | null): void {
    this.told.push(`close: ${error?.code ?? null}`);
    this.addresses.push(error?.address ?? null);
  }
  bytes(): Buffer {
    return Buffer.concat(this.received);
  }
}

interface Client {
  readonly owner: Owner;
  readonly socket: Socket;
}

function connect(sockets: Sockets, port: number, to = host, from: string | null = null): Client {
  const owner = new Owner();
  const socket = sockets.open({ host: to, port }, from, owner);
  // Whoever opens many counts them before the first one is told of.
  expect(owner.told).toEqual([]);
  return { owner, socket };
}

async function connectOpen(
  sockets: Sockets,
  server = new Server(),
): Promise<Client & { readonly peer: Peer }> {
  const count = server.peers.length;
  const client = connect(sockets, server.port);
  await until(() => client.owner.told.length > 0 && server.peers.length > count);
  expect(client.owner.told).toEqual(["open"]);
  return { ...client, peer: server.peers[count] as Peer };
}

/** Long enough for anything that should not come to come. */
const settle = () => Bun.sleep(30);

function readingLater(): Sockets {
  const sockets = createSockets();
  sockets.readLater();
  return sockets;
}

const kinds: [string, () => Sockets][] = [["Bun", () => new BunSockets()]];
if (linuxSocketCalls !== null) {
  const calls = linuxSocketCalls;
  kinds.push(["epoll", () => new EpollSockets(calls)]);
  kinds.push(["epoll that reads later", readingLater]);
  // As on kernels before 5.11.
  kinds.push(["epoll by milliseconds", () => new EpollSockets({ ...calls, epoll_pwait2: null })]);
}

describe.each(kinds)("%s", (kind, create) => {
  test("bytes go both ways, and a part of a buffer goes as that part", async () => {
    const { socket, owner, peer } = await connectOpen(create());
    expect(socket.write(Buffer.from("0123456789"), 3, 6)).toBe(3);
    peer.socket.write("hello");
    await until(() => owner.received.length > 0 && peer.received.length > 0);
    expect(received(peer).toString()).toBe("345");
    expect(owner.bytes().toString()).toBe("hello");
  });

  test.each(["127.0.0.1", "::1"])("it connects to %s", async (to) => {
    const server = new Server(true, to === "::1" ? "::1" : host);
    const { owner } = connect(create(), server.port, to);
    await until(() => owner.told.length > 0);
    expect(owner.told).toEqual(["open"]);
  });

  test.if(process.platform === "linux")("it connects from the address it is given", async () => {
    const server = new Server();
    const { owner } = connect(create(), server.port, host, "127.0.77.7");
    await until(() => owner.told.length > 0 && server.peers.length > 0);
    expect(server.peer.socket.remoteAddress).toBe("127.0.77.7");
  });

  test("it tells which addresses can be connected from", () => {
    const sockets = create();
    expect([host, "203.0.113.1"].map((address) => sockets.canBind(address))).toEqual([true, false]);
  });

  test("nobody listening and a name are told as such, once", async () => {
    const server = new Server();
    server.stop();
    const sockets = create();
    const refused = connect(sockets, server.port);
    const nameless = connect(sockets, server.port, "no-such-name.invalid");
    await until(() => refused.owner.told.length > 0 && nameless.owner.told.length > 0);
    await settle();
    expect(refused.owner.told).toEqual(["close: ECONNREFUSED"]);
    expect(refused.owner.addresses).toEqual([`${host}:${server.port}`]);
    expect(nameless.owner.told).toHaveLength(1);
    expect(nameless.owner.told[0]).toMatch(/ENOTFOUND|EAI_AGAIN|EINVAL/);
  });

  test("the peer's end and its reset are told apart, once", async () => {
    const sockets = create();
    const server = new Server();
    const ended = await connectOpen(sockets, server);
    const reset = await connectOpen(sockets, server);
    ended.peer.socket.end();
    reset.peer.socket.terminate();
    await until(() => ended.owner.told.length > 1 && reset.owner.told.length > 1);
    await settle();
    expect(ended.owner.told).toEqual(["open", "close: null"]);
    expect(reset.owner.told).toEqual(["open", "close: ECONNRESET"]);
    await until(() => ended.peer.closed);
  });

  test("what the peer sent before its end arrives first, all of it", async () => {
    const { owner, peer } = await connectOpen(create());
    const bytes = numbered(3 << 20);
    await writeAll(peer, bytes);
    peer.socket.end();
    await until(() => owner.told.length > 1);
    expect(owner.bytes().equals(bytes)).toBe(true);
    expect(owner.told).toEqual(["open", "close: null"]);
  });

  test("a peer that reads late gets every byte, through partial writes and drains", async () => {
    const { socket, owner, peer } = await connectOpen(create(), new Server(false));
    const bytes = numbered(16 << 20);
    let at = 0;
    let refusals = 0;
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + 1_000_003);
      const written = socket.write(bytes, at, end);
      at += written;
      if (at === end) continue;
      refusals += 1;
      const { drains } = owner;
      if (refusals === 1) {
        // Nothing more is taken until there is room; later on the peer may make some at any time.
        expect(socket.write(bytes, at, at + 1)).toBe(0);
        await settle();
        expect(owner.drains).toBe(drains);
        peer.socket.resume();
      }
      await until(() => owner.drains > drains);
    }
    expect(refusals).toBeGreaterThan(0);
    await until(() => peer.received.reduce((sum, { length }) => sum + length, 0) === bytes.length);
    expect(received(peer).equals(bytes)).toBe(true);
  });

  test("ended, what was written still arrives, though unread bytes wait here", async () => {
    const { socket, owner, peer } = await connectOpen(create());
    peer.socket.write("unread");
    socket.write(Buffer.from("the last words"), 0, 14);
    socket.end();
    await until(() => peer.closed || peer.ended);
    // Bun may send a reset behind them.
    if (kind !== "Bun") expect(peer.ended).toBe(true);
    expect(received(peer).toString()).toBe("the last words");
    peer.socket.end();
    await settle();
    expect(owner.told).toEqual(["open"]);
  });

  test.each(["", "unread"])(
    "reset, it is gone at once and nothing more is told (%p waits)",
    async (unread) => {
      const { socket, owner, peer } = await connectOpen(create());
      peer.socket.write(unread);
      socket.reset();
      expect(socket.write(Buffer.from("x"), 0, 1)).toBe(0);
      await until(() => peer.closed);
      // An end would leave the port in TIME_WAIT.
      expect(peer.ended).toBe(false);
      await settle();
      expect(owner.told).toEqual(["open"]);
      expect(owner.received).toEqual([]);
      // Closing twice is not closing somebody else's.
      socket.reset();
      socket.end();
    },
  );

  test("reset before it opened, it never opens", async () => {
    const { socket, owner } = connect(create(), new Server().port);
    socket.reset();
    await settle();
    expect(owner.told).toEqual([]);
  });

  test("while reading is paused everything waits, and nothing is lost", async () => {
    const { socket, owner, peer } = await connectOpen(create());
    socket.pauseReading();
    const bytes = numbered(1 << 20);
    const writing = writeAll(peer, bytes);
    await settle();
    expect(owner.received).toEqual([]);
    socket.resumeReading();
    await writing;
    await until(() => owner.bytes().length === bytes.length);
    socket.pauseReading();
    peer.socket.write("more");
    await settle();
    socket.resumeReading();
    await until(() => owner.bytes().length > bytes.length);
    expect(owner.bytes().equals(Buffer.concat([bytes, Buffer.from("more")]))).toBe(true);
    expect(owner.told).toEqual(["open"]);
  });

  test("closed in the callback of another, nothing more is told, though its number is given out again", async () => {
    const sockets = create();
    const server = new Server();
    const clients: Client[] = [];
    for (let number = 0; number < 40; number += 1) clients.push(await connectOpen(sockets, server));
    const successors: Client[] = [];
    // The first to hear something closes all others, and new ones take their descriptors at once.
    let isFirst = true;
    for (const client of clients) {
      client.owner.onData = () => {
        if (!isFirst) return;
        isFirst = false;
        for (const other of clients) if (other !== client) other.socket.reset();
        for (let number = 0; number < 39; number += 1) successors.push(connect(sockets, server.port));
      };
    }
    for (const { socket } of [...server.peers]) socket.write("to all");
    await until(() => successors.length === 39 && successors.every(({ owner }) => owner.told.length > 0));
    await settle();
    expect(clients.filter(({ owner }) => owner.received.length > 0)).toHaveLength(1);
    for (const { owner } of clients) expect(owner.told).toEqual(["open"]);
    for (const { owner } of successors) {
      expect(owner.told).toEqual(["open"]);
      expect(owner.received).toEqual([]);
    }
  });

  test("a server that dies with a thousand connections is told a thousand times", async () => {
    const sockets = create();
    const server = new Server();
    const clients = Array.from({ length: 1000 }, () => connect(sockets, server.port));
    await until(() => clients.every(({ owner }) => owner.told.length > 0) && server.peers.length === 1000);
    for (const { socket } of server.peers) socket.terminate();
    await until(() => clients.every(({ owner }) => owner.told.length > 1));
    await settle();
    for (const { owner } of clients) expect(owner.told).toEqual(["open", "close: ECONNRESET"]);
  });

  test("a write to a connection that is gone takes nothing, and its death is told once", async () => {
    const { socket, owner, peer } = await connectOpen(create());
    peer.socket.terminate();
    await until(() => peer.closed);
    // Written before this side has looked.
    const bytes = Buffer.alloc(1000);
    for (let writes = 0; writes < 3; writes += 1) socket.write(bytes, 0, bytes.length);
    await until(() => owner.told.length > 1);
    await settle();
    expect(owner.told).toHaveLength(2);
    // In Bun the write takes the error away with it.
    expect(owner.told[1]).toMatch(
      kind === "Bun" ? /^close: (ECONNRESET|null)$/ : /^close: (ECONNRESET|EPIPE)$/,
    );
  });

  test("turns go on in between arrivals, timers too, until rest", async () => {
    const sockets = create();
    const { owner, peer } = await connectOpen(sockets);
    let turns = 0;
    sockets.pace(() => {
      turns += 1;
      return 0;
    }, 16);
    const bytes = numbered(200_000);
    await writeAll(peer, bytes);
    await until(() => owner.bytes().length === bytes.length);
    await Bun.sleep(20);
    expect(turns).toBeGreaterThan(100);
    sockets.rest();
    const before = turns;
    await settle();
    expect(turns).toBe(before);
    // Not paced, it still reads.
    peer.socket.write("still");
    await until(() => owner.bytes().length > bytes.length);
  });

  test("a turn comes when it asked for it, not before", async () => {
    const sockets = create();
    await connectOpen(sockets);
    const before = process.cpuUsage();
    const atUs: number[] = [];
    sockets.pace(() => {
      const nowUs = performance.now() * 1000;
      const dueUs = atUs.at(-1) ?? 0;
      if (nowUs >= dueUs) atUs.push(nowUs + 3000);
      return (atUs.at(-1) as number) - nowUs;
    }, 16);
    await Bun.sleep(200);
    sockets.rest();
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(40);
    // 66 on a machine that has nothing else to do.
    expect(atUs.length).toBeGreaterThan(20);
    expect(atUs.length).toBeLessThan(70);
  });

  test("waiting costs next to nothing", async () => {
    const sockets = create();
    const server = new Server();
    for (let number = 0; number < 20; number += 1) await connectOpen(sockets, server);
    await Bun.sleep(100);
    const before = process.cpuUsage();
    const fromMs = performance.now();
    await Bun.sleep(1000);
    const { user, system } = process.cpuUsage(before);
    const share = (user + system) / 1000 / (performance.now() - fromMs);
    expect(share).toBeLessThan(0.1);
  });

  // A process of its own, since nothing works where descriptors have run out.
  test("without descriptors left the error is EMFILE", async () => {
    const server = new Server();
    const script = `
      import { BunSockets } from ${JSON.stringify(join(import.meta.dir, "bun-sockets.ts"))};
      import { EpollSockets } from ${JSON.stringify(join(import.meta.dir, "epoll-sockets.ts"))};
      import { linuxSocketCalls } from ${JSON.stringify(join(import.meta.dir, "linux-socket-calls.ts"))};
      const sockets = ${kind === "Bun" ? "new BunSockets()" : "new EpollSockets(linuxSocketCalls, 64)"};
      const told = [];
      let opened = 0;
      const owner = () => ({ onSocketOpen: () => void opened++, onSocketData() {}, onSocketDrain() {}, onSocketClose: (error) => void told.push(error.code) });
      for (let number = 0; number < 100; number += 1) sockets.open({ host: "127.0.0.1", port: ${server.port} }, null, owner());
      while (opened + told.length < 100) await Bun.sleep(5);
      // Asking for it takes a descriptor.
      ${kind === "Bun" ? "" : "process.memoryUsage.rss();"}
      console.log(JSON.stringify({ opened, reasons: [...new Set(told)] }));
      process.exit();`;
    const child = Bun.spawn(["sh", "-c", 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, script], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const { opened, reasons } = JSON.parse(await new Response(child.stdout).text());
    expect(opened).toBeGreaterThan(20);
    expect(opened).toBeLessThan(64);
    expect(reasons).toEqual(["EMFILE"]);
  });
});

test.if(linuxSocketCalls !== null)(
  "an address that is not this machine's is told as EADDRNOTAVAIL",
  async () => {
    if (linuxSocketCalls === null) return;
    const { owner } = connect(new EpollSockets(linuxSocketCalls), new Server().port, host, "203.0.113.1");
    await until(() => owner.told.length > 0);
    expect(owner.told).toEqual(["close: EADDRNOTAVAIL"]);
    expect(owner.addresses).toEqual(["203.0.113.1"]);
  },
);

test.if(linuxSocketCalls !== null)(
  "a write of its own is a segment of its own, and a hundred messages in one write are one",
  async () => {
    if (linuxSocketCalls === null) return;
    const { socket, owner, peer } = await connectOpen(new EpollSockets(linuxSocketCalls));
    peer.socket.setNoDelay(true);
    expect(socket.segmentsIn()).toBe(0);
    // Each waits for the one before: past the congestion window the kernel joins what waits.
    for (let message = 1; message <= 20; message += 1) {
      peer.socket.write(numbered(120));
      await until(() => owner.bytes().length === message * 120);
    }
    expect(socket.segmentsIn()).toBe(20);
    peer.socket.write(numbered(100 * 120));
    await until(() => owner.bytes().length === 120 * 120);
    expect(socket.segmentsIn()).toBe(21);
    socket.reset();
    expect(socket.segmentsIn()).toBeNull();
  },
);

test("Bun's own sockets don't tell of segments", async () => {
  const { socket } = await connectOpen(new BunSockets());
  expect(socket.segmentsIn()).toBeNull();
});

test.each(kinds.filter(([name]) => name === "epoll that reads later"))(
  "%s: what waited is told with the time at which it arrived",
  async (_, create) => {
    const sockets = create();
    const { owner, peer } = await connectOpen(sockets);
    let [sentUs, arrivalUs, readUs] = [0, 0, 0];
    let hasSent = false;
    owner.onData = () => {
      arrivalUs = sockets.arrivalUs();
      readUs = nowUs();
    };
    sockets.pace(() => {
      if (hasSent) return 1000;
      hasSent = true;
      sentUs = nowUs();
      peer.socket.write("a byte or two");
      // Loopback has handed it over by then; it is read after this turn.
      while (nowUs() < sentUs + 30_000) {}
      return 1000;
    }, 16);
    await until(() => readUs > 0);
    sockets.rest();
    expect(readUs - sentUs).toBeGreaterThan(30_000);
    // A microsecond of rounding on either clock.
    expect(arrivalUs - sentUs).toBeGreaterThan(-2);
    expect(arrivalUs - sentUs).toBeLessThan(15_000);
  },
);

test.if(linuxSocketCalls !== null)(
  "with more processes than CPUs each wakes up more rarely, whether it waits for arrivals or sends",
  async () => {
    const whileIdle = async (crowd: number) => {
      const { sockets, wakes } = countWakes(crowd);
      const { peer, socket } = await connectOpen(sockets);
      const before = wakes();
      for (let sent = 0; sent < 20; sent += 1) {
        peer.socket.write("a byte or two");
        await Bun.sleep(10);
      }
      socket.reset();
      return wakes() - before;
    };
    const whilePaced = async (crowd: number) => {
      const { sockets, wakes } = countWakes(crowd);
      sockets.readLater();
      sockets.pace(() => Number.POSITIVE_INFINITY, 16);
      await Bun.sleep(300);
      sockets.rest();
      return wakes();
    };
    expect(1.5 * (await whileIdle(16))).toBeLessThan(await whileIdle(1));
    expect(4 * (await whilePaced(16))).toBeLessThan(await whilePaced(1));
  },
);

/** Sockets of one of so many processes for each CPU, and how often its waits have ended. */
function countWakes(crowd: number): { readonly sockets: Sockets; readonly wakes: () => number } {
  if (linuxSocketCalls === null) throw new Error("no C library");
  const { clock_nanosleep, epoll_wait, epoll_pwait2 } = linuxSocketCalls;
  let count = 0;
  const counting = <Call extends (...given: never[]) => number>(call: Call): Call =>
    new Proxy(call, {
      apply: (target, self, given) => {
        count += 1;
        return Reflect.apply(target, self, given);
      },
    });
  const calls = {
    ...linuxSocketCalls,
    clock_nanosleep: counting(clock_nanosleep),
    epoll_wait: counting(epoll_wait),
    epoll_pwait2: epoll_pwait2 === null ? null : counting(epoll_pwait2),
  };
  return { sockets: new EpollSockets(calls, null, crowd), wakes: () => count };
}

test.if(linuxSocketCalls !== null)("events of a descriptor's past do not open its next socket", async () => {
  if (linuxSocketCalls === null) return;
  const sockets = new EpollSockets(linuxSocketCalls);
  const server = new Server();
  const full = openFullListener();
  const clients: Client[] = [];
  for (let number = 0; number < 20; number += 1) clients.push(await connectOpen(sockets, server));
  const successors: Client[] = [];
  for (const client of clients) {
    client.owner.onData = () => {
      if (successors.length > 0) return;
      for (const other of clients) if (other !== client) other.socket.reset();
      for (let number = 0; number < 19; number += 1) successors.push(connect(sockets, full.port));
    };
  }
  for (const { socket } of server.peers) socket.write("to all");
  await until(() => successors.length > 0);
  await settle();
  // The listener's queue holds one or two; the SYNs of all others are dropped, and they wait on.
  const told = successors.filter(({ owner }) => owner.told.length > 0);
  expect(told.length).toBeLessThan(3);
  for (const { socket } of successors) socket.reset();
  full.close();
});

/** Listens without ever accepting. Bun's own always accepts. */
function openFullListener(): { readonly port: number; close(): void } {
  const ints = [FFIType.i32, FFIType.ptr, FFIType.u32] as const;
  const calls = openLibc("linux", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    bind: { args: ints, returns: FFIType.i32 },
    listen: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    close: { args: [FFIType.i32], returns: FFIType.i32 },
  });
  if (calls === null || linuxSocketCalls === null) throw new Error("no C library");
  const descriptor = calls.socket(2, 1, 0);
  for (let port = 30_000 + (process.pid % 2000); port < 32_700; port += 1) {
    const address = encodeSocketAddress(linuxSocketCalls, host, port);
    if (address === null || calls.bind(descriptor, address, address.length) !== 0) continue;
    expect(calls.listen(descriptor, 0)).toBe(0);
    return { port, close: () => void calls.close(descriptor) };
  }
  throw new Error("no free port from 30,000 to 32,700");
}
