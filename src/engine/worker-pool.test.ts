import { afterEach, expect, test } from "bun:test";
import type { Server, ServerWebSocket } from "bun";
import { until } from "../../test/support/until.ts";
import { nowUs } from "../machine/clock.ts";
import { openProcessLink, type ProcessLink } from "./process-link.ts";
import { plainTarget } from "./target.ts";
import { WorkerFault } from "./worker-fault.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { PhaseOrder, PhaseProgress, WorkerSetup } from "./worker-protocol.ts";

type Peer = ServerWebSocket<undefined>;

/** A chat server for the workers, which does with what it gets whatever the test says. */
class Chat {
  readonly server: Server<undefined>;
  messages = 0;
  onJoined: (peer: Peer) => void = () => {};
  onMessage: (peer: Peer, text: string) => void = (peer, text) => void peer.sendText(text);
  onClosed: () => void = () => {};

  constructor() {
    this.server = Bun.serve<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 404 })),
      websocket: {
        // Only with who asks for it.
        perMessageDeflate: true,
        close: () => this.onClosed(),
        message: (peer, message) => {
          const text = String(message);
          if (text.startsWith('{"type":"join"')) {
            peer.sendText(text.replace('"join"', '"joined"'));
            this.onJoined(peer);
            return;
          }
          this.messages += 1;
          this.onMessage(peer, text);
        },
      },
    });
    chats.push(this);
  }
}

const chats: Chat[] = [];
const pools: WorkerPool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
  for (const { server } of chats.splice(0)) await server.stop(true);
});

const workers = 2;
const epochUs = Math.floor(nowUs());

class Crowd {
  readonly links: ProcessLink[] = [];
  readonly progress: (PhaseProgress | null)[] = new Array<null>(workers).fill(null);
  readonly pool: WorkerPool;
  readonly #setups: readonly WorkerSetup[];

  constructor({ server }: Chat, changes: Partial<WorkerSetup> = {}) {
    this.pool = new WorkerPool({
      workers,
      onConnectProgress: () => {},
      onPhaseProgress: (worker, progress) => {
        this.progress[worker] = progress;
      },
      openLink: (worker, listener) => {
        const link = openProcessLink(worker, listener);
        this.links.push(link);
        return link;
      },
    });
    pools.push(this.pool);
    this.#setups = Array.from({ length: workers }, (_, worker) => ({
      worker,
      workers,
      connections: 10,
      machines: 1,
      joins: [{ first: 0, count: 1 }],
      target: plainTarget("127.0.0.1", server.port ?? 0, "/ws"),
      sourceAddresses: [],
      messageBytes: 150,
      framing: "single",
      seed: 1,
      epochUs,
      cpus: null,
      pacing: "timer",
      protocol: "chaos-chat",
      connectTimeoutMs: 5000,
      ...changes,
    }));
  }

  setup() {
    return this.pool.setup(this.#setups);
  }

  connect() {
    return this.pool.connect([1, 1]);
  }

  prepare(phase: number, sends = 5): Promise<void> {
    const order: PhaseOrder = {
      phase,
      workload: "echo",
      pattern: { kind: "burst", batch: 10 },
      echoSends: sends,
      rooms: null,
    };
    return this.pool.prepare([order, order]);
  }

  start(): void {
    this.progress.fill(null);
    this.pool.start(nowUs() - epochUs + 20_000);
  }

  async sent(): Promise<void> {
    await until(() => this.progress.every((one) => one?.finishedSending));
  }

  async arrived(): Promise<void> {
    await until(() => this.progress.every((one) => one?.finishedSending && one.delivered >= one.expected));
  }
}

async function connected(chat = new Chat()) {
  const crowd = new Crowd(chat);
  await crowd.setup();
  const reports = await crowd.connect();
  expect(reports.map(({ opened }) => opened)).toEqual([5, 5]);
  return { chat, crowd };
}

test("phase after phase begins when everybody is ready, and its messages begin at 1", async () => {
  const { chat, crowd } = await connected();
  const seqs = new Set<unknown>();
  chat.onMessage = (peer, text) => {
    seqs.add(JSON.parse(text).seq);
    peer.sendText(text);
  };
  for (const phase of [1, 2, 3]) {
    chat.messages = 0;
    await crowd.prepare(phase, 10);
    await Bun.sleep(30);
    expect(chat.messages).toBe(0);
    crowd.start();
    await crowd.arrived();
    const reports = await crowd.pool.settle();
    expect(reports.map(({ sent, delivered, late }) => [sent, delivered, late])).toEqual([
      [10, 10, 0],
      [10, 10, 0],
    ]);
  }
  expect([...seqs].sort()).toEqual([1, 2]);
});

