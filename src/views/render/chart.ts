import { formatMeasure } from "../../measures/measure.ts";
import * as format from "../../text/format.ts";
import type { BarChart, Chart, LineChart } from "../document/block.ts";
import { html, type Markup } from "./markup.ts";

/** How many contenders have a colour of their own (style.css); those beyond share them, dashed. */
const colorCount = 8;
const width = 480;
const plot = { top: 12, bottom: 194, right: width - 24 };
const barHeight = 26;
const longestName = 28;
/** Nothing measures text here: the room for it is what so many characters take at most. */
const characterWidth = 6.8;
/** More labels would run into each other. */
const mostLabels = 6;

/** A chart as SVG: colours are variables of the page, so that it fits a dark one, too. */
export function renderFigure(chart: Chart, label = "the table of this phase has the numbers"): Markup {
  // A percentile is written small.
  const title = /^p\d/.test(chart.title)
    ? chart.title
    : chart.title.charAt(0).toUpperCase() + chart.title.slice(1);
  const height = chart.kind === "bars" ? chart.bars.length * barHeight + 8 : plot.bottom + 24;
  const legend = chart.kind === "bars" ? [] : chart.series;
  return html`<figure class="${chart.kind}"><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}; ${label}">
${chart.kind === "bars" ? drawBars(chart) : drawLines(chart)}</svg>
${legend.length === 0 ? null : html`<ul class="legend">${legend.map(({ name }) => renderKey(chart, name))}</ul>`}</figure>\n`;
}

function renderKey(chart: Chart, name: string): Markup {
  const dashed = isDashed(chart, name) ? html` class="dashed"` : null;
  return html`<li><i style="border-color:${colorOf(chart, name)}"${dashed}></i>${name}</li>`;
}

function colorOf({ contenders }: Chart, name: string): string {
  return `var(--c${Math.max(0, contenders.indexOf(name)) % colorCount})`;
}

/** Those who share a colour are told apart by their line. */
function isDashed({ contenders }: Chart, name: string): boolean {
  return contenders.indexOf(name) >= colorCount;
}

function drawBars(chart: BarChart): Markup {
  const rows = chart.bars.map((bar) => ({
    ...bar,
    label: bar.name.length > longestName ? `${bar.name.slice(0, longestName - 1)}…` : bar.name,
    text: bar.prefix + formatMeasure(chart, bar.value),
  }));
  const left = widthOf(rows.map(({ label }) => label));
  const right = width - widthOf(rows.map(({ text }) => text));
  const most = Math.max(...rows.map(({ value, high }) => Math.max(value, high ?? 0)), Number.MIN_VALUE);
  const x = (value: number) => round(left + (value / most) * (right - left));
  return html`${rows.map(({ name, label, text, value, low, high }, at) => {
    const y = 4 + (at + 0.5) * barHeight;
    return html`<text x="${left - 6}" y="${y}" text-anchor="end" fill="var(--text)">${label}</text>
<path d="M${left} ${y - 7}H${x(value)}v14H${left}z" fill="${colorOf(chart, name)}"/>
${low === null || high === null ? null : html`<path d="M${x(low)} ${y}H${x(high)}M${x(low)} ${y - 4}v8M${x(high)} ${y - 4}v8" stroke="var(--text)" stroke-width="1.5"/>`}
<text x="${right + 6}" y="${y}" fill="var(--text)">${text}</text>\n`;
  })}`;
}

function drawLines(chart: LineChart): Markup {
  const points = chart.series.flatMap((one) => one.points);
  const values = [
    ...(chart.level === null ? [] : [chart.level.value]),
    ...points.flatMap(({ low, high }) => [low, high]),
  ];
  const across = xAxis(chart, Math.max(1, ...points.map(({ x }) => placeOn(x, chart))));
  const up = chart.scale === "log" ? decades(values) : linear(Math.max(...values, 0) || 1, true);
  const labels = up.ticks.map((tick) => formatMeasure(chart, tick).replace(/\.0+ /, " "));
  const left = widthOf(labels);
  const x = (value: number) => round(left + across.share(placeOn(value, chart)) * (plot.right - left));
  const y = (value: number) => round(plot.bottom - up.share(value) * (plot.bottom - plot.top));
  const every = Math.ceil(across.ticks.length / mostLabels);
  return html`${up.ticks.map(
    (tick, at) =>
      html`<path d="M${left} ${y(tick)}H${plot.right}" stroke="var(--grid)"/><text x="${left - 6}" y="${y(tick)}" text-anchor="end" fill="var(--muted)">${labels[at] ?? ""}</text>\n`,
  )}${across.ticks.map((tick, at) => {
    const place = round(left + across.share(tick) * (plot.right - left));
    const label = at % every === 0 ? describeTick(tick, chart) : "";
    // A name may be longer than what is left beside the plot.
    const anchor = typeof chart.x === "object" && at > 0 && at === across.ticks.length - 1 ? "end" : "middle";
    return html`<text x="${place}" y="${plot.bottom + 14}" text-anchor="${anchor}" fill="var(--muted)">${label}</text>\n`;
  })}${chart.series.map(({ name, points: own }) => drawBand(own, colorOf(chart, name), x, y))}${chart.series.map(
    ({ name, points: own }) => {
      const path = own.map((point) => `${x(point.x)} ${y(point.middle)}`).join("L");
      const dashes = isDashed(chart, name) ? "6 3" : "none";
      const color = colorOf(chart, name);
      return html`<path class="line" d="M${path}" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dashes}"/>
