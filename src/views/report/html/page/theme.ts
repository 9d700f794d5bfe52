import { colorCount } from "../color-count.ts";

/** The colours of the style sheet as they are now, since SVG made by the library takes no variables. */
export interface Theme {
  readonly series: readonly string[];
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly surface: string;
  readonly font: string;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: colorCount }, (_, index) => color(`--c${index}`)),
    text: color("--text"),
    muted: color("--muted"),
    grid: color("--grid"),
    surface: color("--surface"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** Calls back when the reader's system turns dark or light. */
export function watchTheme(onChange: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
}