test("what a server holds back until the next phase is late there, and lost in its own", async () => {
  const { chat, crowd } = await connected();
  const held: (() => void)[] = [];
  chat.onMessage = (peer, text) => held.push(() => peer.sendText(text));
  await crowd.prepare(1);
  crowd.start();
  await crowd.sent();
  await until(() => held.length === 10);
  const first = await crowd.pool.settle();
  expect(first.map(({ delivered, expected }) => [delivered, expected])).toEqual([
    [0, 5],
    [0, 5],
  ]);
  await crowd.prepare(2);
  for (const release of held) release();
  chat.onMessage = (peer, text) => peer.sendText(text);
  crowd.start();
  await crowd.arrived();
  const second = await crowd.pool.settle();
  expect(second.map(({ delivered, late, corrupted }) => [delivered, late, corrupted])).toEqual([
    [5, 5, 0],
    [5, 5, 0],
  ]);
});

test("a phase that was prepared and never started is settled as one in which nothing was sent", async () => {
  const { crowd } = await connected();
  await crowd.prepare(1);
  const reports = await crowd.pool.settle();
  expect(reports.map(({ planned, sent, delivered }) => [planned, sent, delivered])).toEqual([
    [5, 0, 0],
    [5, 0, 0],
  ]);
});

test("connections that are closed while others still open are told apart from those open at the end", async () => {
  const chat = new Chat();
  let joined = 0;
  chat.onJoined = (peer) => {
    joined += 1;
    if (joined <= 4) peer.close(4001, `number ${joined}`);
  };
  const crowd = new Crowd(chat, { connections: 40 });
  await crowd.setup();
  const reports = await crowd.connect();
  const sum = (pick: (report: (typeof reports)[number]) => number) =>
    reports.reduce((all, report) => all + pick(report), 0);
  expect([sum(({ opened }) => opened), sum(({ open }) => open), sum(({ died }) => died)]).toEqual([
    40, 36, 4,
  ]);
  const deaths = reports.flatMap((report) => report.deaths.map(({ failure }) => failure));
  expect(deaths).toHaveLength(4);
  expect(deaths).toContainEqual({ kind: "close", code: 4001, reason: "number 1" });
});

test("a server with a reason of its own for each connection costs a bounded report", async () => {
  const chat = new Chat();
  const crowd = new Crowd(chat, { connections: 400 });
  const peers: Peer[] = [];
  chat.onJoined = (peer) => peers.push(peer);
  await crowd.setup();
  await crowd.connect();
  await crowd.prepare(1);
  for (const [number, peer] of peers.entries()) peer.close(4001, `${number} ${"x".repeat(100)}`);
  await Bun.sleep(200);
  const reports = await crowd.pool.settle();
  for (const { died, deaths } of reports) {
    expect(died).toBe(200);
    expect(deaths).toHaveLength(12);
    expect(deaths.at(-1)).toEqual({ failure: { kind: "other", distinct: 189 }, count: 189 });
  }
});

test("addresses that this machine does not have are done without", async () => {
  const chat = new Chat();
  const some = new Crowd(chat, { sourceAddresses: ["203.0.113.1", "127.0.0.1"] });
  expect((await some.setup()).map(({ sourceAddresses }) => sourceAddresses)).toEqual([
    ["127.0.0.1"],
    ["127.0.0.1"],
  ]);
  const none = new Crowd(chat, { sourceAddresses: ["203.0.113.1", "203.0.113.2"] });
  expect((await none.setup())[0]?.sourceAddresses).toEqual(["127.0.0.1"]);
  expect((await none.connect()).map(({ opened }) => opened)).toEqual([5, 5]);
});

