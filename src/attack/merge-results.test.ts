import { expect, test } from "bun:test";
import fc from "fast-check";
import { fixtureAttack, fixtureAttackPlan } from "../../test/support/fixture-attack.ts";
import type { AttackReport, OpenReport } from "../engine/attack/attack-orders.ts";
import { countOwn } from "../engine/places.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { countOf } from "../plan/attack/rate.ts";
import { type AttackResult, attackPartSchema, attackResultSchema } from "../result/attack.ts";
import type { Failures } from "../result/reasons.ts";
import { TimelineBuilder } from "../run/phases/timeline.ts";
import { Histogram, type SparseHistogram } from "../stats/histogram.ts";
import { mergeResults } from "./merge-results.ts";

const workers = 6;
const plan = fixtureAttackPlan(
  { connections: 120, ratePerSecond: 1001, workers, compression: "no-takeover" },
  {
    url: "wss://example.test/chat",
    port: 443,
    tls: { verify: true, serverName: "example.test", ownAuthority: false, clientCertificate: false },
  },
);
const { target } = plan;
const startUs = 2_000_000;
const elapsedMs = 10_000;

interface Second {
  readonly second: number;
  readonly sent: number;
  readonly latenciesUs: readonly number[];
}

/** What one generator process saw. */
interface Seen {
  readonly open: OpenReport;
  readonly load: AttackReport;
  readonly seconds: readonly Second[];
}

const count = fc.nat(1000);
const valuesUs = fc.array(fc.oneof(fc.nat(3000), fc.nat(40_000_000)), { maxLength: 40 });
const histogram = valuesUs.map(toHistogram);
const moment = fc.option(fc.integer({ min: startUs, max: startUs + 9_999_999 }));

function toHistogram(values: readonly number[]): SparseHistogram {
  const all = new Histogram();
  for (const value of values) all.record(value);
  return all.toSparse();
}

/** Few enough of them that none is left unnamed. */
const failures: fc.Arbitrary<Failures> = fc.uniqueArray(fc.nat(8), { maxLength: 4 }).chain((codes) =>
  fc.tuple(
    ...codes.map((code) =>
      fc.record({
        failure: fc.constant({ kind: "close" as const, code: 1000 + code, reason: "" }),
        count: fc.integer({ min: 1, max: 50 }),
      }),
    ),
  ),
);

const open: fc.Arbitrary<OpenReport> = fc.record({
  attempted: count,
  opened: count,
  failed: count,
  failedInARow: count,
  died: count,
  ready: count,
  readyByRoom: fc.constant([]),
  compressed: fc.constant(0),
  failures,
  refusals: fc.constantFrom([], [{ status: 403, location: null, body: "no" }]),
  notAttempted: count,
  firstAttemptUs: moment,
  lastOpenedUs: moment,
  tcp: histogram,
  tls: histogram,
  upgrade: histogram,
  join: histogram,
});

const strayRules = ["reply-to-nothing", "delivery-without-stamp", "delivery-of-another-room"] as const;

function loadOf(worker: number, seconds: readonly Second[]): fc.Arbitrary<AttackReport> {
  const sent = seconds.reduce((all, second) => all + second.sent, 0);
  const delivered = seconds.reduce((all, { latenciesUs }) => all + latenciesUs.length, 0);
  return fc.record({
    sent: fc.constant(sent),
    // Rooms: what one sends, another receives.
    expected: count,
    delivered: fc.constant(delivered),
    errors: count,
    finishedSending: fc.boolean(),
    staged: fc.constant(null),
    lastArrivalUs: count,
    seconds: fc.constant([]),
    planned: fc.constant(
      plan.load.kind === "open" ? countOwn({ worker, workers }, countOf(plan.load.segments)) : 0,
    ),
    unsent: count,
    lostOnClosed: count,
    duplicated: count,
    reordered: count,
    unmatched: count,
    strays: fc.uniqueArray(fc.record({ rule: fc.constantFrom(...strayRules), count }), {
      selector: ({ rule }) => rule,
    }),
    expectedDeliveries: count,
    deliveries: count,
    oneWay: fc.constant({ expected: 0, latency: toHistogram([]) }),
    samples: fc.constantFrom([], [{ isText: true, text: "?", bytes: 1, awaited: null }]),
    received: count,
    bytesSent: count,
    bytesReceived: count,
    compression: fc.record({
      sentPayloadBytes: count,
      sentWireBytes: count,
      receivedPayloadBytes: count,
      receivedWireBytes: count,
    }),
    rejections: fc.uniqueArray(fc.record({ reason: fc.constantFrom("full", "banned", "\u202e"), count }), {
      selector: ({ reason }) => reason,
    }),
    died: count,
    deaths: failures,
    reconnected: count,
    reconnectFailures: failures,
    ready: count,
    firstSendUs: moment,
    lastSendUs: moment,
    lastDeliveryUs: moment,
    uncorrected: histogram,
    sendLag: histogram,
    usage: fc.record({
      cpuMs: fc.double({ min: 0, max: 9000, noNaN: true }),
      rssBytes: count,
      loopDelay: histogram,
    }),
  });
}

