import { formatPlace, formatValue } from "../chart-format.ts";
import { type LineChart, type LineSeries, seriesLabel } from "../chart-model.ts";
import { colorCount } from "../color-count.ts";
import type { ChartOptions, CustomItem } from "./library.ts";
import type { Theme } from "./theme.ts";
import { createTooltip } from "./tooltip.ts";

/** @param hidden names of the series that the reader has turned off */
export function lineOptions(
  chart: LineChart,
  theme: Theme,
  hidden: ReadonlySet<string>,
  width: number,
): ChartOptions {
  const shown = chart.series.filter(({ name }) => !hidden.has(name));
  const level = chart.level === null ? [] : [chart.level.value];
  const values = [...level, ...shown.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high]))];
  const text = { color: theme.muted, fontFamily: theme.font, fontSize: 11 };
  return {
    animation: false,
    textStyle: { fontFamily: theme.font },
    grid: { left: 4, right: 14, top: 12, bottom: 4, containLabel: true },
    xAxis: {
      type: chart.x === "quantile" ? "log" : "value",
      ...reachOf(chart, shown),
      axisLabel: {
        ...text,
        hideOverlap: true,
        formatter: (at: number) => describeTick(at, chart),
      },
      axisLine: { lineStyle: { color: theme.grid } },
      axisTick: { show: false },
      splitLine: { show: chart.x !== "second", lineStyle: { color: theme.grid } },
      ...(chart.x === "second" ? { minInterval: 1, splitNumber: width < 420 ? 4 : 8 } : {}),
    },
    yAxis: {
      type: chart.scale === "log" ? "log" : "value",
      ...(chart.scale === "log" ? decades(values) : { min: 0 }),
      splitNumber: 4,
      axisLabel: {
        ...text,
        hideOverlap: true,
        formatter: (value: number) => formatValue(value, chart.unit).replace(/\.0+ /, " "),
      },
      splitLine: { lineStyle: { color: theme.grid } },
    },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: theme.surface,
      borderColor: theme.grid,
      axisPointer: { lineStyle: { color: theme.muted, type: "solid", width: 1 } },
      formatter: (items: unknown) => createTooltip(chart, shown, theme, firstPlace(items, chart)),
    },
    series: [
      ...shown.filter(isSpread).map((series) => bandOf(series, chart, theme)),
      ...shown.map((series) => ({
        type: "line" as const,
        name: seriesLabel(series),
        data: series.points.map(({ x, middle }) => [placeOf(x, chart), middle]),
        showSymbol: series.points.length < 2 || chart.x === "perSecond",
        symbol: "circle",
        symbolSize: 6,
        lineStyle: {
          width: 2,
          color: colorOf(series, theme),
          type:
            series.status !== "ok" || series.color >= colorCount ? ("dashed" as const) : ("solid" as const),
        },
        itemStyle: { color: colorOf(series, theme) },
        emphasis: { disabled: true },
      })),
      ...(chart.level === null ? [] : [levelOf(chart.level, chart, theme)]),
    ],
  };
}

/** The end of the axis, where the sample ends, is no place to name. */
function describeTick(at: number, { x }: LineChart): string {
  if (x !== "quantile") return formatPlace(at, x);
  return Number.isInteger(Math.log10(at)) ? formatPlace(1 - 1 / at, x) : "";
}

/** A quantile by its distance from 1: each nine takes the same room. */
function placeOf(x: number, chart: LineChart): number {
  return chart.x === "quantile" ? 1 / (1 - x) : x;
}

function colorOf({ color }: LineSeries, theme: Theme): string {
  return theme.series[color % colorCount] ?? theme.text;
}

function isSpread({ points }: LineSeries): boolean {
  return points.some(({ low, high }) => low < high);
}

/** From the lowest to the highest round, behind the line. */
function bandOf(series: LineSeries, chart: LineChart, theme: Theme) {
  const { points } = series;
  return {
    type: "custom" as const,
    silent: true,
    tooltip: { show: false },
    z: 1,
    encode: { x: 0, y: [1, 2] },
    // The axes have to know about all of it; it is drawn once.
    data: points.map(({ x, low, high }) => [placeOf(x, chart), low, high]),
    renderItem: (
      params: { dataIndex: number },
      api: { coord(at: readonly number[]): number[] },
    ): CustomItem | null =>
      params.dataIndex > 0
        ? null
        : {
            type: "polygon",
            shape: {
              points: [
                ...points.map(({ x, high }) => api.coord([placeOf(x, chart), high])),
                ...points.toReversed().map(({ x, low }) => api.coord([placeOf(x, chart), low])),
              ],
            },
            style: { fill: colorOf(series, theme), opacity: 0.12 },
          },
  };
}

function levelOf(level: { readonly name: string; readonly value: number }, chart: LineChart, theme: Theme) {
  return {
    type: "line" as const,
    silent: true,
    data: [
      [reachOf(chart, chart.series).min, level.value],
      [reachOf(chart, chart.series).max, level.value],
    ],
    symbol: "none",
    tooltip: { show: false },
    lineStyle: { color: theme.muted, type: "dotted" as const, width: 1.5 },
    endLabel: {
      show: true,
      formatter: level.name,
      align: "right" as const,
      verticalAlign: "bottom" as const,
      offset: [-8, -3],
      color: theme.muted,
      fontFamily: theme.font,
      fontSize: 11,
    },
  };
}

/** Of the x axis, in its own places. */
function reachOf({ x }: LineChart, series: readonly LineSeries[]): { min: number; max: number } {
  const all = series.flatMap(({ points }) => points.map((point) => point.x));
  const last = Math.max(...all);
  switch (x) {
    case "quantile":
      return { min: 1, max: Math.max(10, 1 / (1 - last)) };
    case "second":
      return { min: 0, max: Math.max(1, last) };
    case "perSecond":
      return { min: 0, max: last };
  }
}

/** Whole decades, so that a log axis has at least two labels. */
function decades(values: readonly number[]): { min?: number; max?: number } {
  if (values.length === 0) return {};
  const min = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const max = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  return { min, max: max === min ? min * 10 : max };
}

function firstPlace(items: unknown, chart: LineChart): number {
  const [first] = Array.isArray(items) ? items : [items];
  const at = Number(first?.axisValue ?? first?.value?.[0] ?? 0);
  return chart.x === "quantile" ? 1 - 1 / at : at;
}
