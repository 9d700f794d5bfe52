import { extname } from "node:path";
import { ShowdownError } from "../errors.ts";
import type { Result } from "../result/schema.ts";
import type { Block } from "../views/document/block.ts";
import { type Demand, demandOf } from "../views/document/sizing.ts";
import { renderMarkdown } from "../views/render/markdown.ts";
import { renderBlocks, renderTerminal } from "../views/render/terminal.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";

const fileColumns = 100;

/** How a report is written, by the ending of its file. */
const formats: Readonly<Record<string, (result: Result, demand: Demand) => string | Promise<string>>> = {
  ".md": renderMarkdown,
  ".html": async (result, demand) => {
    // Brings the page's whole machinery, which no other format needs to load.
    const { renderHtml } = await import("../views/render/html.ts");
    return renderHtml(result, demand);
  },
  ".txt": (result, demand) => {
    const view = { columns: fileColumns, color: false, demand, details: true };
    return renderTerminal(result, view);
  },
  ".json": (result) => `${JSON.stringify(result, null, 2)}\n`,
};

/**
 * Before it is known of what, of an attack: its timeline is one table, for which `.csv` stands.
 *
 * @throws {ShowdownError} `usage` when the ending tells no format
 */
export function requireFormat(file: string, of: "run" | "attack"): void {
  const endings = [...Object.keys(formats), ...(of === "attack" ? [".csv"] : [])];
  if (endings.includes(extname(file))) return;
  throw new ShowdownError("usage", `--out ${file}: expected an ending of ${endings.join(", ")}`, {
    hint: "all figures as CSV have an option of their own: showdown report --csv DIR",
  });
}

/** The report of a run as the ending of `file` asks for it. */
export async function renderReport(file: string, result: Result, values: OptionValues): Promise<string> {
  return (await formats[extname(file)]?.(result, demandOf(values))) ?? "";
}

/** Any other document, on stdout. */
export function printBlocks(blocks: readonly Block[], host: Host): void {
  const color = host.outIsTty && !host.env.NO_COLOR;
  host.out(`${renderBlocks(blocks, { columns: host.columns(), color }).join("\n").trim()}\n`);
}

/** What a run says at its end: one screen, or all tables with --details. */
export function renderSummary(
  result: Result,
  values: OptionValues,
  host: Host,
  isTty = host.outIsTty,
): string {
  const color = isTty && !host.env.NO_COLOR;
  const view = { columns: host.columns(), color, demand: demandOf(values), details: values.details === true };
  return renderTerminal(result, view);
}