function seenBy(worker: number): fc.Arbitrary<Seen> {
  const second = fc.record({
    // Beyond 1200 a timeline's buckets widen, and some shares end before the others.
    second: fc.oneof(fc.nat(5), fc.nat(2500)),
    sent: count,
    latenciesUs: valuesUs,
  });
  return fc
    .array(second, { maxLength: 4 })
    .chain((seconds) => fc.record({ open, load: loadOf(worker, seconds), seconds: fc.constant(seconds) }));
}

const everyone = fc.tuple(...Array.from({ length: workers }, (_, worker) => seenBy(worker)));

/** The result of those workers; a share of the whole where one is given. */
function resultOf(
  seen: readonly Seen[],
  share: { readonly index: number; readonly of: number } | null = null,
  changes: Partial<AttackResult> = {},
): AttackResult {
  const latency = new Histogram();
  const timeline = new TimelineBuilder();
  for (const { second, sent, latenciesUs } of seen.flatMap(({ seconds }) => seconds)) {
    const one = toHistogram(latenciesUs);
    latency.add(one);
    timeline.addLoad({ second, sent, delivered: latenciesUs.length, latency: one });
  }
  const evidence = {
    plan,
    ...(share === null ? {} : { share: { worker: share.index, workers: share.of } }),
    opens: seen.map((one) => one.open),
    loads: seen.map((one) => one.load),
    ...{ latency, timeline, startUs, elapsedMs },
  };
  const id = `2026-11-29T00-00-00-00${share?.index ?? 0}-attack`;
  const startedAt = `2026-11-29T00:00:00.00${share?.index ?? 0}Z`;
  return fixtureAttack({ id, startedAt, share, ...changes }, evidence);
}

function sharesOf(seen: readonly Seen[], of: number): AttackResult[] {
  return Array.from({ length: of }, (_, index) =>
    resultOf(
      seen.filter((_one, worker) => worker % of === index),
      { index, of },
    ),
  );
}

/** What several did together, without what tells who did. */
function factsOf({ parts, share, id, startedAt, status, reason, ...facts }: AttackResult) {
  return facts;
}

test("the sum of the shares is the whole: counts, histograms, seconds, reasons", () => {
  fc.assert(
    fc.property(everyone, fc.constantFrom(1, 2, 3, 6), (seen, of) => {
      const merged = mergeResults(sharesOf(seen, of));
      expect(factsOf(merged)).toEqual(factsOf(resultOf(seen)));
      expect(merged.parts.map(({ share }) => share?.index)).toEqual([...Array(of).keys()]);
    }),
    { numRuns: 40 },
  );
});

test("neither order nor what was merged before matters", () => {
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
  fc.assert(
    fc.property(everyone, order, fc.integer({ min: 1, max: 5 }), (seen, places, cut) => {
      const shares = sharesOf(seen, workers);
      const shuffled = places.map((place) => shares[place] as AttackResult);
      const inTwo = [mergeResults(shuffled.slice(0, cut)), mergeResults(shuffled.slice(cut))];
      const all = mergeResults(shares);
      expect(mergeResults(shuffled)).toEqual(all);
      expect(mergeResults(inTwo)).toEqual(all);
      expect(mergeResults(inTwo.toReversed())).toEqual(all);
    }),
    { numRuns: 20 },
  );
});

const [seen] = fc.sample(everyone, { numRuns: 1, seed: 7 }) as [Seen[]];
const shares = sharesOf(seen, 3) as [AttackResult, AttackResult, AttackResult];
const late = { kind: "generator-late", sendLagP99Us: 9000, allowedUs: 2000 } as const;

test("whole attacks of one plan add up too, each with its own processes and addresses", () => {
  const other = resultOf(seen, null, {
    id: "b",
    plan: { ...plan, workers: 2, seed: 9, sourceAddresses: ["127.0.0.2"] },
  });
  const one = resultOf(seen);
  const merged = mergeResults([one, other]);
  expect(merged.connections.requested).toBe(240);
  expect(merged.messages.sent).toBe(2 * one.messages.sent);
  expect(merged.plan).toMatchObject({ connections: 120, workers: 8, sourceAddresses: ["127.0.0.2"] });
  expect(merged.id).toBe("2026-11-29T00-00-00-000-merged");
  expect(mergeResults([mergeResults([other]), one])).toEqual(merged);
});

