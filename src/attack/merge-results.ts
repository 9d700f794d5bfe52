import { ShowdownError } from "../errors.ts";
import { type AttackPlan, nameUnshared } from "../plan/attack/plan.ts";
import {
  type AttackPart,
  type AttackResult,
  attackPartSchema,
  attackResultSchema,
  nameOfPart,
  type StoredTotals,
} from "../result/attack.ts";
import { nameRun } from "../result/run-name.ts";
import { counterCount } from "../run/phases/timeline.ts";
import { readBuckets } from "../stats/bucket-text.ts";
import { bucketCount, Histogram } from "../stats/histogram.ts";
import { describeTotals } from "./attack-figures.ts";
import { judge, judgeParts } from "./ending.ts";
import { type AttackTotals, addTotals } from "./totals.ts";

/**
 * Results of one attack that several machines made, as one: every count, histogram and second is added up, and what
 * each did stands beside it in `parts`. They are shares of one attack, or whole attacks of the same plan. Their order
 * does not matter, nor whether some of them were merged before.
 *
 * @param results at least one; they may be merged ones
 * @throws {ShowdownError} `usage` for what does not belong together, or can't be added up
 */
export function mergeResults(results: readonly AttackResult[]): AttackResult {
  for (const result of results) requireWhole(result);
  const sorted = results.toSorted((a, b) => compareParts(partsOf(a)[0], partsOf(b)[0]));
  const [first] = sorted;
  if (first === undefined) throw refuse("no results to merge, expected at least one");
  for (const other of sorted.slice(1)) requireSame(first, other);
  const parts = sorted.flatMap(partsOf).toSorted(compareParts);
  requireDistinct(parts);
  const plan = mergePlans(
    sorted.map((one) => one.plan),
    parts[0]?.share !== null,
  );
  const startedAt = leastText(sorted.map((one) => one.startedAt));
  const finished = sorted.flatMap(({ finishedAt }) => finishedAt ?? []).toSorted();
  const { schema, kind, progress, command, environment } = first;
  const figures = describeTotals(plan, addAll(sorted));
  return attackResultSchema.parse({
    ...{ schema, kind, progress, command, environment },
    id: nameRun(startedAt, "merged"),
    startedAt,
    finishedAt: finished.at(-1) ?? null,
    plan,
    warnings: mergeWarnings(sorted),
    ...judge(plan, figures, judgeParts(parts, findMissing(parts))),
    ...figures,
    share: null,
    parts,
  });
}

function partsOf(result: AttackResult): readonly AttackPart[] {
  // To others, a fleet is one machine.
  if (result.parts.length > 0 && result.fleet === undefined) return result.parts;
  const { id, share, environment: machine, status, reason } = result;
  return [
    attackPartSchema.parse({ id, name: null, share, machine, clock: null, status, reason, figures: result }),
  ];
}

function compareParts(a: AttackPart | undefined, b: AttackPart | undefined): number {
  return (a?.share?.index ?? 0) - (b?.share?.index ?? 0) || compareText(a?.id ?? "", b?.id ?? "");
}

/** One that ended, with all that has to be added up. */
function requireWhole({ id, plan, progress, totals, oneWay }: AttackResult): void {
  if (progress === "running") {
    throw refuse(`${id} is unfinished: it is still running, or was cut off`, "leave it out, or repeat it");
  }
  const unshared = nameUnshared(plan);
  if (unshared !== null) {
    throw refuse(`${id} has ${unshared}: what that comes to is not added up`, "report them apart");
  }
  if (oneWay !== null) {
    throw refuse(
      `${id} has latencies between the agents of a fleet, with an error of its own: they are not added up`,
      "report them apart",
    );
  }
  if (totals === null) {
    throw refuse(
      `${id} has quantiles but no histograms, which alone can be added up: an earlier version wrote it`,
      "repeat the attack with this version",
    );
  }
}

function requireSame(first: AttackResult, other: AttackResult): void {
  const [a, b] = [first.environment, other.environment];
  const isOtherCommit = a.commit !== null && b.commit !== null && a.commit !== b.commit;
  if (a.tool !== b.tool || isOtherCommit) {
    const written = ({ id, environment: { tool, commit } }: AttackResult) =>
      `${id} was made by ${tool}${isOtherCommit ? ` at ${commit}` : ""}`;
    throw refuse(
      `${written(first)}, ${written(other)}: expected one version`,
      "two versions may measure differently; install the same one everywhere",
    );
  }
  const [mine, theirs] = [partsOf(first)[0]?.share ?? null, partsOf(other)[0]?.share ?? null];
  if ((mine === null) !== (theirs === null)) {
    const [share, whole] = mine === null ? [other, first] : [first, other];
    throw refuse(
      `${share.id} is a share of an attack, ${whole.id} a whole one: their sum is neither`,
      "merge the shares of one attack, or whole attacks",
    );
  }
  if (mine?.of !== theirs?.of) {
    throw refuse(
      `${first.id} is one of ${mine?.of} shares, ${other.id} one of ${theirs?.of}: expected as many`,
      "merge the shares of one attack",
    );
  }
  const different = listDifferences(first.plan, other.plan, mine !== null);
  if (different.length > 0) {
    throw refuse(
      `the plans of ${first.id} and ${other.id} differ in ${different.join(", ")}: expected the same attack`,
      "a sum of different loads is no result of any of them; report them apart",
    );
  }
}

