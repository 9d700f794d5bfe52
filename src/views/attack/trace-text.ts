import type { Step } from "../../attack/exchange.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import type { Painter, Style } from "../../text/style.ts";

const arrows = { client: "→", server: "←", note: "·" } as const satisfies Record<Step["from"], string>;
const styles = { client: "strong", server: "good", note: "dim" } as const satisfies Record<
  Step["from"],
  Style
>;
const timeWidth = 10;

/** `  1.21 ms  → text, 12 B`, and what it held below. */
export function describeStep({ afterUs, from, title, bytes, lines }: Step, paint: Painter): string {
  const time = format.formatLatency(afterUs).padStart(timeWidth);
  const size = bytes === null ? "" : `, ${format.formatBytes(bytes)}`;
  const head = `${time}  ${paint(`${arrows[from]} ${printable(title)}${size}`, styles[from])}`;
  const indent = " ".repeat(timeWidth + 4);
  return [head, ...lines.map((line) => `${indent}${printable(line)}`)].join("\n");
}
