import { expect, test } from "bun:test";
import type { ConnectionFailure, Failures, Limit } from "../../result/reasons.ts";
import { type LimitEvidence, nameLimit } from "./limit.ts";

const system = (code: string): ConnectionFailure => ({ kind: "system", code, address: null });
const of = (...failures: readonly ConnectionFailure[]): Failures =>
  failures.map((failure) => ({ failure, count: 100 }));

const nothing: LimitEvidence = {
  requested: 25_000,
  opened: 16_384,
  failures: of(system("ETIMEDOUT")),
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

const full: ConnectionFailure = { kind: "http", status: 503 };
const refused = of(full, system("ECONNREFUSED"));
const outOfPorts = of(system("EADDRNOTAVAIL"));
const noDescriptors = of({ kind: "generator-descriptors" });

test.each<[evidence: Partial<LimitEvidence>, limit: Limit]>([
  [{ failures: noDescriptors }, { kind: "generator-descriptors", perProcess: 20_000, workers: 2 }],
  [
    { serverDescriptors: { open: 19_990, limit: 20_000 } },
    { kind: "server-descriptors", perProcess: 20_000, inUse: 19_990 },
  ],
  [{ failures: outOfPorts }, { kind: "port-range", ports: 28_232, sourceAddresses: 1 }],
  [
    { failures: outOfPorts, portRange: null },
    { kind: "port-range", ports: null, sourceAddresses: 1 },
  ],
  [{ freeMemoryShare: 0.02 }, { kind: "memory", freeShare: 0.02 }],
  [{ failures: refused }, { kind: "refused", failure: full }],
  [{ listenOverflows: 7 }, { kind: "accept-queue", length: 4096, overflows: 7 }],
  [{}, { kind: "unresponsive", failure: system("ETIMEDOUT") }],
  [{ failures: of({ kind: "not-attempted" }) }, { kind: "unresponsive", failure: null }],
])("%j", (evidence, limit) => {
  expect(nameLimit({ ...nothing, ...evidence })).toEqual(limit);
});

test.each<[surer: Limit["kind"], evidence: Partial<LimitEvidence>]>([
  [
    "generator-descriptors",
    { failures: [...outOfPorts, ...noDescriptors], serverDescriptors: { open: 9, limit: 9 } },
  ],
  ["server-descriptors", { serverDescriptors: { open: 9, limit: 9 }, failures: refused, freeMemoryShare: 0 }],
  ["port-range", { failures: [...refused, ...outOfPorts], listenOverflows: 5 }],
  ["refused", { failures: refused, listenOverflows: 5 }],
])("%s goes before what it brings with it", (kind, evidence) => {
  expect(nameLimit({ ...nothing, ...evidence })?.kind).toBe(kind);
});

test("what is unknown is no evidence", () => {
  const blind = {
    serverDescriptors: { open: null, limit: null },
    listenOverflows: null,
    freeMemoryShare: null,
  };
  expect(nameLimit({ ...nothing, ...blind })?.kind).toBe("unresponsive");
});
