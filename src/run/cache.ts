import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { z } from "zod";
import { digestSources } from "../contenders/digest.ts";
import { build, projectFolder } from "../machine/installation.ts";
import type { Warning } from "../result/reasons.ts";

/** What is kept between runs to spare the next one seconds; never the reason why one fails. */
export interface Cache {
  /** Null where nothing readable is kept: it is to be found out anew. */
  read<T>(path: string, schema: z.ZodType<T>): Promise<T | null>;
  write(path: string, value: unknown): Promise<void>;
}

/** @param onWarning is told once when nothing can be kept */
export function openCache(folder: string, onWarning: (warning: Warning) => void = () => {}): Cache {
  let hasWarned = false;
  return {
    read: async (path, schema) => {
      try {
        return schema.parse(JSON.parse(await readFile(join(folder, path), "utf8")));
      } catch {
        return null;
      }
    },
    write: async (path, value) => {
      const target = join(folder, path);
      // Aside first: a run that is cut off, or another one at the same time, leaves no half of a file.
      const draft = `${target}.${process.pid}`;
      try {
        await mkdir(dirname(target), { recursive: true });
        await writeFile(draft, JSON.stringify(value));
        await rename(draft, target);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        const problem = error instanceof Error ? error.message : String(error);
        if (!hasWarned) onWarning({ kind: "cache-read-only", folder, problem });
        hasWarned = true;
      }
    },
  };
}

/** A short name for all that decides what is kept. */
export async function cacheKey(rooms: readonly string[], parts: readonly unknown[]): Promise<string> {
  const digests =
    build === null
      ? await Promise.all(rooms.map((room) => digestSources(join(projectFolder, "src", room), [])))
      : build.digest;
  return createHash("sha256")
    .update(JSON.stringify([digests, Bun.version, process.platform, process.arch, parts]))
    .digest("hex")
    .slice(0, 16);
}

const locks = [
  "package-lock.json",
  "bun.lock",
  "yarn.lock",
  "pnpm-lock.yaml",
  join("node_modules", ".package-lock.json"),
  join("node_modules", ".yarn-integrity"),
  join("node_modules", ".modules.yaml"),
];

/** Of the packages that a program in this folder finds, there and in the folders above: what they are locked to, and what is installed. */
export async function digestPackages(folder: string): Promise<string> {
  const hash = createHash("sha256");
  for (let at = folder; ; at = dirname(at)) {
    for (const lock of locks) {
      const text = await readFile(join(at, lock)).catch(() => null);
      if (text !== null) hash.update(`${lock} ${text.length}\n`).update(text);
    }
    if (at === dirname(at)) return hash.digest("hex");
  }
}
