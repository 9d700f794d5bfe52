import { formatValue } from "../chart-format.ts";
import type { DotChart } from "../chart-model.ts";
import { colorCount } from "../color-count.ts";
import type { ChartOptions } from "./library.ts";
import type { Theme } from "./theme.ts";

/** Told apart by shape, since the colour is the entrant's. The style sheet's legend has the same ones. */
const symbols = ["circle", "diamond", "triangle", "rect"] as const;

/** A line per entrant, and on it a mark per value. */
export function dotOptions(chart: DotChart, theme: Theme): ChartOptions {
  const { rows, marks, unit, scale } = chart;
  const values = rows.flatMap((row) => row.values.filter((value) => value !== null)).map(atLeast(scale));
  const text = { color: theme.muted, fontFamily: theme.font, fontSize: 11 };
  const colorOf = (color: number) => theme.series[color % colorCount] ?? theme.text;
  return {
    animation: false,
    textStyle: { fontFamily: theme.font },
    grid: { left: 4, right: 24, top: 8, bottom: 4, containLabel: true },
    xAxis: {
      type: scale === "log" ? "log" : "value",
      ...(scale === "log" ? { min: 10 ** Math.floor(Math.log10(Math.min(...values))) } : { min: 0 }),
      splitNumber: 4,
      axisLabel: {
        ...text,
        hideOverlap: true,
        formatter: (value: number) => formatValue(value, unit).replace(/\.0+ /, " "),
      },
      splitLine: { lineStyle: { color: theme.grid } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: rows.map(({ name }) => name),
      axisLine: { show: false },
      axisTick: { show: false },
      // Above its line, where a long name has all the width.
      axisLabel: {
        inside: true,
        verticalAlign: "bottom",
        padding: [0, 0, 9, -4],
        color: theme.text,
        fontFamily: theme.font,
        fontSize: 12,
        fontWeight: 600,
      },
      z: 3,
    },
    tooltip: {
      trigger: "item",
      confine: true,
      backgroundColor: theme.surface,
      borderColor: theme.grid,
      formatter: (item: unknown) => describeMark(item, chart),
    },
    series: [
      ...rows.map((row, at) => ({
        type: "line" as const,
        silent: true,
        symbol: "none",
        tooltip: { show: false },
        lineStyle: { color: colorOf(row.color), width: 2, opacity: 0.45 },
        data: row.values.flatMap((value) => (value === null ? [] : [[atLeast(scale)(value), at]])),
      })),
      ...marks.map((mark, index) => ({
        type: "scatter" as const,
        name: mark,
        symbol: symbols[index % symbols.length] ?? "circle",
        symbolSize: 11,
        emphasis: { disabled: true },
        data: rows.flatMap((row, at) => {
          const value = row.values[index] ?? null;
          return value === null
            ? []
            : [
                {
                  value: [atLeast(scale)(value), at],
                  itemStyle: { color: colorOf(row.color), borderColor: theme.surface, borderWidth: 1 },
                },
              ];
        }),
      })),
    ],
  };
}

/** 0 µs only means less than one, and a log axis has no zero. */
function atLeast(scale: DotChart["scale"]): (value: number) => number {
  return (value) => (scale === "log" ? Math.max(1, value) : value);
}

function describeMark(item: unknown, { marks, rows, unit }: DotChart): HTMLElement {
  const { seriesName, value } = item as { seriesName: string; value: readonly [number, number] };
  const row = rows[value[1]];
  const box = document.createElement("div");
  box.className = "tooltip";
  box.appendChild(document.createElement("b")).textContent = row?.name ?? "";
  for (const [index, mark] of marks.entries()) {
    const line = box.appendChild(document.createElement("div"));
    line.className = "tooltip-row";
    line.appendChild(document.createElement("span")).textContent = mark;
    const number = line.appendChild(document.createElement(mark === seriesName ? "strong" : "span"));
    number.textContent = formatValue(row?.values[index] ?? null, unit);
  }
  return box;
}
