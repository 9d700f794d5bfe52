import { ShowdownError } from "../../errors.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Warning } from "../../result/reasons.ts";
import type { Environment } from "../../result/schema.ts";
import type { CheckId } from "./check.ts";
import { type Diagnosis, diagnose } from "./diagnosis.ts";
import { readFacts } from "./read-facts.ts";

/** What is too little for everything on this machine, and not for one contender: past it the system ends processes. */
const shared: readonly CheckId[] = ["system-descriptors", "memory", "memory-limit"];

/**
 * The doctor's checks before a run. Tens of milliseconds and the noise, which is measured with nothing else under way. A
 * plan that is too large for one server is run all the same: it opens what fits, and its connect phase names the limit it
 * met.
 *
 * @param noiseMs long enough for the p99 of milliseconds to mean something; 0 leaves the noise out
 * @throws {ShowdownError} `usage` for a plan that is too large for the machine, saying what would fit
 */
export async function preflight(plan: Plan, environment: Environment, noiseMs = 400): Promise<Warning[]> {
  const diagnosis = diagnose(await readFacts(plan, environment, noiseMs), plan);
  refuseTooLarge(diagnosis, plan);
  return listWarnings(diagnosis);
}

/** @throws {ShowdownError} see `preflight` */
export function refuseTooLarge({ checks }: Diagnosis, { connections }: Plan): void {
  const lacking = checks
    .filter(({ check, state }) => state === "insufficient" && shared.includes(check))
    .toSorted((a, b) => (a.holds ?? 0) - (b.holds ?? 0));
  const [least] = lacking;
  if (least === undefined) return;
  const fitting = Math.max(1, least.holds ?? 1);
  throw new ShowdownError(
    "usage",
    `--connections ${connections}: this machine holds about ${fitting} (${lacking.map(({ check }) => check).join(", ")})`,
    {
      hint: `give --connections ${fitting}; "showdown doctor" with the same options says what would change it`,
    },
  );
}

/** What of a diagnosis a reader of the result should know. */
export function listWarnings({ checks }: Diagnosis): Warning[] {
  return checks.flatMap(({ check, state, values }) =>
    state === "tight" || state === "insufficient"
      ? [{ kind: "machine" as const, check, state, values: { ...values } }]
      : [],
  );
}
