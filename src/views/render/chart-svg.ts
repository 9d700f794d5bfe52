import { BarChart as Bars, CustomChart, LineChart as Lines } from "echarts/charts";
import { GridComponent, MarkLineComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { formatMeasure } from "../../measures/measure.ts";
import * as format from "../../text/format.ts";
import type { BarChart, Chart, LineChart } from "../document/block.ts";

echarts.use([Bars, CustomChart, Lines, GridComponent, MarkLineComponent, SVGRenderer]);

/** How many contenders have a colour of their own (style.css); those beyond share them, dashed. */
const colorCount = 8;
const width = 480;
const lineHeight = 220;
const barHeight = 26;
const longestName = 28;
const text = { color: "var(--muted)", fontSize: 12 };
/** Labels of the axes lie within the bounds. */
const outside = { outerBoundsMode: "same", outerBoundsContain: "axisLabel" } as const;
const grid = { lineStyle: { color: "var(--grid)" } };

/** A chart as an SVG element: colours are variables of the page, so that it fits a dark one, too. */
export function renderChart(chart: Chart): string {
  const height = chart.kind === "bars" ? chart.bars.length * barHeight + 8 : lineHeight;
  const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    drawing.setOption({
      animation: false,
      ...(chart.kind === "bars" ? barOptions(chart) : lineOptions(chart)),
    });
    return tidy(drawing.renderToSVGString({ useViewBox: true }));
  } finally {
    drawing.dispose();
  }
}

export function colorOf({ contenders }: Pick<Chart, "contenders">, name: string): string {
  return `var(--c${placeOf({ contenders }, name) % colorCount})`;
}

/** Those who share a colour are told apart by their line. */
export function isDashed({ contenders }: Pick<Chart, "contenders">, name: string): boolean {
  return placeOf({ contenders }, name) >= colorCount;
}

function placeOf({ contenders }: Pick<Chart, "contenders">, name: string): number {
  return Math.max(0, contenders.indexOf(name));
}

function barOptions(chart: BarChart) {
  const bars = chart.bars.toReversed();
  const names = bars.map(({ name }) =>
    name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name,
  );
  const values = bars.map(({ prefix, value }) => prefix + formatMeasure({ unit: chart.unit }, value));
  const axis = (data: readonly string[], position: "left" | "right") => ({
    type: "category" as const,
    data: [...data],
    position,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...text, color: "var(--text)" },
  });
  // Nothing measures text here: the room for it is what so many characters take at most.
  const room = (data: readonly string[]) => 12 + Math.max(...data.map(({ length }) => length)) * 6.8;
  return {
    grid: { left: room(names), right: room(values), top: 4, bottom: 4, outerBoundsMode: "none" as const },
    xAxis: { type: "value" as const, show: false, min: 0 },
    yAxis: [axis(names, "left"), axis(values, "right")],
    series: [
      {
        type: "bar" as const,
        silent: true,
        barWidth: 14,
        data: bars.map(({ name, value }) => ({
          value,
          itemStyle: { color: colorOf(chart, name), borderRadius: 2 },
        })),
      },
      {
        type: "custom" as const,
        silent: true,
        z: 3,
        data: bars.map(({ low, high }, at) => [low ?? 0, high ?? 0, at]),
        encode: { x: [0, 1], y: 2 },
        renderItem: (
          _: unknown,
          api: { value(at: number): number; coord(at: readonly number[]): number[] },
        ) => {
          const [from = 0, y = 0] = api.coord([api.value(0), api.value(2)]);
          const [to = 0] = api.coord([api.value(1), api.value(2)]);
          if (api.value(1) === 0) return null;
          return {
            type: "path" as const,
            shape: {
              pathData: `M${from} ${y}H${to}M${from} ${y - 4}v8M${to} ${y - 4}v8`,
              x: from,
              y: y - 4,
              width: to - from,
              height: 8,
            },
            style: { fill: "none", stroke: "var(--text)", lineWidth: 1.5 },
          };
        },
      },
    ],
  };
}

