import type { AttackResult } from "../../result/attack.ts";
import type { Quantiles } from "../../stats/histogram.ts";
import { type Columns, columnsOf, writeCsv } from "./columns.ts";

/** The files of an export by their names. The header names each column with its unit. */
export function exportAttackCsv(attack: AttackResult): { readonly name: string; readonly text: string }[] {
  return [
    { name: "attack.csv", text: writeCsv(figureColumns, [attack]) },
    { name: "timeline.csv", text: writeAttackTimeline(attack) },
  ];
}

/** A row for each second of the load; for several where it is long. */
export function writeAttackTimeline({ id, timeline }: AttackResult): string {
  const { bucketSeconds, buckets } = timeline;
  const rows = buckets.map((bucket, at) => ({ id, second: at * bucketSeconds, bucketSeconds, bucket }));
  return writeCsv(timelineColumns, rows);
}

type Row = Pick<AttackResult, "id"> & {
  readonly second: number;
  readonly bucketSeconds: number;
  readonly bucket: AttackResult["timeline"]["buckets"][number];
};

const timelineColumns: Columns<Row> = {
  attack: ({ id }) => id,
  second: ({ second }) => second,
  bucket_seconds: ({ bucketSeconds }) => bucketSeconds,
  sent: ({ bucket }) => bucket.sent,
  answered: ({ bucket }) => bucket.delivered,
  ...columnsOf(({ bucket }: Row) => bucket, ["p50Us", "p99Us", "maxUs"], "latency_"),
};

const quantiles = ["count", "owed", "min", "mean", "p50", "p90", "p99", "p999", "max"] as const;

const figureColumns: Columns<AttackResult> = {
  attack: ({ id }) => id,
  url: ({ plan }) => plan.target.url,
  ...columnsOf((attack: AttackResult) => attack, ["startedAt", "finishedAt", "status"]),
  reason: ({ reason }) => reason?.kind,
  ...columnsOf(
    ({ connections }: AttackResult) => connections,
    [
      "requested",
      "opened",
      "failed",
      "notAttempted",
      "died",
      "released",
      "reconnected",
      "openAtEnd",
      "perSecond",
    ],
    "connections_",
  ),
  ...columnsOf(
    ({ messages }: AttackResult) => messages,
    [
      "planned",
      "sent",
      "unsent",
      "expected",
      "answered",
      "lost",
      "lostOnClosed",
      "duplicated",
      "reordered",
      "unmatched",
      "received",
      "bytesSent",
      "bytesReceived",
    ],
    "messages_",
  ),
  ...columnsOf(
    ({ rate }: AttackResult): Partial<NonNullable<AttackResult["rate"]>> => rate ?? {},
    ["askedPerSecond", "sentPerSecond", "answeredPerSecond", "sendSpanMs", "spanMs"],
    "rate_",
  ),
  ...quantileColumns("latency", ({ latencyUs }) => latencyUs),
  ...quantileColumns("uncorrected_latency", ({ uncorrectedLatencyUs }) => uncorrectedLatencyUs),
  ...quantileColumns("one_way", ({ oneWay }) => oneWay?.latencyUs),
  one_way_clock_error_us: ({ oneWay }) => oneWay?.clockErrorUs,
  ...quantileColumns("send_lag", ({ sendLagUs }) => sendLagUs),
  ...quantileColumns("tcp", ({ connections }) => connections.tcpUs),
  ...quantileColumns("upgrade", ({ connections }) => connections.upgradeUs),
  ...quantileColumns("join", ({ connections }) => connections.joinUs),
};

/** `latency_p99_us`; its counts have no unit. */
function quantileColumns(
  name: string,
  pick: (attack: AttackResult) => Quantiles | undefined,
): Columns<AttackResult> {
  return Object.fromEntries(
    quantiles.map((key) => [
      `${name}_${key}${key === "count" || key === "owed" ? "" : "_us"}`,
      (attack: AttackResult) => pick(attack)?.[key],
    ]),
  );
}
