import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ShowdownError } from "../errors.ts";
import type { Start } from "./messages.ts";

const keptSchema = z.object({
  run: z.string(),
  epoch: z.string(),
  agent: z.int().nonnegative(),
  parts: z.array(z.string()).min(1),
});
/** An agent's final result, as it is sent. */
export type Kept = z.infer<typeof keptSchema>;

/**
 * Final results of agents of this machine, each in a file until a coordinator has it: what the bus loses, or a
 * coordinator that died did not read, is still here.
 */
export class KeptResults {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws {ShowdownError} `writing` */
  async check(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      const probe = join(this.#folder, `.writable-${process.pid}`);
      await (await open(probe, "w")).close();
      await rm(probe);
    } catch (cause) {
      throw new ShowdownError(
        "writing",
        `${this.#folder}: results can't be kept there: ${(cause as Error).message}`,
        { hint: "give another folder with --keep", cause },
      );
    }
  }

  async keep(kept: Kept): Promise<void> {
    const path = this.#path(kept);
    const file = await open(`${path}.unfinished`, "w");
    try {
      await file.writeFile(JSON.stringify(kept));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.unfinished`, path);
  }

  async drop(start: Start, agent: number): Promise<void> {
    await rm(this.#path({ ...start, agent }), { force: true });
  }

  /** Those of an attack, of whichever agent of this machine. */
  async find({ epoch }: Start): Promise<Kept[]> {
    const names = (await readdir(this.#folder)).filter(
      (name) => name.startsWith(`${epoch}-`) && name.endsWith(".json"),
    );
    const found = await Promise.all(names.map(async (name) => await this.#read(join(this.#folder, name))));
    return found.filter((one) => one !== null);
  }

  async #read(path: string): Promise<Kept | null> {
    try {
      return keptSchema.parse(JSON.parse(await readFile(path, "utf8")));
    } catch {
      // Half a file, or one that was dropped meanwhile.
      return null;
    }
  }

  #path({ epoch, agent }: Pick<Start, "epoch"> & { readonly agent: number }): string {
    return join(this.#folder, `${epoch}-${agent}.json`);
  }
}
