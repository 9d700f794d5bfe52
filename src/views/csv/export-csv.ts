import type { ContenderFacts, Phase, Quantiles, Result, Round } from "../../result/schema.ts";
import { phasesOf } from "../compare/measures.ts";

type Value = string | number | boolean | null | undefined;
type Columns<Record> = Readonly<globalThis.Record<string, (record: Record) => Value>>;

/** The files of an export by their names. The header names each column with its unit. */
export function exportCsv(result: Result): { readonly name: string; readonly text: string }[] {
  return [
    { name: "contenders.csv", text: writeCsv(contenderColumns, result.contenders) },
    { name: "phases.csv", text: writeCsv(phaseColumns, listPhases(result)) },
    {
      name: "timeline.csv",
      text: writeCsv(
        timelineColumns,
        listPhases(result).flatMap((record) =>
          record.phase.timeline.map((bucket) => ({ ...record, bucket })),
        ),
      ),
    },
  ];
}

interface PhaseRecord {
  readonly run: string;
  readonly round: Round;
  /** `burst-echo` */
  readonly name: string;
  readonly phase: Phase;
}

function listPhases({ id, plan, rounds }: Result): PhaseRecord[] {
  const names = phasesOf(plan.phases);
  return rounds.flatMap((round) =>
    round.phases.map((phase, place) => ({ run: id, round, name: names[place]?.name ?? phase.kind, phase })),
  );
}

const contenderColumns: Columns<ContenderFacts> = {
  contender: ({ name }) => name,
  variant: ({ variant }) => variant,
  title: ({ title }) => title,
  language: ({ language }) => language,
  library: ({ library }) => library,
  approach: ({ approach }) => approach,
  routing: ({ routing }) => routing,
  framing: ({ framing }) => framing,
  slow_consumer: ({ slowConsumer }) => slowConsumer,
  single_binary: ({ deployment }) => deployment?.singleBinary,
  competes: ({ verified }) => verified?.competes,
  failed_checks: ({ verified }) => verified?.failed.map(({ id }) => id).join(" "),
  not_run: ({ notRun }) => notRun,
  start: ({ start }) => start.join(" "),
  environment: ({ env }) => pairs(env),
  toolchains: ({ toolchains }) => pairs(toolchains),
  source_digest: ({ sourceDigest }) => sourceDigest,
};

const placeColumns: Columns<PhaseRecord> = {
  run: ({ run }) => run,
  contender: ({ round }) => round.contender,
  variant: ({ round }) => round.variant,
  round: ({ round }) => round.round,
  position: ({ round }) => round.position,
  phase: ({ name }) => name,
};

