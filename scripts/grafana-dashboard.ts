/**
 * The Grafana dashboard of `--metrics`, in the classic format that every Grafana imports. Run it to write it anew:
 * `bun scripts/grafana-dashboard.ts`
 */
import { join } from "node:path";
import { projectFolder } from "../src/machine/installation.ts";
import type { MetricName } from "../src/views/metrics/metric-board.ts";

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: "timeseries" | "heatmap" | "stat";
  /** Grafana's: `s` seconds, `ops` per second, `bytes`, `short` a plain number. */
  readonly unit: "s" | "ops" | "bytes" | "short";
  readonly query: string;
  readonly legend: string;
}

/** As Prometheus has it, of the runs and contenders that are chosen. */
function chosen(name: `${MetricName}${"" | "_total" | "_bucket"}`): string {
  return `${name}{run=~"$run", contender=~"$contender"}`;
}
const perSecond = (name: Parameters<typeof chosen>[0]) => `rate(${chosen(name)}[$__rate_interval])`;
const load = "contender, variant, phase, workload";
const loadLegend = "{{contender}} {{variant}} {{phase}} {{workload}}";
const server = "contender, variant";
const serverLegend = "{{contender}} {{variant}}";

function latency(quantile: number): Pick<Panel, "type" | "unit" | "query" | "legend"> {
  const buckets = perSecond("showdown_message_latency_seconds_bucket");
  return {
    type: "timeseries",
    unit: "s",
    query: `histogram_quantile(${quantile}, sum by (le, ${load}) (${buckets}))`,
    legend: loadLegend,
  };
}

const panels: readonly Panel[] = [
  {
    title: "Deliveries per second",
    description: "Messages that arrived intact; in an attack, answers.",
    type: "timeseries",
    unit: "ops",
    query: `sum by (${load}) (${perSecond("showdown_deliveries_total")})`,
    legend: loadLegend,
  },
  {
    title: "Messages sent per second",
    description: "What the generator sent. A broadcast is one message with many deliveries.",
    type: "timeseries",
    unit: "ops",
    query: `sum by (${load}) (${perSecond("showdown_messages_sent_total")})`,
    legend: loadLegend,
  },
  {
    title: "Median latency",
    description: "From the intended send of a message to its delivery. Interpolated between buckets.",
    ...latency(0.5),
  },
  {
    title: "p99 latency",
    description: "From the intended send of a message to its delivery. Interpolated between buckets.",
    ...latency(0.99),
  },
  {
    title: "Latency, all deliveries",
    description: "Deliveries by their latency.",
    type: "heatmap",
    unit: "s",
    query: `sum by (le) (increase(${chosen("showdown_message_latency_seconds_bucket")}[$__rate_interval]))`,
    legend: "{{le}}",
  },
  {
    title: "Open connections",
    description: "Connections that the generator holds open.",
    type: "timeseries",
    unit: "short",
    query: `sum by (${server}) (${chosen("showdown_connections")})`,
    legend: serverLegend,
  },
  {
    title: "Errors per second",
    description: "Messages unsent, duplicated or of nobody, and connections that closed.",
    type: "timeseries",
    unit: "ops",
    query: `sum by (${load}) (${perSecond("showdown_errors_total")})`,
    legend: loadLegend,
  },
  {
    title: "Connections that failed",
    description: "Connections that could not be opened.",
    type: "timeseries",
    unit: "short",
    query: `sum by (${server}) (${chosen("showdown_connection_failures_total")})`,
    legend: serverLegend,
  },
  {
    title: "Lost messages",
    description:
      "Deliveries that were owed and never came, in phases that have ended. An attack knows its own at its end.",
    type: "stat",
    unit: "short",
    query: `sum by (${load}) (${chosen("showdown_messages_lost_total")})`,
    legend: loadLegend,
  },
  {
    title: "Phases that have ended",
    description: "By their status. Only figures of phases that are ok count.",
    type: "stat",
    unit: "short",
    query: `sum by (status) (${chosen("showdown_phases_total")})`,
    legend: "{{status}}",
  },
  {
    title: "Server CPU time per delivery",
    description: "Of the server's processes, in phases that have ended. An attack does not know it.",
    type: "stat",
    unit: "s",
    query: `sum by (${load}) (${chosen("showdown_server_cpu_seconds_total")}) / (sum by (${load}) (${chosen("showdown_deliveries_total")}) > 0)`,
    legend: loadLegend,
  },
  {
    title: "Server memory",
    description:
      "Most resident memory of the server in the last phase that has ended. An attack does not know it.",
    type: "timeseries",
    unit: "bytes",
    query: `sum by (${server}) (${chosen("showdown_server_memory_bytes")})`,
    legend: serverLegend,
  },
];

// biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of Grafana's
const datasource = { type: "prometheus", uid: "${datasource}" };
const size = { w: 12, h: 8 };

function describePanel({ title, description, type, unit, query, legend }: Panel, at: number) {
  return {
    id: at + 1,
    title,
    description,
    type,
    datasource,
    gridPos: { ...size, x: (at % 2) * size.w, y: Math.floor(at / 2) * size.h },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: type === "heatmap" ? { calculate: false, yAxis: { unit } } : {},
    targets: [
      {
        refId: "A",
        datasource,
        expr: query,
        legendFormat: legend,
        ...(type === "heatmap" ? { format: "heatmap" } : {}),
      },
    ],
  };
}

/** The values of a label, to choose some of. */
function describeVariable(name: "run" | "contender", query: string) {
  return {
    name,
    type: "query",
    datasource,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: name === "run" ? 2 : 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { selected: true, text: ["All"], value: ["$__all"] },
  };
}

export function createDashboard() {
  return {
    id: null,
    uid: "ws-showdown",
    title: "WebSocket showdown",
    description: "A run or an attack while it goes on, as showdown --metrics publishes it.",
    tags: ["websocket", "benchmark"],
    schemaVersion: 39,
    editable: true,
    refresh: "5s",
    time: { from: "now-15m", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus", label: "Data source" },
        describeVariable("run", "label_values(showdown_connections, run)"),
        describeVariable("contender", 'label_values(showdown_connections{run=~"$run"}, contender)'),
      ],
    },
    panels: panels.map(describePanel),
  };
}

export const dashboardPath = join(projectFolder, "docs", "grafana", "showdown.json");

export function writeDashboard(): string {
  return `${JSON.stringify(createDashboard(), null, 2)}\n`;
}

if (import.meta.main) {
  await Bun.write(dashboardPath, writeDashboard());
  console.log(dashboardPath);
}
