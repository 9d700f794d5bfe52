import { type ChosenScenario, chooseScenario, isScenarioFile } from "../attack/choose-scenario.ts";
import { ShowdownError } from "../errors.ts";
import { printable } from "../text/printable.ts";
import type { Host } from "./host.ts";

/** Whom an attack goes to, and what its users do there where messages are not all. */
export interface Asked {
  readonly url: string;
  readonly scenario: ChosenScenario | null;
}

/**
 * A URL, or a scenario, or a scenario and a URL in place of its own.
 *
 * @throws {ShowdownError} `usage`
 */
export async function readAsked(positionals: readonly string[], host: Host): Promise<Asked> {
  const files = positionals.filter(isScenarioFile);
  const urls = positionals.filter((one) => !isScenarioFile(one));
  if (files.length > 1 || urls.length > 1 || positionals.length === 0) {
    throw new ShowdownError(
      "usage",
      `expected one URL, or a scenario, got ${positionals.map((one) => printable(one)).join(", ") || "none"}`,
      { hint: "showdown attack ws://127.0.0.1:9001/" },
    );
  }
  const [file] = files;
  const [given] = urls;
  const scenario = file === undefined ? null : await chooseScenario(file, host.cwd);
  const url = given ?? scenario?.url ?? null;
  if (url === null) {
    throw new ShowdownError("usage", `${scenario?.file}: it has no "url", and the command line names none`, {
      hint: `showdown attack ${scenario?.file} ws://127.0.0.1:9001/`,
    });
  }
  if (scenario?.unchecked != null)
    host.err(`${scenario.file}: types were not checked: ${scenario.unchecked}\n`);
  return { url, scenario };
}
