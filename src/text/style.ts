import { styleText } from "node:util";

export type Style = "strong" | "dim" | "good" | "warning" | "bad";

const formats = {
  strong: "bold",
  dim: "dim",
  good: "green",
  warning: "yellow",
  bad: "red",
} as const satisfies Record<Style, Parameters<typeof styleText>[0]>;

export type Painter = (text: string, style: Style | null) => string;

/** Whether to colour is the caller's to know (`NO_COLOR`, a terminal or a file). */
export function createPainter(color: boolean): Painter {
  return (text, style) =>
    color && style !== null && text !== ""
      ? styleText(formats[style], text, { validateStream: false })
      : text;
}
