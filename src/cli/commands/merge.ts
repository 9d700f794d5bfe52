import { join, resolve } from "node:path";
import { mergeResults } from "../../attack/merge-results.ts";
import { ShowdownError } from "../../errors.ts";
import { parseAttackLimits } from "../../measures/attack-measures.ts";
import { type AttackResult, attackResultSchema } from "../../result/attack.ts";
import { createCheckedFile, writeRunFile } from "../../result/file.ts";
import { readRunOrAttack } from "../../result/find.ts";
import { judgeAttack, renderAttack, renderAttackSummary } from "../attack-report.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { resultsFolder, runSource } from "../paths.ts";
import { requireFormat } from "../report-files.ts";

/** `showdown merge A B …`: results of one attack by several machines as one. Returns the exit code. */
export async function merge({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  if (positionals.length < 2) {
    throw new ShowdownError(
      "usage",
      `expected the results of two machines or more, got ${positionals.length}`,
      {
        hint: "showdown merge A/result.json B/result.json",
      },
    );
  }
  for (const file of values.out ?? []) requireFormat(file, "attack");
  const thresholds = parseAttackLimits("--threshold", values.threshold ?? []);
  const from = runSource(values, host);
  const result = mergeResults(
    positionals.map((reference) => {
      const stored = readRunOrAttack(reference, from);
      if ("attack" in stored) return stored.attack;
      throw new ShowdownError("usage", `${reference} is the result of a run, expected that of an attack`, {
        hint: "rounds of one machine are no samples of another's; put runs side by side with: showdown compare A B",
      });
    }),
  );
  await write(result, values, host);
  const isTty = values.json ? host.errIsTty : host.outIsTty;
  const screen = { columns: host.columns(), color: isTty && !host.env.NO_COLOR };
  (values.json ? host.err : host.out)(renderAttackSummary(result, screen));
  if (values.json) host.out(`${JSON.stringify(result)}\n`);
  return judgeAttack(result, thresholds, host);
}

async function write(result: AttackResult, values: OptionValues, host: Host): Promise<void> {
  if (values.out !== undefined) {
    for (const file of values.out) {
      const path = resolve(host.cwd, file);
      await writeRunFile(path, await renderAttack(path, result));
      host.err(`Written: ${path}\n`);
    }
    return;
  }
  const folder = resultsFolder(values, host);
  const file = await createCheckedFile(folder, result, (one) => attackResultSchema.parse(one));
  for (const name of ["report.md", "report.html"]) {
    await writeRunFile(join(file.folder, name), await renderAttack(name, result));
  }
  host.err(`Written to ${file.folder}\n`);
}