${hasDots(chart) ? own.map((point) => html`<circle cx="${x(point.x)}" cy="${y(point.middle)}" r="2.5" fill="${color}"/>`) : null}`;
    },
  )}${chart.level === null ? null : drawLevel(chart.level.name, left, y(chart.level.value))}`;
}

/** Where something was measured and nothing between. */
function hasDots({ x }: LineChart): boolean {
  return x === "perSecond" || typeof x === "object";
}

/** From the lowest to the highest round, behind the line. */
function drawBand(
  points: LineChart["series"][number]["points"],
  color: string,
  x: (value: number) => number,
  y: (value: number) => number,
): Markup | null {
  if (points.every(({ low, high }) => low === high)) return null;
  const edge = [
    ...points.map((point) => `${x(point.x)} ${y(point.high)}`),
    ...points.toReversed().map((point) => `${x(point.x)} ${y(point.low)}`),
  ];
  return html`<path d="M${edge.join("L")}z" fill="${color}" opacity="0.12"/>\n`;
}

function drawLevel(name: string, left: number, y: number): Markup {
  return html`<path d="M${left} ${y}H${plot.right}" stroke="var(--muted)" stroke-width="1.5" stroke-dasharray="2 3"/><text x="${plot.right}" y="${y - 8}" text-anchor="end" fill="var(--muted)">${name}</text>`;
}

interface Axis {
  readonly ticks: readonly number[];
  /** Where a value stands between the axis' ends, 0 to 1. */
  readonly share: (value: number) => number;
}

function xAxis(chart: LineChart, last: number): Axis {
  if (typeof chart.x === "object") {
    const end = Math.max(1, chart.x.length - 1);
    return { ticks: chart.x.map((_, at) => at), share: (value) => value / end };
  }
  return chart.x === "quantile" ? logarithmic(1, Math.max(10, last)) : linear(last, false);
}

/** From zero in four or so round steps; `isRound` where it ends with one. */
function linear(most: number, isRound: boolean): Axis {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power * 4 >= most) ?? 10) * power;
  const steps = most / step;
  const end = isRound ? Math.ceil(steps) * step : most;
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
  return { ticks, share: (value) => value / end };
}

function logarithmic(least: number, most: number): Axis {
  const first = Math.ceil(Math.log10(least));
  const count = Math.floor(Math.log10(most)) - first + 1;
  return {
    ticks: Array.from({ length: count }, (_, at) => 10 ** (first + at)),
    share: (value) => Math.log(value / least) / Math.log(most / least),
  };
}

/** Whole ones, so that a log axis has at least two labels. */
function decades(values: readonly number[]): Axis {
  const least = 10 ** Math.floor(Math.log10(Math.min(...values, 1e9)));
  const most = 10 ** Math.ceil(Math.log10(Math.max(...values, 1)));
  return logarithmic(Math.min(least, most), Math.max(most, least * 10));
}

/** A quantile by its distance from 1: each nine takes the same room. */
function placeOn(x: number, chart: LineChart): number {
  return chart.x === "quantile" ? 1 / Math.max(1e-9, 1 - x) : x;
}

function describeTick(at: number, { x }: LineChart): string {
  if (typeof x === "object") return x[at] ?? "";
  if (x === "second") return `${at} s`;
  return x === "perSecond" ? format.formatRate(at) : `p${Number((100 - 100 / at).toPrecision(12))}`;
}

function widthOf(texts: readonly string[]): number {
  return 12 + Math.max(...texts.map(({ length }) => length)) * characterWidth;
}

/** A tenth of a pixel is as fine as anybody sees. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