const phaseColumns: Columns<PhaseRecord> = {
  ...placeColumns,
  ...ofPhase({
    status: ({ status }) => status,
    reason: ({ reason }) => reason,
    started_at: ({ startedAt }) => startedAt,
    duration_ms: ({ durationMs }) => durationMs,
    connections_requested: ({ connections }) => connections.requested,
    connections_opened: ({ connections }) => connections.opened,
    connections_failed: ({ connections }) => connections.failed,
    connections_died: ({ connections }) => connections.died,
    limit: ({ limit }) => limit?.name,
    connections_per_second: ({ connect }) => connect?.connectionsPerSecond,
    ...quantiles("tcp", ({ connect }) => connect?.tcpUs),
    ...quantiles("upgrade", ({ connect }) => connect?.upgradeUs),
    ...quantiles("join", ({ connect }) => connect?.joinUs),
    messages_planned: ({ messages }) => messages?.planned,
    messages_sent: ({ messages }) => messages?.sent,
    messages_unsent: ({ messages }) => messages?.unsent,
    deliveries_expected: ({ messages }) => messages?.expected,
    deliveries: ({ messages }) => messages?.delivered,
    lost: ({ messages }) => messages?.lost,
    lost_on_closed: ({ messages }) => messages?.lostOnClosed,
    declared_dropped: ({ messages }) => messages?.declaredDropped,
    duplicated: ({ messages }) => messages?.duplicated,
    reordered: ({ messages }) => messages?.reordered,
    corrupted: ({ messages }) => messages?.corrupted,
    malformed: ({ messages }) => messages?.malformed,
    misrouted: ({ messages }) => messages?.misrouted,
    late: ({ messages }) => messages?.late,
    frames: ({ messages }) => messages?.frames,
    deliveries_per_second: ({ throughput }) => throughput?.deliveriesPerSecond,
    sends_per_second: ({ throughput }) => throughput?.sendsPerSecond,
    span_ms: ({ throughput }) => throughput?.spanMs,
    offered_per_second: ({ rate }) => rate?.offeredPerSecond,
    held_per_second: ({ rate }) => rate?.heldPerSecond,
    held_share: ({ rate }) => rate?.heldShare,
    capacity_per_second: ({ capacity }) => capacity?.ratePerSecond,
    capacity_is_lower_bound: ({ capacity }) => capacity?.isLowerBound,
    capacity_per_core: ({ capacity }) => capacity?.perCore,
    capacity_per_cpu_second: ({ capacity }) => capacity?.perCpuSecond,
    ...quantiles("latency", ({ latencyUs }) => latencyUs),
    ...quantiles("uncorrected_latency", ({ uncorrectedLatencyUs }) => uncorrectedLatencyUs),
    ...quantiles("send_lag", ({ sendLagUs }) => sendLagUs),
    first_receiver_p50_us: ({ receiversUs }) => receiversUs?.first.p50,
    median_receiver_p50_us: ({ receiversUs }) => receiversUs?.median.p50,
    last_receiver_p50_us: ({ receiversUs }) => receiversUs?.last.p50,
    longest_silence_ms: ({ longestSilenceMs }) => longestSilenceMs,
    server_cpu_ms: ({ server }) => server.cpuMs,
    server_idle_cpu_share: ({ server }) => server.idleCpuShare,
    server_others_cpu_share: ({ server }) => server.othersCpuShare,
    server_cpu_us_per_delivery: ({ server }) => server.cpuUsPerDelivery,
    server_peak_rss_bytes: ({ server }) => server.peakRssBytes,
    server_rss_bytes_per_connection: ({ server }) => server.rssBytesPerConnection,
    kernel_socket_bytes: ({ server }) => server.kernelSocketBytes,
    server_descriptors: ({ server }) => server.openDescriptors,
    server_processes: ({ server }) => server.processes,
    generator_cpu_ms: ({ generator }) => generator?.cpuMs,
    generator_cpu_share: ({ generator }) => generator?.cpuShare,
    generator_idle_cpu_share: ({ generator }) => generator?.idleCpuShare,
    generator_others_cpu_share: ({ generator }) => generator?.othersCpuShare,
    generator_peak_rss_bytes: ({ generator }) => generator?.peakRssBytes,
    findings: ({ findings }) => findings.map(({ text }) => text).join("; "),
  }),
};

const timelineColumns: Columns<PhaseRecord & { readonly bucket: Phase["timeline"][number] }> = {
  ...placeColumns,
  second: ({ bucket }) => bucket.second,
  sent: ({ bucket }) => bucket.sent,
  deliveries: ({ bucket }) => bucket.delivered,
  latency_p50_us: ({ bucket }) => bucket.p50Us,
  latency_p99_us: ({ bucket }) => bucket.p99Us,
  latency_max_us: ({ bucket }) => bucket.maxUs,
  server_cpu_ms: ({ bucket }) => bucket.serverCpuMs,
  server_rss_bytes: ({ bucket }) => bucket.serverRssBytes,
};

function ofPhase(columns: Columns<Phase>): Columns<PhaseRecord> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, pick]) => [name, ({ phase }: PhaseRecord) => pick(phase)]),
  );
}

function quantiles(
  name: string,
  pick: (phase: Phase) => Quantiles | null | undefined,
): Record<string, (phase: Phase) => Value> {
  const keys = ["p50", "p90", "p99", "p999", "max"] as const;
  return Object.fromEntries(keys.map((key) => [`${name}_${key}_us`, (phase) => pick(phase)?.[key]]));
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
