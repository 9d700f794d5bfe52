import type { SparseHistogram } from "../../stats/histogram.ts";
import { LatencyBuckets } from "./latency-buckets.ts";

export type MetricType = "counter" | "gauge" | "histogram";

export interface Metric {
  readonly type: MetricType;
  /** As OpenTelemetry writes it (UCUM); the name has it in words. */
  readonly unit: "" | "s" | "By";
  readonly help: string;
}

/** Everything that is published. Prometheus' name of a counter ends in `_total`, which its exporter appends. */
export const metrics = {
  showdown_messages_sent: { type: "counter", unit: "", help: "Messages that the generator sent." },
  showdown_deliveries: {
    type: "counter",
    unit: "",
    help: "Deliveries that arrived intact; in an attack, answers.",
  },
  showdown_messages_lost: {
    type: "counter",
    unit: "",
    help: "Deliveries that were owed and never came, known when a phase has ended.",
  },
  showdown_errors: {
    type: "counter",
    unit: "",
    help: "What counts as an error: messages unsent, duplicated or of nobody, connections that closed.",
  },
  showdown_message_latency_seconds: {
    type: "histogram",
    unit: "s",
    help: "Time from the intended send of a message to its delivery.",
  },
  showdown_connections: { type: "gauge", unit: "", help: "Connections that are open." },
  showdown_connection_failures: { type: "counter", unit: "", help: "Connections that could not be opened." },
  showdown_phases: { type: "counter", unit: "", help: "Phases that have ended, by their status." },
  showdown_iterations: {
    type: "counter",
    unit: "",
    help: "Of a scenario: iterations that have ended, by their status.",
  },
  showdown_checks: { type: "counter", unit: "", help: "Of a scenario: its checks, by name and status." },
  showdown_measure_seconds: { type: "histogram", unit: "s", help: "Of a scenario: its measures, by name." },
  showdown_server_cpu_seconds: {
    type: "counter",
    unit: "s",
    help: "CPU time of the server in phases that have ended.",
  },
  showdown_server_memory_bytes: {
    type: "gauge",
    unit: "By",
    help: "Most resident memory of the server in the last phase that has ended.",
  },
} as const satisfies Record<string, Metric>;
export type MetricName = keyof typeof metrics;

/** Never anything of one connection: each set of labels is a series of its own for whoever stores it. */
export interface Labels {
  readonly run: string;
  readonly contender: string;
  readonly variant?: string;
  readonly phase?: string;
  readonly workload?: string;
  readonly status?: string;
  /** Names that a scenario chose. */
  readonly check?: string;
  readonly measure?: string;
}

export interface Series {
  readonly labels: Labels;
  value: number;
  readonly latency: LatencyBuckets;
}

/** The latest of every figure, for whoever asks, whenever they do. */
export class MetricBoard {
  readonly startedMs = Date.now();
  readonly #series = new Map<MetricName, Map<string, Series>>();

  add(name: MetricName, labels: Labels, more: number): void {
    this.#at(name, labels).value += more;
  }

  /** A gauge; or a counter of which only the sum is known, which never goes back. */
  set(name: MetricName, labels: Labels, value: number): void {
    const series = this.#at(name, labels);
    const { type }: Metric = metrics[name];
    series.value = type === "counter" ? Math.max(series.value, value) : value;
  }

  addLatency(
    labels: Labels,
    latency: SparseHistogram,
    name:
      | "showdown_message_latency_seconds"
      | "showdown_measure_seconds" = "showdown_message_latency_seconds",
  ): void {
    this.#at(name, labels).latency.add(latency);
  }

  seriesOf(name: MetricName): readonly Series[] {
    return [...(this.#series.get(name)?.values() ?? [])];
  }

  #at(name: MetricName, labels: Labels): Series {
    const all = this.#series.get(name) ?? new Map<string, Series>();
    this.#series.set(name, all);
    const key = JSON.stringify(labels);
    const known = all.get(key);
    if (known !== undefined) return known;
    const series = { labels, value: 0, latency: new LatencyBuckets() };
    all.set(key, series);
    return series;
  }
}
