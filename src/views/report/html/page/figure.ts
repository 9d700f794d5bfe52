import type { ChartModel } from "../chart-model.ts";
import { dotOptions } from "./dot-options.ts";
import { createDrawing, type Drawing } from "./library.ts";
import { lineOptions } from "./line-options.ts";
import { readTheme, watchTheme } from "./theme.ts";

/** A chart in its figure: drawn, redrawn when colours or width change, with a legend that hides lines. */
export class Figure {
  readonly #hidden = new Set<string>();
  readonly #drawing: Drawing;
  #chart: ChartModel;

  /** @param element the figure that `renderFigure` made for this chart */
  constructor(element: HTMLElement, chart: ChartModel) {
    this.#chart = chart;
    const place = element.querySelector<HTMLElement>("[data-chart]");
    if (place === null)
      throw new Error(`figure ${element.id} has no place for its chart: expected [data-chart]`);
    this.#drawing = createDrawing(place, () => this.#draw());
    watchTheme(() => this.#draw());
    for (const button of element.querySelectorAll<HTMLButtonElement>("[data-series]")) {
      button.addEventListener("click", () => this.#toggle(button));
    }
    this.#draw();
  }

  update(chart: ChartModel): void {
    this.#chart = chart;
    this.#draw();
  }

  #toggle(button: HTMLButtonElement): void {
    const { series = "" } = button.dataset;
    if (!this.#hidden.delete(series)) this.#hidden.add(series);
    button.setAttribute("aria-pressed", String(!this.#hidden.has(series)));
    this.#draw();
  }

  #draw(): void {
    const chart = this.#chart;
    const theme = readTheme();
    this.#drawing.draw(
      chart.kind === "lines"
        ? lineOptions(chart, theme, this.#hidden, this.#drawing.width)
        : dotOptions(chart, theme),
    );
  }
}