test("a fault is injected and cleared at its times after the start, and who lost its connection comes back", async () => {
  const chat = new Chat();
  const members = new Set<Peer>();
  chat.onJoined = (peer) => members.add(peer);
  chat.onMessage = (_, text) => {
    for (const peer of members) peer.sendText(text);
  };
  const { crowd } = await connected(chat);
  const closedUs: number[] = [];
  chat.onClosed = () => closedUs.push(nowUs() - epochUs);
  const chaos = { fault: "resets", injectUs: 300_000, clearUs: 500_000, endUs: 800_000 } as const;
  const order: PhaseOrder = {
    phase: 1,
    workload: "broadcast",
    pattern: { kind: "steady", seconds: 0.8 },
    echoSends: 0,
    rooms: { group: { first: 0, count: 1 }, sends: 80, senders: [[0]], members: [8] },
    chaos: { ...chaos, faulty: [3, 6], garbage: 0, reconnectBatch: 5 },
  };
  await crowd.pool.prepare([order, order]);
  // Any time may pass in between: nothing hangs on it.
  await Bun.sleep(200);
  const startUs = nowUs() - epochUs + 20_000;
  crowd.pool.start(startUs);
  await Bun.sleep(1200);
  const reports = await crowd.pool.settle();
  const back = await crowd.pool.reconnect(2000);
  expect(back.map(({ wanted, opened }) => [wanted, opened])).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(closedUs).toHaveLength(2);
  for (const us of closedUs) expect(us - startUs).toBeGreaterThan(chaos.injectUs - 5000);
  const windows = [0, 1, 2].map((at) =>
    reports.reduce((all, report) => all + (report.chaos?.windows[at]?.count ?? 0), 0),
  );
  // Eight unaffected clients, a message each 10 ms.
  expect(windows.reduce((all, count) => all + count, 0)).toBe(640);
  expect(Math.abs((windows[0] ?? 0) - 240)).toBeLessThanOrEqual(40);
  expect(Math.abs((windows[1] ?? 0) - 160)).toBeLessThanOrEqual(40);
});

test("a worker that is killed is told with its signal, to those who wait and to those who look", async () => {
  const chat = new Chat();
  const { crowd } = await connected(chat);
  expect(crowd.pool.failed).toBeNull();
  await crowd.prepare(1);
  const pid = crowd.links[1]?.pid ?? 0;
  // It can't answer, but is not gone: so somebody waits when it is killed.
  process.kill(pid, "SIGSTOP");
  const waiting = crowd.pool.settle();
  process.kill(pid, "SIGKILL");
  await expect(waiting).rejects.toBeInstanceOf(WorkerFault);
  expect(crowd.pool.failed?.reason).toEqual({
    kind: "worker-exited",
    worker: 1,
    exit: { code: null, signal: "SIGKILL" },
  });
  await expect(crowd.pool.settle()).rejects.toBe(crowd.pool.failed as WorkerFault);
});

test("a worker in which something is thrown is told with the message", async () => {
  const { crowd } = await connected();
  const broken = {} as PhaseOrder;
  await expect(crowd.pool.prepare([broken, broken])).rejects.toBeInstanceOf(WorkerFault);
  const reason = crowd.pool.failed?.reason;
  expect(reason).toMatchObject({ kind: "worker-fault" });
  expect(reason?.kind === "worker-fault" ? reason.message : "").toContain("TypeError");
});

test("compressed messages are audited as others are, and their bytes counted on both sides of it", async () => {
  const chat = new Chat();
  chat.onMessage = (peer, text) => void peer.sendText(text, true);
  const target = plainTarget("127.0.0.1", chat.server.port ?? 0, "/ws");
  const messageBytes = 1000;
  const crowd = new Crowd(chat, { target: { ...target, compression: { takeover: false } }, messageBytes });
  await crowd.setup();
  await crowd.connect();
  for (const phase of [1, 2]) {
    await crowd.prepare(phase, 100);
    crowd.start();
    await crowd.arrived();
    for (const { sent, delivered, corrupted, compression } of await crowd.pool.settle()) {
      expect([sent, delivered, corrupted]).toEqual([100, 100, 0]);
      expect(compression).toMatchObject({
        connections: 5,
        sentPayloadBytes: 100 * messageBytes,
        receivedPayloadBytes: 100 * messageBytes,
      });
      // Half of a message is padding that repeats.
      for (const wireBytes of [compression?.sentWireBytes, compression?.receivedWireBytes]) {
        expect(wireBytes).toBeGreaterThan(100 * 50);
        expect(wireBytes).toBeLessThan((100 * messageBytes) / 2);
      }
    }
  }
});

test("without compression nothing is said of it", async () => {
  const { crowd } = await connected();
  await crowd.prepare(1);
  crowd.start();
  await crowd.arrived();
  for (const report of await crowd.pool.settle()) expect(report).not.toHaveProperty("compression");
});
