import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exitCodes, UsageError, WritingError } from "../../errors.ts";
import { readRun } from "../../result/read.ts";
import { exportCsv } from "../../views/csv/export-csv.ts";
import { renderMarkdown } from "../../views/report/markdown.ts";
import { demandOf } from "../../views/report/verdict/sizing.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";

/** `showdown report`: writes a run's reports anew from its result file. Returns the exit code. */
export async function report({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [reference = "latest", ...others] = positionals;
  if (others.length > 0) {
    throw new UsageError(`expected one run, got ${positionals.length}: ${positionals.join(", ")}`);
  }
  const { result, folder } = readRun(reference, {
    resultsFolder: resultsFolder(values, host),
    cwd: host.cwd,
  });
  if (result.status === "running") {
    host.err(
      `warning: ${result.id} has not ended, or was cut off: the report shows what it measured by then\n`,
    );
  }
  // Brings the page's whole machinery, which no other command needs to load.
  const { renderHtml } = await import("../../views/report/html/render.ts");
  const demand = demandOf(values);
  const reports = [
    { name: "report.md", text: renderMarkdown(result, demand) },
    { name: "report.html", text: await renderHtml(result, demand) },
  ];
  await write(folder, reports, host);
  if (values.csv !== undefined) await write(resolve(host.cwd, values.csv), exportCsv(result), host);
  return exitCodes.ok.code;
}

async function write(
  folder: string,
  files: readonly { readonly name: string; readonly text: string }[],
  host: Host,
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const { name, text } of files) {
      const path = join(folder, name);
      await writeFile(path, text);
      host.out(`${path}\n`);
    }
  } catch (error) {
    throw new WritingError(
      `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      { hint: "copy the run's folder to a place where you may write, or free some space", cause: error },
    );
  }
}