/** Each machine connects from and to addresses of its own. */
const own: readonly string[] = ["sourceAddresses", "target.address", "target.addresses"];
/** Whole attacks have processes and a seed of their own, too; of a shared one these say what is whose. */
const ownOfWhole: readonly string[] = [...own, "workers", "seed"];

function listDifferences(a: AttackPlan, b: AttackPlan, isShared: boolean): string[] {
  const [one, two] = [flatten(a), flatten(b)];
  return [...new Set([...Object.keys(one), ...Object.keys(two)])]
    .filter((name) => !(isShared ? own : ownOfWhole).includes(name))
    .filter((name) => !Bun.deepEquals(one[name], two[name]));
}

function flatten({ target, ...plan }: AttackPlan): Record<string, unknown> {
  const ofTarget = Object.entries(target).map(([name, value]) => [`target.${name}`, value]);
  return { ...plan, ...Object.fromEntries(ofTarget) };
}

function requireDistinct(parts: readonly AttackPart[]): void {
  const seen = new Set<string>();
  for (const part of parts) {
    const key = part.share === null ? part.id : String(part.share.index);
    if (seen.has(key))
      throw refuse(`${nameOfPart(part)} is given twice: it would count twice`, "give each result once");
    seen.add(key);
  }
}

/** What each was told to do, or all together where they shared it; addresses are those of all. */
function mergePlans(plans: readonly AttackPlan[], isShared: boolean): AttackPlan {
  const first = plans[0] as AttackPlan;
  const union = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].toSorted();
  return {
    ...first,
    target: {
      ...first.target,
      address: leastText(plans.map(({ target }) => target.address)),
      addresses: union(plans.map(({ target }) => target.addresses)),
    },
    workers: isShared ? first.workers : plans.reduce((all, { workers }) => all + workers, 0),
    sourceAddresses: union(plans.map(({ sourceAddresses }) => sourceAddresses)),
    seed: Math.min(...plans.map(({ seed }) => seed)),
  };
}

function mergeWarnings(results: readonly AttackResult[]): AttackResult["warnings"] {
  const byText = new Map(
    results.flatMap(({ warnings }) => warnings.map((one) => [JSON.stringify(one), one])),
  );
  return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, warning]) => warning);
}

function findMissing(parts: readonly AttackPart[]): AttackResult["reason"] {
  const { of = 0 } = parts[0]?.share ?? {};
  const known = new Set(parts.map(({ share }) => share?.index));
  const missing = Array.from({ length: of }, (_, index) => index).filter((index) => !known.has(index));
  return missing.length === 0 ? null : { kind: "parts-missing", missing, of };
}

function addAll(results: readonly AttackResult[]): AttackTotals {
  try {
    return addTotals(results.map(totalsOf));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refuse(`the results cannot be added up: ${cause.message}`, "take the files as showdown wrote them");
  }
}

/** The inverse of `describeTotals`. */
function totalsOf({
  totals,
  connections,
  messages,
  generator,
  timeline,
  ...result
}: AttackResult): AttackTotals {
  if (totals === null) throw new RangeError("there are no totals");
  const { perSecond, tcpUs, tlsUs, upgradeUs, joinUs, ...counts } = connections;
  const { planned, expected, lostOnClosed, deliveries, histograms, timeline: latencies, ...moments } = totals;
  return {
    ...result,
    ...moments,
    connections: counts,
    messages: { ...messages, planned, expected, lostOnClosed, deliveries },
    peakRssBytes: generator?.peakRssBytes ?? 0,
    oneWay: { expected: 0, latency: new Histogram().toSparse() },
    histograms: {
      latency: read(histograms.latency),
      uncorrectedLatency: read(histograms.uncorrectedLatency),
      sendLag: read(histograms.sendLag),
      tcp: read(histograms.tcp),
      tls: read(histograms.tls),
      upgrade: read(histograms.upgrade),
      join: read(histograms.join),
      eventLoopDelay: read(histograms.eventLoopDelay),
    },
    timeline: {
      bucketSeconds: timeline.bucketSeconds,
      buckets: timeline.buckets.map(({ sent, delivered, maxUs }, at) => ({
        ...{ sent, delivered, maxUs: maxUs ?? 0 },
        latencies: readLatencies(latencies[at], delivered),
      })),
    },
  };
}

/** @throws {RangeError} for those of another bucket */
function readLatencies(text: string | undefined, delivered: number): number[] {
  const pairs = text === undefined ? null : readBuckets(text, counterCount);
  const count = pairs?.reduce((all, value, at) => (at % 2 === 1 ? all + value : all), 0);
  if (pairs === null || count !== delivered) {
    throw new RangeError(`a bucket of the timeline has ${count ?? "no"} latencies of ${delivered} answers`);
  }
  return pairs;
}

function read({ buckets, ...rest }: StoredTotals["histograms"]["latency"]) {
  const pairs = readBuckets(buckets, bucketCount);
  if (pairs === null) throw new RangeError("a histogram cannot be read");
  return { ...rest, buckets: pairs };
}

function leastText(texts: readonly string[]): string {
  return texts.toSorted()[0] ?? "";
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function refuse(message: string, hint?: string): ShowdownError {
  return new ShowdownError("usage", message, { hint });
}
