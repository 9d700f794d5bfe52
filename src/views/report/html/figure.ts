import { formatPlace, formatValue } from "./chart-format.ts";
import { type ChartModel, type DotChart, type LineChart, seriesLabel } from "./chart-model.ts";
import { colorCount } from "./color-count.ts";
import { html, type Markup } from "./markup.ts";
import { renderTable } from "./table-markup.ts";

/** A chart with its legend, its text alternative, and its numbers as a table, unless they change all the time. */
export function renderFigure(chart: ChartModel, remark: string, isLive = false): Markup {
  return html`<figure class="chart" id="${chart.id}">
<figcaption><b>${shortTitle(chart.title)}</b> <span>${remark}</span></figcaption>
${renderLegend(chart)}
<div class="drawing ${chart.kind}" data-chart="${chart.id}" style="--rows:${chart.kind === "dots" ? chart.rows.length : 0}" role="img" aria-label="${describeChart(chart)}"><p>Drawn where JavaScript runs; the numbers are in the table below.</p></div>
${isLive ? null : html`<details><summary>The numbers of this chart</summary>${renderTable(tableOf(chart), { label: `${chart.title}: numbers`, classes: "plain" })}</details>`}
</figure>`;
}

/** The section says which phase it is. */
export function shortTitle(title: string): string {
  const short = title.slice(title.indexOf(": ") + 2);
  // A percentile is written small.
  return /^p\d/.test(short) ? short : short.charAt(0).toUpperCase() + short.slice(1);
}

/** Buttons, so that a line can be hidden by keyboard too. The script makes them work; without it they are a plain legend. */
function renderLegend(chart: ChartModel): Markup {
  if (chart.kind === "dots") {
    return html`<ul class="legend">${chart.marks.map(
      (mark, index) => html`<li><span class="mark m${index}" aria-hidden="true"></span>${mark}</li>`,
    )}</ul>`;
  }
  return html`<div class="legend" role="group" aria-label="Lines shown">${chart.series.map(
    (series) =>
      html`<button type="button" aria-pressed="true" data-series="${series.name}"><span class="key line c${series.color % colorCount}${series.color >= colorCount || series.status !== "ok" ? " dashed" : ""}" aria-hidden="true"></span>${seriesLabel(series)}</button>`,
  )}</div>`;
}

/** The chart in words: what is on it, and its most telling numbers. */
export function describeChart(chart: ChartModel): string {
  const write = (value: number | null) => formatValue(value, chart.unit);
  if (chart.kind === "dots") {
    const rows = chart.rows.map(
      ({ name, values }) =>
        `${name}: ${chart.marks.map((mark, index) => `${mark} ${write(values[index] ?? null)}`).join(", ")}`,
    );
    return `${chart.title}. ${rows.join("; ")}.`;
  }
  const lines = chart.series.map((series) => {
    const { points } = series;
    const label = seriesLabel(series);
    if (chart.x === "quantile") {
      const told = [0.5, 0.9, 0.99, 0.999].flatMap((quantile) => {
        const point = points.findLast(({ x }) => x <= quantile + 1e-9);
        return point === undefined || (points.at(-1)?.x ?? 0) < quantile
          ? []
          : [`${formatPlace(quantile, "quantile")} ${write(point.middle)}`];
      });
      return `${label}: ${told.join(", ")}`;
    }
    const middles = points.map(({ middle }) => middle);
    return `${label}: from ${write(Math.min(...middles))} to ${write(Math.max(...middles))}`;
  });
  const level = chart.level === null ? "" : ` ${chart.level.name}: ${write(chart.level.value)}.`;
  return `${chart.title}, ${chart.scale === "log" ? "logarithmic" : "linear"} axis. ${lines.join("; ")}.${level}`;
}

function tableOf(chart: ChartModel) {
  return chart.kind === "dots" ? tableOfDots(chart) : tableOfLines(chart);
}

function tableOfDots({ marks, rows, unit }: DotChart) {
  return {
    columns: [
      { header: "contender", align: "left" as const },
      ...marks.map((header) => ({ header, align: "right" as const })),
    ],
    rows: rows.map(({ name, values }) => ({
      cells: [name, ...values.map((value) => formatValue(value, unit))].map((text) => ({ text })),
    })),
  };
}

const places = { quantile: "percentile", second: "second", perSecond: "offered" } as const;

function tableOfLines({ series, x, unit }: LineChart) {
  const all = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort(
    (a, b) => a - b,
  );
  return {
    columns: [
      { header: places[x], align: "right" as const },
      ...series.map((one) => ({ header: seriesLabel(one), align: "right" as const })),
    ],
    rows: all.map((place) => ({
      cells: [
        { text: formatPlace(place, x) },
        ...series.map(({ points }) => ({
          text: formatValue(points.find((point) => point.x === place)?.middle ?? null, unit),
        })),
      ],
    })),
  };
}
