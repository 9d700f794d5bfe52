import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AttackResult, attackResultSchema } from "../../src/result/attack.ts";
import { showdown, temporaryFolder } from "../showdown/showdown.ts";
import type { Ended } from "../support/run-to-end.ts";

export interface EndedAttack extends Ended {
  readonly result: AttackResult;
  readonly folder: string;
}

/** `attack` with these arguments, in a results folder of its own. The exit code hangs on how busy the machine is. */
export async function attack(...args: readonly string[]): Promise<EndedAttack> {
  const results = temporaryFolder();
  const ended = await showdown("attack", ...args, "--json", "--results", results);
  if (ended.stdout === "") throw new Error(`no result: ${ended.stderr}`);
  const result = attackResultSchema.parse(JSON.parse(ended.stdout));
  const folder = join(results, result.id);
  const written = attackResultSchema.parse(JSON.parse(readFileSync(join(folder, "result.json"), "utf8")));
  if (!Bun.deepEquals(written, result)) throw new Error("what is printed is not what is written");
  return { ...ended, result, folder };
}

/** A load of half a second that every machine bears: 400 messages on 4 connections. */
export const small = [
  "--connections",
  "4",
  "--rate",
  "800",
  "--duration",
  "500ms",
  "--reply-timeout",
  "0.5",
] as const;
