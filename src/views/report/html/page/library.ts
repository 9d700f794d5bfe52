import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

// Only these parts of the library get into the page.
use([CustomChart, LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer]);

export type ChartOptions = EChartsCoreOption;

export interface CustomItem {
  readonly type: "polygon";
  readonly shape: { readonly points: readonly (readonly number[])[] };
  readonly style: { readonly fill: string; readonly opacity: number };
}

export interface Drawing {
  draw(options: ChartOptions): void;
  readonly width: number;
}

/** SVG: sharp on paper and on any screen. It follows its element's size, after which `onResize` may draw anew. */
export function createDrawing(element: HTMLElement, onResize: () => void): Drawing {
  element.replaceChildren();
  const chart = init(element, null, { renderer: "svg" });
  let { clientWidth } = element;
  new ResizeObserver(() => {
    if (element.clientWidth === clientWidth || element.clientWidth === 0) return;
    clientWidth = element.clientWidth;
    chart.resize();
    onResize();
  }).observe(element);
  return {
    draw: (options) => chart.setOption(options, { notMerge: true }),
    get width() {
      return element.clientWidth;
    },
  };
}
