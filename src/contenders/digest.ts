import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";

/** One line of a `.gitignore`, and the folder it applies to. */
interface IgnoreRule {
  readonly base: string;
  readonly glob: Bun.Glob;
  readonly onlyFolders: boolean;
  readonly negated: boolean;
}

/** Reads `.gitignore` lines (gitignore(5)) that apply below `base`, itself relative to the contender. */
function parseIgnore(text: string, base: string): IgnoreRule[] {
  return text.split(/\r?\n/).flatMap((line): IgnoreRule[] => {
    let pattern = line.replace(/(?<!\\)\s+$/, "");
    if (pattern === "" || pattern.startsWith("#")) return [];
    const negated = pattern.startsWith("!");
    if (negated) pattern = pattern.slice(1);
    const onlyFolders = pattern.endsWith("/");
    if (onlyFolders) pattern = pattern.slice(0, -1);
    // Only a slash that is not the last ties a pattern to its folder.
    const anchored = pattern.includes("/");
    const glob = new Bun.Glob(anchored ? pattern.replace(/^\//, "") : `**/${pattern}`);
    return [{ base, glob, onlyFolders, negated }];
  });
}

function isIgnored(path: string, isFolder: boolean, rules: readonly IgnoreRule[]): boolean {
  let ignored = false;
  // The last rule that matches decides.
  for (const { base, glob, onlyFolders, negated } of rules) {
    if (onlyFolders && !isFolder) continue;
    const below = base === "" ? path : path.slice(base.length + 1);
    if (glob.match(below)) ignored = !negated;
  }
  return ignored;
}

/** Files that make a contender, relative to its folder, in an order that no locale or file system decides. */
export async function listSources(folder: string, products: readonly string[]): Promise<string[]> {
  const left = new Set(products.map((product) => product.replace(/^\.\//, "").replace(/\/+$/, "")));
  const sources: string[] = [];
  const walk = async (base: string, inherited: readonly IgnoreRule[]): Promise<void> => {
    const entries = await readdir(join(folder, base), { withFileTypes: true });
    const rules = [...inherited];
    if (entries.some(({ name }) => name === ".gitignore")) {
      rules.push(...parseIgnore(await readFile(join(folder, base, ".gitignore"), "utf8"), base));
    }
    for (const entry of entries) {
      const path = base === "" ? entry.name : `${base}/${entry.name}`;
      const isFolder = entry.isDirectory();
      if (left.has(path) || isIgnored(path, isFolder, rules)) continue;
      // Hidden folders are caches of tools (.git, .elixir_ls, .gradle); hidden files are settings.
      if (isFolder && (entry.name === "node_modules" || entry.name.startsWith("."))) continue;
      if (isFolder) await walk(path, rules);
      else if (entry.isFile() || entry.isSymbolicLink()) sources.push(path);
    }
  };
  await walk("", []);
  return sources.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/**
 * SHA-256 (hexadecimal) over names, contents and executable bits of a contender's files: those git would not
 * ignore, without build products. The same on every machine that has the same files.
 */
export async function digestSources(folder: string, products: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of await listSources(folder, products)) {
    const absolute = join(folder, path);
    const link = await readlink(absolute).catch(() => null);
    const content = link === null ? await readFile(absolute) : Buffer.from(link);
    const kind = link !== null ? "link" : ((await stat(absolute)).mode & 0o100) !== 0 ? "program" : "file";
    // With lengths, so that no two sets of files can look like the same bytes.
    hash.update(`${kind} ${Buffer.byteLength(path)} ${path} ${content.length}\n`);
    hash.update(content);
  }
  return hash.digest("hex");
}