test("a part that does not count is named, and so is a share that is missing", () => {
  const invalid: AttackResult = { ...shares[1], status: "invalid", reason: late };
  expect(mergeResults([shares[0], invalid, shares[2]])).toMatchObject({
    status: "invalid",
    reason: { kind: "part", part: "share 2/3", status: "invalid", reason: late },
  });
  expect(mergeResults([shares[2], shares[0]])).toMatchObject({
    status: "partial",
    reason: { kind: "parts-missing", missing: [1], of: 3 },
  });
  const stopped = { status: "aborted", reason: { kind: "stopped-by-user" } } as const;
  expect(mergeResults(shares.map((share) => ({ ...share, ...stopped })))).toMatchObject(stopped);
  const failed = { status: "failed", reason: { kind: "all-connections-closed" } } as const;
  // As where one machine did it all, and the server let some of its connections in.
  expect(mergeResults([{ ...shares[0], ...failed }, shares[1], shares[2]]).status).toBe("ok");
  expect(mergeResults(shares.map((share) => ({ ...share, ...failed })))).toMatchObject(failed);
});

test("what is too little to judge in each part is judged in their sum", () => {
  const lags = Array<number>(600).fill(20_000);
  const slow = shares.map((_one, index) => {
    const own = seen.filter((_seen, worker) => worker % 3 === index);
    const [first, ...others] = own.map((one) => ({
      ...one,
      load: { ...one.load, sendLag: toHistogram([]) },
    }));
    const load = { ...(first as Seen).load, sendLag: toHistogram(lags), lastSendUs: startUs + 1e6 };
    return resultOf([{ ...(first as Seen), load }, ...others], { index, of: 3 });
  });
  expect(slow.map(({ sendLagUs }) => sendLagUs.p99)).toEqual([null, null, null]);
  const reason = { kind: "generator-late", allowedUs: 3000 };
  for (const some of [slow, slow.slice(1)])
    expect(mergeResults(some)).toMatchObject({ status: "invalid", reason });
});

test("a fleet's attack is a whole one among others, and its agents are not counted again", () => {
  const { id, environment: machine, ...figures } = resultOf(seen);
  const agents = [0, 1].map((index) =>
    attackPartSchema.parse({
      ...{ id: `${index}`, name: `host/${index}`, share: { index, of: 2 }, machine, clock: null },
      ...{ status: "ok", reason: null, figures },
    }),
  );
  const fleet = { epoch: "0", bus: "nats://127.0.0.1:4222", start: null };
  const lost = { kind: "agent-lost", agent: 1, name: "host/1", silentMs: 3600, cameBack: false } as const;
  const partial = resultOf(seen, null, { id: "b", fleet, parts: agents, status: "partial", reason: lost });
  const merged = mergeResults([resultOf(seen), partial]);
  expect(merged.parts.map((part) => part.id)).toEqual([id, "b"]);
  expect(merged).toMatchObject({
    status: "partial",
    reason: { kind: "part", part: "b", status: "partial", reason: lost },
  });
  expect(merged.fleet).toBeUndefined();
});

test("what does not belong together is refused, with what differs", () => {
  const [first, second] = shares;
  const whole = resultOf(seen);
  const changed = (changes: Partial<AttackPlan>) => ({ ...second, plan: { ...plan, ...changes } });
  const other = { ...first.environment, tool: "ws-showdown 9.9.9" };
  const buckets = first.timeline.buckets.map((bucket) => ({ ...bucket, delivered: bucket.delivered + 1 }));
  const edited = { ...first, timeline: { ...first.timeline, buckets } };
  const cases: readonly (readonly [readonly AttackResult[], RegExp])[] = [
    [[], /no results/],
    [
      [first, changed({ connections: 121, seed: 2 })],
      /differ in connections, seed: expected the same attack/,
    ],
    [
      [whole, { ...whole, id: "b", plan: { ...plan, target: { ...target, port: 80 } } }],
      /differ in target\.port/,
    ],
    [[first, { ...second, environment: other }], /made by ws-showdown 9\.9\.9: expected one version/],
    [[first, first], /share 1\/3 is given twice/],
    [[whole, whole], /000-attack is given twice/],
    [[mergeResults([first, second]), second], /share 2\/3 is given twice/],
    [[first, { ...second, share: { index: 1, of: 4 } }], /one of 3 shares, .* one of 4: expected as many/],
    [[first, whole], /is a share of an attack/],
    [[{ ...first, progress: "running" }], /is unfinished/],
    [[{ ...first, totals: null }], /no histograms/],
    [[{ ...first, plan: { ...first.plan, scenario: "s.ts" } }], /has a scenario: .* not added up/],
    [
      [{ ...first, oneWay: { latencyUs: first.latencyUs, clockErrorUs: 5 } }],
      /latencies between the agents of a fleet/,
    ],
    [[edited, second], /cannot be added up: a bucket of the timeline has/],
  ];
  for (const [results, problem] of cases) expect(() => mergeResults(results)).toThrow(problem);
});

test("a file whose histograms were edited is not read", () => {
  const { totals, ...rest } = shares[0];
  const { latency, ...histograms } = totals?.histograms ?? ({} as never);
  const edited = {
    ...totals,
    histograms: { ...histograms, latency: { ...latency, count: latency.count + 1 } },
  };
  expect(attackResultSchema.safeParse({ ...rest, totals: edited }).error?.message).toContain(
    "as many values as its count",
  );
});
