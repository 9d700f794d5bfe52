import * as format from "../../../text/format.ts";
import type { LineChart, Unit } from "./chart-model.ts";

const writers: Readonly<Record<Unit, (value: number | null) => string>> = {
  us: format.formatLatency,
  perSecond: format.formatRate,
  bytes: format.formatBytes,
  cores: (value) => (value === null ? format.unknown : `${format.formatCount(Math.round(value * 100))} %`),
};

export function formatValue(value: number | null, unit: Unit): string {
  return writers[unit](value);
}

/** `p99.9`, `3 s`, `20,000/s`. */
export function formatPlace(place: number, x: LineChart["x"]): string {
  switch (x) {
    case "quantile":
      return formatQuantile(place);
    case "second":
      return `${place} s`;
    case "perSecond":
      return format.formatRate(place);
  }
}

/** As many digits as it takes to tell it from 100: `p50`, `p99.95`. */
export function formatQuantile(quantile: number): string {
  const digits = quantile >= 1 ? 0 : Math.max(1, Math.ceil(-Math.log10(1 - quantile)));
  return `p${Number((quantile * 100).toFixed(digits))}`;
}
