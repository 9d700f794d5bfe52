/** Brings OpenTelemetry's packages, which take their time to load: only for those who ask for one of the two. */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  MeterProvider,
  type MetricProducer,
  MetricReader,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import type { ListenAddress } from "../../plan/value-type.ts";
import { findListener } from "../../process/port.ts";
import { printable } from "../../text/printable.ts";
import type { MetricBoard } from "./metric-board.ts";
import { createMetricProducer } from "./metric-producer.ts";

const sendIntervalMs = 5000;
/** A collector that takes longer has missed it; the next sending has all of it. */
const sendTimeoutMs = 2000;

export interface MetricTargets {
  /** Where Prometheus may ask. */
  readonly listen: ListenAddress | null;
  /** The collector that is sent to. */
  readonly otlp: string | null;
}

export interface PublishedMetrics {
  /** Where Prometheus may ask; null where nobody may. */
  readonly url: string | null;
  /** Sends the last figures to the collector, and answers no more. */
  stop(): Promise<void>;
}

/**
 * Publishes the board until it is stopped. What goes wrong with that is told, and ends nothing: the load is what counts.
 *
 * @param warn gets each kind of trouble once
 */
export function publishMetrics(
  board: MetricBoard,
  { listen, otlp }: MetricTargets,
  { version, warn }: { readonly version: string; readonly warn: (problem: string) => void },
): PublishedMetrics {
  const producer = createMetricProducer(board, version);
  const scraped = listen === null ? null : new ScrapeReader({ metricProducers: [producer] });
  const pushed = otlp === null ? null : createPushReader(otlp, producer, warn);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ "service.name": "showdown", "service.version": version }),
    readers: [scraped, pushed].filter((reader) => reader !== null),
  });
  const server = listen === null || scraped === null ? null : serve(listen, scraped, warn);
  return {
    url: server === null ? null : new URL("/metrics", server.url).href,
    stop: async () => {
      await server?.stop(true);
      await provider.shutdown();
    },
  };
}

/** Collects when it is asked, and at no other time. */
class ScrapeReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** Not by the exporter's own server: it takes port 0 for 9464. */
function serve(
  { host, port }: ListenAddress,
  reader: MetricReader,
  warn: (problem: string) => void,
): Bun.Server<undefined> | null {
  const serializer = new PrometheusSerializer(undefined, false, undefined, false, true);
  const answer = async ({ url }: Request): Promise<Response> => {
    if (new URL(url).pathname !== "/metrics") {
      return new Response("nothing here; the figures are at /metrics\n", { status: 404 });
    }
    const { resourceMetrics } = await reader.collect();
    return new Response(serializer.serialize(resourceMetrics), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    });
  };
  try {
    return Bun.serve({ hostname: host, port, fetch: answer });
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const listener = code === "EADDRINUSE" ? findListener(port) : null;
    const problem =
      code === "EADDRINUSE"
        ? `in use${listener === null ? "" : ` by ${listener}`}`
        : `not to be had (${message})`;
    warn(
      `--metrics: port ${port} of ${host} is ${problem}; nothing is served, all else goes on. Port 0 picks a free one`,
    );
    return null;
  }
}

function createPushReader(
  url: string,
  producer: MetricProducer,
  warn: (problem: string) => void,
): PeriodicExportingMetricReader {
  const exporter = new OTLPMetricExporter({ url: signalUrl(url), timeoutMillis: sendTimeoutMs });
  let isTold = false;
  const telling: PushMetricExporter = {
    export: (metrics, callback) =>
      exporter.export(metrics, (result: ExportResult) => {
        if (result.code === ExportResultCode.FAILED && !isTold) {
          isTold = true;
          const problem = printable(result.error?.message ?? "it was refused");
          warn(`--otlp ${url}: ${problem}; it gets no figures until it answers, all else goes on`);
        }
        callback(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
    selectAggregationTemporality: (type) => exporter.selectAggregationTemporality(type),
    selectAggregation: (type) => exporter.selectAggregation(type),
  };
  return new PeriodicExportingMetricReader({
    exporter: telling,
    exportIntervalMillis: sendIntervalMs,
    exportTimeoutMillis: sendIntervalMs,
    metricProducers: [producer],
  });
}

/** A collector's address stands for the path of metrics under it (OTLP 1.x, "OTLP/HTTP Request"). */
function signalUrl(base: string): string {
  const url = new URL(base);
  if (!url.pathname.endsWith("/v1/metrics")) {
    url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/metrics`;
  }
  return url.href;
}
