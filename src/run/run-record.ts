import { createResultFile, type ResultFile } from "../result/file.ts";
import type { Warning } from "../result/reasons.ts";
import type { Result } from "../result/schema.ts";

/** A run's result as it grows. It is on the disk from the first round on: who never got so far leaves nothing behind. */
export class RunRecord {
  readonly #resultsFolder: string;
  #result: Result;
  #file: ResultFile | null = null;

  constructor(initial: Result, resultsFolder: string) {
    this.#result = initial;
    this.#resultsFolder = resultsFolder;
  }

  get result(): Result {
    return this.#result;
  }

  /** False where the run has already said so. */
  warn(warning: Warning): boolean {
    const isKnown = this.#result.warnings.some((known) => Bun.deepEquals(known, warning));
    if (!isKnown) this.#result = { ...this.#result, warnings: [...this.#result.warnings, warning] };
    return !isKnown;
  }

  /** Makes the run's folder. */
  async open(): Promise<void> {
    this.#file ??= await createResultFile(this.#resultsFolder, this.#result);
  }

  /** What does not pass the schema is thrown, and what was kept before stays. */
  async keep(changes: Partial<Result>): Promise<void> {
    const next = { ...this.#result, ...changes };
    this.#result = this.#file === null ? next : await this.#file.write(next);
  }
}
