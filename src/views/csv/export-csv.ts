import type { z } from "zod";
import { catalogue } from "../../measures/catalogue.ts";
import { isRan, listPhases } from "../../measures/sections.ts";
import { burstPhaseSchema, connectPhaseSchema, type Phase, type TimelineBucket } from "../../result/phase.ts";
import type { ContenderFacts, Result, Round } from "../../result/schema.ts";
import { type Columns, columnOf, columnsOf, writeCsv } from "./columns.ts";

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

function pairs(record: Readonly<Record<string, string>>): string {
  return Object.entries(record)
    .map(([key, value]) => `${key}=${value}`)
    .join(" ");
}
