import { createHash } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";

/** What a `.gitignore` says of the folder it stands in. */
interface IgnoreFile {
  readonly folder: string;
  readonly rules: Ignore;
}

/** @param path below the contender; a folder's ends in a slash, as its rules ask for */
function isIgnored(path: string, files: readonly IgnoreFile[]): boolean {
  let ignored = false;
  // The innermost file that says anything decides.
  for (const { folder, rules } of files) {
    const said = rules.test(folder === "" ? path : path.slice(folder.length + 1));
    if (said.ignored || said.unignored) ignored = said.ignored;
  }
  return ignored;
}

/** Files that make a contender, relative to its folder, in an order that no locale or file system decides. */
export async function listSources(folder: string, products: readonly string[]): Promise<string[]> {
  const left = new Set(products.map((product) => product.replace(/^\.\//, "").replace(/\/+$/, "")));
  const sources: string[] = [];
  const walk = async (base: string, inherited: readonly IgnoreFile[]): Promise<void> => {
    const entries = await readdir(join(folder, base), { withFileTypes: true });
    const files = [...inherited];
    if (entries.some(({ name }) => name === ".gitignore")) {
      const text = await readFile(join(folder, base, ".gitignore"), "utf8");
      files.push({ folder: base, rules: ignore({ ignorecase: false }).add(text) });
    }
    for (const entry of entries) {
      const path = base === "" ? entry.name : `${base}/${entry.name}`;
      const isFolder = entry.isDirectory();
      if (left.has(path) || isIgnored(isFolder ? `${path}/` : path, files)) continue;
      // Hidden folders are caches of tools (.git, .elixir_ls, .gradle); hidden files are settings.
      if (isFolder && (entry.name === "node_modules" || entry.name.startsWith("."))) continue;
      if (isFolder) await walk(path, files);
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
