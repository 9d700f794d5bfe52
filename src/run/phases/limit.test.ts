import { expect, test } from "bun:test";
import { type LimitEvidence, nameLimit } from "./limit.ts";

const nothing: LimitEvidence = {
  requested: 25_000,
  opened: 16_384,
  failedByReason: { "connect: ETIMEDOUT": 12 },
  serverDescriptors: { open: 500, limit: 20_000 },
  generatorDescriptorLimit: 20_000,
  workers: 2,
  portRange: [32_768, 60_999],
  sourceAddresses: 1,
  listenOverflows: 0,
  acceptQueueLimit: 4096,
  freeMemoryShare: 0.5,
};

test("all connections open is no limit, whatever else was near", () => {
  expect(nameLimit({ ...nothing, opened: 25_000, freeMemoryShare: 0, listenOverflows: 9 })).toBeNull();
});

const refused = { "handshake refused: HTTP 503": 4000, "connect: ECONNREFUSED": 5 };
const outOfPorts = { "connect: EADDRNOTAVAIL": 100 };
test.each<[name: string, value: number | null, says: string, evidence: Partial<LimitEvidence>]>([
  [
    "generator-descriptors",
    20_000,
    "the generator's descriptor limit (RLIMIT_NOFILE 20,000 per process, 2 workers)",
    { failedByReason: { "generator-descriptors": 3 } },
  ],
  [
    "server-descriptors",
    20_000,
    "the server's descriptor limit (RLIMIT_NOFILE 20,000 per process, 19,990 in use)",
    { serverDescriptors: { open: 19_990, limit: 20_000 } },
  ],
  [
    "port-range",
    28_232,
    "the generator's port range (28,232 ports for each of 1 source addresses)",
    { failedByReason: outOfPorts },
  ],
  ["port-range", null, "(unknown ports for each of", { failedByReason: outOfPorts, portRange: null }],
  ["memory", 2, "the machine's memory (2 % left)", { freeMemoryShare: 0.02 }],
  ["refused", null, "the server refused the rest (handshake refused: HTTP 503)", { failedByReason: refused }],
  [
    "backlog",
    4096,
    "the accept queue (at most 4,096 by net.core.somaxconn) overflowed 7 times",
    { listenOverflows: 7 },
  ],
  ["unresponsive", null, "no limit was hit, but connect: ETIMEDOUT", {}],
  ["unresponsive", null, "no limit was hit, but unknown", { failedByReason: {} }],
])("%s, %p: %s", (name, value, says, evidence) => {
  const limit = nameLimit({ ...nothing, ...evidence });
  expect(limit).toMatchObject({ name, value });
  expect(limit?.text).toStartWith("16,384 of 25,000 connections opened: ");
  expect(limit?.text).toContain(says);
});

test.each<[surer: string, evidence: Partial<LimitEvidence>]>([
  [
    "generator-descriptors",
    {
      failedByReason: { "generator-descriptors": 1, ...outOfPorts },
      serverDescriptors: { open: 9, limit: 9 },
    },
  ],
  [
    "server-descriptors",
    { serverDescriptors: { open: 9, limit: 9 }, failedByReason: refused, freeMemoryShare: 0 },
  ],
  ["port-range", { failedByReason: { ...refused, ...outOfPorts }, listenOverflows: 5 }],
  ["refused", { failedByReason: refused, listenOverflows: 5 }],
])("%s goes before what it brings with it", (name, evidence) => {
  expect(nameLimit({ ...nothing, ...evidence })?.name).toBe(name);
});

test("what is unknown is no evidence", () => {
  const blind = {
    serverDescriptors: { open: null, limit: null },
    listenOverflows: null,
    freeMemoryShare: null,
  };
  expect(nameLimit({ ...nothing, ...blind })?.name).toBe("unresponsive");
});