function lineOptions(chart: LineChart) {
  const level = chart.level === null ? [] : [chart.level.value];
  const values = [
    ...level,
    ...chart.series.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high])),
  ];
  return {
    grid: { left: 4, right: 24, top: 12, bottom: 4, ...outside },
    xAxis: {
      type: chart.x === "quantile" ? ("log" as const) : ("value" as const),
      ...reachOf(chart),
      axisLabel: { ...text, hideOverlap: true, formatter: (at: number) => describeTick(at, chart) },
      axisLine: grid,
      axisTick: { show: false },
      splitLine: { show: chart.x !== "second", ...grid },
    },
    yAxis: {
      type: chart.scale === "log" ? ("log" as const) : ("value" as const),
      ...(chart.scale === "log" ? decades(values) : { min: 0 }),
      splitNumber: 4,
      axisLabel: {
        ...text,
        hideOverlap: true,
        formatter: (value: number) => formatMeasure({ unit: chart.unit }, value).replace(/\.0+ /, " "),
      },
      splitLine: grid,
    },
    series: [
      ...chart.series
        .filter(({ points }) => points.some(({ low, high }) => low < high))
        .map((one) => bandOf(one, chart)),
      ...chart.series.map(({ name, points }, at) => ({
        type: "line" as const,
        silent: true,
        data: points.map(({ x, middle }) => [placeOn(x, chart), middle]),
        showSymbol: chart.x === "perSecond",
        symbol: "circle",
        symbolSize: 5,
        lineStyle: {
          width: 2,
          color: colorOf(chart, name),
          type: isDashed(chart, name) ? ("dashed" as const) : ("solid" as const),
        },
        itemStyle: { color: colorOf(chart, name) },
        ...(at > 0 || chart.level === null ? {} : { markLine: levelLine(chart.level) }),
      })),
    ],
  };
}

function levelLine({ name, value }: NonNullable<LineChart["level"]>) {
  return {
    silent: true,
    symbol: "none",
    data: [{ yAxis: value }],
    lineStyle: { color: "var(--muted)", type: "dotted" as const, width: 1.5 },
    label: { formatter: name, position: "insideEndTop" as const, ...text },
  };
}

/** From the lowest to the highest round, behind the line. */
function bandOf({ name, points }: LineChart["series"][number], chart: LineChart) {
  return {
    type: "custom" as const,
    silent: true,
    z: 1,
    encode: { x: 0, y: [1, 2] },
    // The axes have to know about all of it; it is drawn once.
    data: points.map(({ x, low, high }) => [placeOn(x, chart), low, high]),
    renderItem: (
      { dataIndex }: { readonly dataIndex: number },
      api: { coord(at: readonly number[]): number[] },
    ) =>
      dataIndex > 0
        ? null
        : {
            type: "polygon" as const,
            shape: {
              points: [
                ...points.map(({ x, high }) => api.coord([placeOn(x, chart), high])),
                ...points.toReversed().map(({ x, low }) => api.coord([placeOn(x, chart), low])),
              ],
            },
            style: { fill: colorOf(chart, name), opacity: 0.12 },
          },
  };
}

/** A quantile by its distance from 1: each nine takes the same room. */
function placeOn(x: number, chart: LineChart): number {
  return chart.x === "quantile" ? 1 / Math.max(1e-9, 1 - x) : x;
}

/** Of the x axis, in its own places. */
function reachOf(chart: LineChart): { min: number; max: number } {
  const last = Math.max(...chart.series.flatMap(({ points }) => points.map(({ x }) => x)));
  if (chart.x === "quantile") return { min: 1, max: Math.max(10, placeOn(last, chart)) };
  return { min: 0, max: chart.x === "second" ? Math.max(1, last) : last };
}

/** The end of the axis, where the sample ends, is no place to name. */
function describeTick(at: number, { x }: LineChart): string {
  if (x === "second") return `${at} s`;
  if (x === "perSecond") return format.formatRate(at);
  return Number.isInteger(Math.log10(at)) ? describeQuantile(1 - 1 / at) : "";
}

/** As many digits as it takes to tell it from 100: `p50`, `p99.95`. */
function describeQuantile(quantile: number): string {
  const digits = quantile >= 1 ? 0 : Math.max(1, Math.ceil(-Math.log10(1 - quantile)));
  return `p${Number((quantile * 100).toFixed(digits))}`;
}

/** Whole decades, so that a log axis has at least two labels. */
function decades(values: readonly number[]): { min?: number; max?: number } {
  if (values.length === 0) return {};
  const min = 10 ** Math.floor(Math.log10(Math.min(...values)));
  const max = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  return { min, max: max === min ? min * 10 : max };
}

/** A tenth of a pixel is as fine as anybody sees; the page decides the size and the font, and nothing answers the mouse. */
function tidy(svg: string): string {
  return svg
    .replaceAll(/(?<= (?:d|points|transform|x|y)=")[^"]+/g, (places) =>
      places.replaceAll(/(\d+\.\d)\d+/g, "$1"),
    )
    .replaceAll(/<style[\s\S]*?<\/style>|<rect [^>]*fill="none"><\/rect>/g, "")
    .replaceAll(/ (?:ecmeta_\w+|class|pointer-events|xmlns:xlink|dominant-baseline)="[^"]*"/g, "")
    .replaceAll(/ style="font-size:[^"]*"/g, "")
    .replaceAll(/<(path|polygon|text)([^>]*)><\/\1>/g, "<$1$2/>")
    .replaceAll(/\n+/g, "");
}
