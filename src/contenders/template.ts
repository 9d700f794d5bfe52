import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ignore from "ignore";
import { ShowdownError } from "../errors.ts";
import { suggest } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";
import { listSources } from "./digest.ts";
import { type Contender, manifestName } from "./discover.ts";

/**
 * The contender that a new one begins as: one whose manifest has a `template`.
 *
 * @throws {ShowdownError} `unknownContender` naming all there are; `usage` where none is named
 */
export function findTemplate(contenders: readonly Contender[], like: string | undefined): Contender {
  const templates = contenders.filter(({ manifest }) => manifest.template !== undefined);
  const found = templates.find(({ name }) => name === like);
  if (found !== undefined) return found;
  const names = templates.map(({ name }) => name);
  const list = { hint: `--like ${names.join("|")}` };
  if (like === undefined) throw new ShowdownError("usage", "expected --like and what it begins as", list);
  const what = contenders.some(({ name }) => name === like)
    ? "a contender that is no template"
    : `no contender${suggest(like, names)}`;
  throw new ShowdownError("unknownContender", `--like ${printable(like)}: ${what}`, list);
}

/**
 * Copies a template's sources into a folder that is made for them, with a manifest without variants.
 *
 * @throws {ShowdownError} `usage` where something is there already; `writing`. The folder is not there then.
 */
export async function copyTemplate(
  { folder: from, manifest: { template, build, products, ...own } }: Contender,
  to: string,
  readme: string,
): Promise<void> {
  await makeFolder(to);
  try {
    const omitted = ignore().add(["/README.md", `/${manifestName}`, ...(template?.omit ?? [])]);
    for (const path of omitted.filter(await listSources(from, products))) {
      await mkdir(dirname(join(to, path)), { recursive: true });
      await copyFile(join(from, path), join(to, path));
    }
    const { title: _, variants: __, optional: ___, $schema: ____, ...rest } = own;
    const manifest = {
      title: to.split("/").at(-1),
      ...rest,
      build: template?.build ?? build,
      products,
    };
    await writeFile(join(to, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    await writeFile(join(to, "README.md"), readme);
    // What npm packs has none.
    const ignored = await readFile(join(to, ".gitignore"), "utf8").catch(() => null);
    if (ignored === null) await writeFile(join(to, ".gitignore"), `${products.join("\n")}\n`);
  } catch (error) {
    await rm(to, { recursive: true, force: true });
    throw failure(to, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw failure(folder, error);
    throw new ShowdownError("usage", `${folder} exists already; nothing was changed`, {
      hint: "name a folder that is not there yet",
    });
  }
}

function failure(folder: string, cause: unknown): ShowdownError {
  return new ShowdownError("writing", `cannot make ${folder}: ${(cause as Error).message}`, { cause });
}
