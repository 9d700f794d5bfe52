import type { Plan } from "../../plan/plan.ts";
import type { Warning } from "../../result/reasons.ts";
import type { Environment } from "../../result/schema.ts";
import { type Diagnosis, diagnose } from "./diagnosis.ts";
import { readFacts } from "./read-facts.ts";

/**
 * The doctor's checks before a run. Tens of milliseconds and the noise, which is measured with nothing else under way. A
 * plan that does not fit is run all the same: it opens what fits, and its connect phase names the limit it met.
 *
 * @param noiseMs long enough for the p99 of milliseconds to mean something; 0 leaves the noise out
 */
export async function preflight(plan: Plan, environment: Environment, noiseMs = 400): Promise<Warning[]> {
  return listWarnings(diagnose(await readFacts(plan, environment, noiseMs), plan));
}

/** What of a diagnosis a reader of the result should know. */
export function listWarnings({ checks }: Diagnosis): Warning[] {
  return checks.flatMap(({ check, state, values }) =>
    state === "tight" || state === "insufficient"
      ? [{ kind: "machine" as const, check, state, values: { ...values } }]
      : [],
  );
}
