import type { Plan } from "../../plan/plan.ts";
import type { Warning } from "../../result/reasons.ts";
import type { Environment } from "../../result/schema.ts";
import { type Diagnosis, diagnose } from "./diagnosis.ts";
import { readFacts } from "./read-facts.ts";

/** Long enough for the p99 of milliseconds to mean something. */
const noiseMs = 400;

/**
 * The doctor's checks before a run. Tens of milliseconds; with the noise about half a second more. A plan that does not
 * fit is run all the same: it opens what fits, and its connect phase names the limit it met.
 *
 * @param noise whether to measure the noise too, with nothing else under way
 */
export async function preflight(
  plan: Plan,
  environment: Environment,
  { noise }: { readonly noise: boolean } = { noise: false },
): Promise<Diagnosis & { readonly warnings: Warning[] }> {
  const diagnosis = diagnose(await readFacts(plan, environment, noise ? noiseMs : 0), plan);
  return { ...diagnosis, warnings: listWarnings(diagnosis) };
}

/** What of a diagnosis a reader of the result should know. */
export function listWarnings({ checks }: Diagnosis): Warning[] {
  return checks.flatMap(({ check, state, values }) =>
    state === "tight" || state === "insufficient"
      ? [{ kind: "machine" as const, check, state, values: { ...values } }]
      : [],
  );
}
