import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { projectFolder } from "../machine/installation.ts";
import type { RunSource } from "../result/find.ts";
import { printableLines } from "../text/printable.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";

/** Where contenders are looked for: the project's own, which an executable has not, and those of `--contenders`. */
export function contenderFolders({ contenders = [] }: OptionValues, host: Host): string[] {
  const own = join(projectFolder, "contenders");
  return [...(existsSync(own) ? [own] : []), ...contenders.map((folder) => resolve(host.cwd, folder))];
}

/** Where runs are written and found. */
export function resultsFolder({ results = "results" }: OptionValues, host: Host): string {
  return resolve(host.cwd, results);
}

/** Where a command finds the runs it is given; files that `latest` passes over are told. */
export function runSource(values: OptionValues, host: Host): RunSource {
  return {
    resultsFolder: resultsFolder(values, host),
    cwd: host.cwd,
    onSkipped: (problem) => host.err(`warning: passed over: ${printableLines(problem)}\n`),
  };
}
