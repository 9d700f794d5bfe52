import { type HrTime, ValueType } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import { boundariesSeconds } from "./latency-buckets.ts";
import { type Metric, type MetricBoard, type MetricName, metrics, type Series } from "./metric-board.ts";

/**
 * Turns the board into metric points when somebody collects them, for all exporters alike. OpenTelemetry's own
 * instruments would want a call for each message.
 */
export function createMetricProducer(board: MetricBoard, version: string): MetricProducer {
  const names = Object.keys(metrics) as MetricName[];
  return {
    collect: async () => ({
      errors: [],
      // The reader puts its own in place of it.
      resourceMetrics: {
        resource: emptyResource(),
        scopeMetrics: [
          {
            scope: { name: "showdown", version },
            metrics: names.flatMap((name) => describeMetric(name, board)),
          },
        ],
      },
    }),
  };
}

function describeMetric(name: MetricName, board: MetricBoard): MetricData[] {
  const series = board.seriesOf(name);
  if (series.length === 0) return [];
  const { type, unit, help }: Metric = metrics[name];
  const times = { startTime: toHrTime(board.startedMs), endTime: toHrTime(Date.now()) };
  const points = <T>(pick: (one: Series) => T): DataPoint<T>[] =>
    series.map((one) => ({ ...times, attributes: { ...one.labels }, value: pick(one) }));
  const common = {
    descriptor: { name, description: help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  switch (type) {
    case "counter":
      return [
        {
          ...common,
          dataPointType: DataPointType.SUM,
          isMonotonic: true,
          dataPoints: points(({ value }) => value),
        },
      ];
    case "gauge":
      return [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints: points(({ value }) => value) }];
    case "histogram":
      return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: points(describeLatency) }];
  }
}

function describeLatency({ latency }: Series): Histogram {
  const { counts, count, sumSeconds } = latency;
  return {
    buckets: { boundaries: [...boundariesSeconds], counts: [...counts] },
    sum: sumSeconds,
    count,
  };
}

function toHrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
