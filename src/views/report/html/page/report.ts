import type { ChartModel } from "../chart-model.ts";
import { Figure } from "./figure.ts";

drawFrom(0, JSON.parse(document.getElementById("charts")?.textContent ?? "[]"));

/** One at a time, so that a long report can be scrolled while its dozens of charts are drawn. */
function drawFrom(index: number, charts: readonly ChartModel[]): void {
  const chart = charts[index];
  if (chart === undefined) {
    document.documentElement.dataset.drawn = "true";
    return;
  }
  const element = document.getElementById(chart.id);
  if (element !== null) new Figure(element, chart);
  setTimeout(() => drawFrom(index + 1, charts));
}
