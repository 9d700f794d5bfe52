import { formatPlace, formatValue } from "../chart-format.ts";
import { type LineChart, type LineSeries, seriesLabel } from "../chart-model.ts";
import { colorCount } from "../color-count.ts";
import type { Theme } from "./theme.ts";

/** Made of elements and not of HTML text: names come from files and servers. */
export function createTooltip(
  chart: LineChart,
  series: readonly LineSeries[],
  theme: Theme,
  place: number,
): HTMLElement {
  const box = document.createElement("div");
  box.className = "tooltip";
  const title = box.appendChild(document.createElement("b"));
  const nearest = series
    .flatMap(({ points }) => points.map(({ x }) => x))
    .reduce((best, x) => (Math.abs(x - place) < Math.abs(best - place) ? x : best), Number.POSITIVE_INFINITY);
  title.textContent = formatPlace(nearest, chart.x);
  const rows = series.flatMap((one) => {
    const point = one.points.find(({ x }) => x === nearest);
    return point === undefined ? [] : [{ one, point }];
  });
  for (const { one, point } of rows.sort((a, b) => b.point.middle - a.point.middle)) {
    const line = box.appendChild(document.createElement("div"));
    line.className = "tooltip-row";
    const key = line.appendChild(document.createElement("i"));
    key.style.background = theme.series[one.color % colorCount] ?? theme.text;
    line.appendChild(document.createElement("span")).textContent = seriesLabel(one);
    line.appendChild(document.createElement("strong")).textContent = formatValue(point.middle, chart.unit);
    if (point.low < point.high) {
      line.appendChild(document.createElement("small")).textContent =
        `${formatValue(point.low, chart.unit)} – ${formatValue(point.high, chart.unit)}`;
    }
  }
  return box;
}
