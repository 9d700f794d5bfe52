import type { z } from "zod";
import { catalogue } from "../../measures/catalogue.ts";
import type { Measure, Unit } from "../../measures/measure.ts";
import { isRan, listPhases } from "../../measures/sections.ts";
import { burstPhaseSchema, connectPhaseSchema, type Phase, type TimelineBucket } from "../../result/phase.ts";
import type { ContenderFacts, Result, Round } from "../../result/schema.ts";

type Value = string | number | boolean | null | undefined;
type Columns<Record> = Readonly<globalThis.Record<string, (record: Record) => Value>>;

/** The files of an export by their names. The header names each column with its unit. */
export function exportCsv(result: Result): { readonly name: string; readonly text: string }[] {
  const phases = listRecords(result);
  return [
    { name: "contenders.csv", text: writeCsv(contenderColumns, result.contenders) },
    { name: "phases.csv", text: writeCsv(phaseColumns, phases) },
    { name: "timeline.csv", text: writeCsv(timelineColumns, phases.flatMap(listBuckets)) },
  ];
}

interface PhaseRecord {
  readonly run: string;
  readonly round: Round;
  /** `burst-echo` */
  readonly name: string;
  readonly phase: Phase;
}

interface BucketRecord extends PhaseRecord {
  /** Since the phase's start. */
  readonly second: number;
  readonly bucketSeconds: number;
  readonly bucket: TimelineBucket;
}

function listRecords({ id, plan, rounds }: Result): PhaseRecord[] {
  const names = listPhases(plan.phases);
  return rounds.flatMap((round) =>
    round.phases.map((phase, place) => ({ run: id, round, name: names[place]?.name ?? phase.kind, phase })),
  );
}

function listBuckets(record: PhaseRecord): BucketRecord[] {
  const { phase } = record;
  if (phase.status === "not-run" || !("timeline" in phase)) return [];
  const { bucketSeconds, buckets } = phase.timeline;
  return buckets.map((bucket, at) => ({ ...record, second: at * bucketSeconds, bucketSeconds, bucket }));
}

const suffixes: Readonly<Record<Unit, string>> = {
  count: "",
  perSecond: "per_second",
  latency: "us",
  cpu: "us",
  bytes: "bytes",
  share: "share",
  ratio: "",
};

/** `latency.p99.9` is `latency_p99_9_us`. */
function columnOf({ name, unit }: Measure): string {
  const words = name.replaceAll(/[^a-z0-9]+/gi, "_");
  const suffix = suffixes[unit];
  return suffix === "" || words.endsWith(suffix) ? words : `${words}_${suffix}`;
}

const contenderColumns: Columns<ContenderFacts> = {
  contender: ({ name }) => name,
  variant: ({ variant }) => variant,
  ...columnsOf(
    (facts: ContenderFacts) => facts,
    ["title", "language", "library", "approach", "routing", "framing", "slowConsumer"],
  ),
  single_binary: ({ deployment }) => deployment?.singleBinary,
  competes: ({ verified }) => verified?.competes,
  failed_checks: ({ verified }) => verified?.failed.map(({ id }) => id).join(" "),
  not_run: ({ notRun }) => notRun?.kind,
  start: ({ start }) => start.join(" "),
  environment: ({ env }) => pairs(env),
  toolchains: ({ toolchains }) => pairs(toolchains),
  source_digest: ({ sourceDigest }) => sourceDigest,
};

const placeColumns: Columns<PhaseRecord> = {
  run: ({ run }) => run,
  ...columnsOf(({ round }: PhaseRecord) => round, ["contender", "variant", "round", "position"]),
  phase: ({ name }) => name,
};

