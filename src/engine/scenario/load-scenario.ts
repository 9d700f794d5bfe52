import { isShowdownError, ShowdownError } from "../../errors.ts";
import { importUserFile } from "../../machine/user-file.ts";
import type { Report } from "../worker-protocol.ts";
import type { Scenario } from "./scenario.ts";

/**
 * @param path absolute
 * @throws {ShowdownError} `usage`, with the line where that is known
 */
export async function loadScenario(path: string): Promise<Scenario> {
  // What the tool says on stdout may be for a program to read.
  for (const name of ["log", "info", "debug"] as const) console[name] = console.error;
  const found = await importUserFile(path);
  const { run, url } = (typeof found === "object" && found !== null ? found : {}) as Record<string, unknown>;
  const refuse = (problem: string) =>
    new ShowdownError("usage", `${path}: ${problem}`, {
      hint: 'import { scenario } from "ws-showdown"; export default scenario({ async run({ connect }) { … } });',
    });
  if (found === undefined) throw refuse("it has no default export, expected a scenario");
  if (typeof run !== "function") throw refuse('"run" is missing in its default export, expected a function');
  if (url !== undefined && typeof url !== "string")
    throw refuse('"url" is no text, expected ws://HOST:PORT/PATH');
  return found as Scenario;
}

/** What may be known of it before there is any load: whom it loads, or why it can't be loaded. */
export async function describeScenario(
  path: string,
): Promise<Extract<Report, { kind: "scenario" }>["loaded"]> {
  try {
    return { url: (await loadScenario(path)).url ?? null };
  } catch (error) {
    const hint = isShowdownError(error) ? (error.hint ?? null) : null;
    return { problem: error instanceof Error ? error.message : String(error), hint };
  }
}
