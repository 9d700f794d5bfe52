import { randomUUID } from "node:crypto";
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { ShowdownError } from "../errors.ts";
import { build, projectFolder } from "../machine/installation.ts";
import { digestSources, listSources } from "./digest.ts";
import type { ResolvedEntrant } from "./entrants.ts";

/**
 * Where a contender is built and run: its own folder, but for those that came with an installed package. Theirs may be
 * read-only, and the next version replaces it, so their sources are copied to the cache, once for each state of them.
 *
 * @throws {ShowdownError} `writing` where the cache can't be written
 */
export async function findBuildFolder(
  { contender, folder, products }: Pick<ResolvedEntrant, "contender" | "folder" | "products">,
  cacheDir: string,
  isPackaged = build !== null && folder.startsWith(projectFolder + sep),
): Promise<string> {
  if (!isPackaged) return folder;
  const digest = await digestSources(folder, products);
  const copy = join(cacheDir, "contenders", digest.slice(0, 16), contender);
  const draft = `${copy}.${randomUUID()}`;
  try {
    // Moved there when it was whole.
    if (await Bun.file(join(copy, "contender.json")).exists()) return copy;
    for (const path of await listSources(folder, products)) {
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await copyFile(join(folder, path), join(draft, path));
    }
    await rename(draft, copy).catch(async (error: NodeJS.ErrnoException) => {
      // Another run was quicker.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return copy;
  } catch (cause) {
    throw new ShowdownError(
      "writing",
      `${contender} cannot be copied to ${copy}: ${(cause as Error).message}`,
      {
        hint: "contenders of a package are built in the cache; XDG_CACHE_HOME=DIR puts that elsewhere",
        cause,
      },
    );
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => {}); // where it could not be made
  }
}