const phaseColumns: Columns<PhaseRecord> = {
  ...placeColumns,
  status: ({ phase }) => phase.status,
  reason: ({ phase }) => phase.reason?.kind,
  started_at: ({ phase }) => (isRan(phase) ? phase.startedAt : null),
  duration_ms: ({ phase }) => (isRan(phase) ? phase.durationMs : null),
  limit: ({ phase }) => ("limit" in phase ? phase.limit?.kind : null),
  ...Object.fromEntries(
    catalogue.map((measure) => [
      columnOf(measure),
      ({ phase }: PhaseRecord) => (isRan(phase) ? measure.pick(phase) : null),
    ]),
  ),
  // What the measures are made of, as the result has it.
  ...groupColumns("connections", connectPhaseSchema.shape.connections.shape),
  ...groupColumns("messages", burstPhaseSchema.shape.messages.shape),
  ...groupColumns("throughput", burstPhaseSchema.shape.throughput.unwrap().shape),
  ...groupColumns("server", burstPhaseSchema.shape.server.shape),
  ...groupColumns("generator", burstPhaseSchema.shape.generator.shape),
  ...columnsOf(
    ({ phase }: PhaseRecord) => Reflect.get(phase, "neighbours"),
    ["servers", "cpuMsPerSecond"],
    "neighbours_",
  ),
  ...slopeColumns("rss"),
  ...slopeColumns("kernel"),
  findings: ({ phase }) =>
    isRan(phase) ? phase.findings.map(({ kind, count }) => `${kind}=${count}`).join(" ") : null,
};

const timelineColumns: Columns<BucketRecord> = {
  ...placeColumns,
  second: ({ second }) => second,
  bucket_seconds: ({ bucketSeconds }) => bucketSeconds,
  ...columnsOf(({ bucket }: BucketRecord) => bucket, ["sent", "delivered"]),
  ...columnsOf(({ bucket }: BucketRecord) => bucket, ["p50Us", "p99Us", "maxUs"], "latency_"),
  ...columnsOf(({ bucket }: BucketRecord) => bucket, ["serverCpuMs", "serverRssBytes"]),
};

/** `server_cpu_ms`: a column for each number of a group of facts; a phase of another kind has none there. */
function groupColumns(group: string, shape: Readonly<Record<string, z.ZodType>>): Columns<PhaseRecord> {
  const numbers = Object.entries(shape).filter(([, { def }]) => !["object", "array"].includes(def.type));
  const keys = numbers.map(([key]) => key);
  return columnsOf(({ phase }: PhaseRecord) => Reflect.get(phase, group), keys, `${group}_`);
}

/** Whether what a connection adds to a memory is resolved, or why not, and its limits. */
function slopeColumns(which: "rss" | "kernel"): Columns<PhaseRecord> {
  const slopeOf = ({ phase }: PhaseRecord) => ("memory" in phase ? phase.memory[which] : null);
  return {
    [`memory_${which}_slope`]: (record) => {
      const slope = slopeOf(record);
      return slope?.kind === "unresolved" ? slope.reason : slope?.kind;
    },
    [`memory_${which}_low_bytes`]: (record) => slopeOf(record)?.low,
    [`memory_${which}_high_bytes`]: (record) => slopeOf(record)?.high,
  };
}

/** Facts as they are, under their own names: `serverRssBytes` is `server_rss_bytes`. */
function columnsOf<R, F>(
  factsOf: (record: R) => F,
  keys: readonly (keyof F & string)[],
  prefix = "",
): Columns<R> {
  const nameOf = (key: string) => prefix + key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const pick = (key: string) => (record: R) => {
    const facts = factsOf(record);
    return typeof facts === "object" && facts !== null ? (Reflect.get(facts, key) as Value) : null;
  };
  return Object.fromEntries(keys.map((key) => [nameOf(key), pick(key)]));
}

function pairs(record: Readonly<Record<string, string>>): string {
  return Object.entries(record)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}

/** RFC 4180: lines end in CRLF, the first is the header; what is not known is empty. */
function writeCsv<Record>(columns: Columns<Record>, records: readonly Record[]): string {
  const lines = [
    Object.keys(columns),
    ...records.map((record) => Object.values(columns).map((pick) => pick(record))),
  ];
  return lines.map((cells) => `${cells.map(quote).join(",")}\r\n`).join("");
}

/** RFC 4180, section 2, rules 5 to 7: a field with a comma, quote or line break stands in quotes, which are doubled. */
function quote(value: Value): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
