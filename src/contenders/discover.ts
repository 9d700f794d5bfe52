import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ShowdownError } from "../errors.ts";
import { printable } from "../text/printable.ts";
import { type Manifest, namePattern, nameRule, parseManifest } from "./manifest.ts";

/** A contender: a folder with a `contender.json`. */
export interface Contender {
  /** The folder's name. */
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

export const manifestName = "contender.json";

async function readContender(folder: string): Promise<Contender | string[]> {
  const name = basename(folder);
  const parsed = parseManifest(await readFile(join(folder, manifestName), "utf8"));
  const problems = "problems" in parsed ? parsed.problems : [];
  if (!namePattern.test(name)) {
    problems.push(`folder name: "${printable(name)}"; ${nameRule}`);
  }
  return "problems" in parsed || problems.length > 0 ? problems : { name, folder, manifest: parsed.manifest };
}

async function listFolders(root: string): Promise<string[]> {
  const absolute = resolve(root);
  // A root may be one contender's own folder, too.
  if (existsSync(join(absolute, manifestName))) return [absolute];
  try {
    const names = await readdir(absolute);
    return names.map((name) => join(absolute, name)).filter((path) => existsSync(join(path, manifestName)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ShowdownError(
      "usage",
      `contenders folder "${root}": ${code === "ENOENT" ? "does not exist" : code === "ENOTDIR" ? "is not a folder" : String(code)}`,
      { hint: "expected a folder whose subfolders hold a contender.json each", cause: error },
    );
  }
}

/**
 * Finds the contenders in these folders, sorted by name.
 * @throws {ShowdownError} `manifest` naming all problems of all manifests; {ShowdownError} `usage` when a folder cannot be read.
 */
export async function discoverContenders(roots: readonly string[]): Promise<Contender[]> {
  const folders = [...new Set((await Promise.all(roots.map(listFolders))).flat())].sort();
  const contenders: Contender[] = [];
  const reports: string[] = [];
  let problemCount = 0;
  const report = (path: string, problems: readonly string[]) => {
    reports.push([path, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    problemCount += problems.length;
  };
  for (const folder of folders) {
    const found = await readContender(folder);
    if (Array.isArray(found)) {
      report(join(folder, manifestName), found);
      continue;
    }
    const twin = contenders.find(({ name }) => name === found.name);
    if (twin === undefined) contenders.push(found);
    else report(folder, [`folder name: the same as ${twin.folder}; expected a name of its own`]);
  }
  if (reports.length > 0) {
    const count = problemCount === 1 ? "1 problem" : `${problemCount} problems`;
    throw new ShowdownError("manifest", `${count} in the contenders' manifests\n${reports.join("\n")}`, {
      hint: "schema/contender.schema.json describes every key",
    });
  }
  return contenders.sort((a, b) => (a.name < b.name ? -1 : 1));
}
