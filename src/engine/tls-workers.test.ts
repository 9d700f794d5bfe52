import { afterAll, afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { Authority } from "../../test/support/certificates.ts";
import { nowUs } from "../machine/clock.ts";
import { plainTarget, type Target } from "./target.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { ConnectReport } from "./worker-protocol.ts";

setDefaultTimeout(30_000);

const host = "127.0.0.1";
const connections = 5;
const authority = new Authority();
const good = authority.issue("good", `IP:${host}`);
const tls = { serverName: host, ca: authority.own.cert, cert: null, key: null, verify: true };
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => authority.remove());

/** A worker's report of connections that open with their upgrade. */
async function connect(port: number, change: Partial<Target> = {}): Promise<ConnectReport> {
  const pool = new WorkerPool({ workers: 1, onConnectProgress: () => {}, onPhaseProgress: () => {} });
  stops.push(() => pool.end());
  const setup = {
    ...{
      worker: 0,
      workers: 1,
      machines: 1,
      connections,
      joins: [],
      sourceAddresses: [],
      messageBytes: 150,
      seed: 1,
    },
    ...({ framing: "single", pacing: "timer", protocol: "chaos-chat", cpus: null } as const),
    epochUs: Math.floor(nowUs()),
    connectTimeoutMs: 500,
    target: { ...plainTarget(host, port, "/ws"), tls, ...change },
  };
  await pool.setup([setup]);
  const [report] = await pool.connect([connections]);
  if (report === undefined) throw new Error("no report");
  return report;
}

function upgrading(certified = good): number {
  const server = Bun.serve({
    ...{ hostname: host, port: 0, tls: { cert: certified.cert, key: certified.key } },
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: { message() {} },
  });
  stops.push(() => server.stop(true));
  return server.port ?? 0;
}

test("the handshake is a figure of its own between TCP and the upgrade", async () => {
  const report = await connect(upgrading());
  expect(report).toMatchObject({ opened: connections, failures: [] });
  expect(report.tls?.count).toBe(connections);
  expect(report.tls?.min).toBeGreaterThan(0);
  expect(report.upgrade.count).toBe(connections);
});

test("a plain connection has no such figure", async () => {
  const server = Bun.serve({
    ...{ hostname: host, port: 0 },
    fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: { message() {} },
  });
  stops.push(() => server.stop(true));
  const report = await connect(server.port ?? 0, { tls: null });
  expect(report).toMatchObject({ opened: connections, tls: null });
});

test("each failure of TLS has its reason", async () => {
  const expired = authority.issue("expired", `IP:${host}`, -1);
  const report = await connect(upgrading(expired));
  expect(report.failures).toEqual([
    {
      failure: { kind: "tls", problem: "expired", reason: expect.stringContaining("expired") },
      count: connections,
    },
  ]);
});

test("a stall in the handshake is a timeout in TLS", async () => {
  const listener = Bun.listen({ hostname: host, port: 0, socket: { data() {} } });
  stops.push(() => listener.stop(true));
  const report = await connect(listener.port);
  expect(report.failures).toEqual([{ failure: { kind: "timeout", stage: "tls" }, count: connections }]);
});
