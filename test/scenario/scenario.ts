import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { attack, type EndedAttack } from "../attack/attack.ts";
import { showdown } from "../showdown/showdown.ts";
import type { Ended } from "../support/run-to-end.ts";

let written = 0;

/** A scenario's file in this folder, whose function is this. */
export function writeScenario(folder: string, body: string, ending = "ts"): string {
  written += 1;
  const file = join(folder, `scenario-${written}.${ending}`);
  const text = `import { scenario } from "ws-showdown";

export default scenario({
  async run({ connect, wait, room, measure, check, user, iteration, row }) {
${body}
  },
});
`;
  writeFileSync(file, text);
  return file;
}

/** Two users for a second, who are given half a second more. */
export const brief = ["--connections", "2", "--duration", "1s", "--reply-timeout", "0.5"] as const;

/** JavaScript, whose types nobody looks at: it begins sooner. */
export async function play(
  folder: string,
  url: string,
  body: string,
  ...options: readonly string[]
): Promise<EndedAttack & { readonly file: string }> {
  const file = writeScenario(folder, body, "js");
  return { ...(await attack(file, url, ...brief, ...options)), file };
}

/** One that is refused before there is any load. */
export async function refused(...args: readonly string[]): Promise<Ended> {
  const ended = await showdown("attack", ...args);
  if (ended.exitCode !== 2) throw new Error(`exit code ${ended.exitCode}: ${ended.stderr}`);
  return ended;
}
