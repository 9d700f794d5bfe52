import type { Plan } from "../../plan/plan.ts";
import type { Environment } from "../../result/schema.ts";
import { formatCount as count } from "../../text/format.ts";
import { type Diagnosis, diagnose } from "./diagnosis.ts";
import { readFacts } from "./read-facts.ts";

export interface Preflight {
  /** For `result.warnings`; the kind is the finding's id. */
  readonly warnings: { readonly kind: string; readonly text: string }[];
  /** Set when the plan does not fit: the run opens what fits, and its connect phase names the limit it met. */
  readonly stops: {
    readonly kind: string;
    /** Connections that would fit. */
    readonly connections: number;
    readonly text: string;
  } | null;
}

/** Long enough for the p99 of milliseconds to mean something. */
const noiseMs = 400;

/**
 * The doctor's checks before a run. Tens of milliseconds; with the noise about half a second more.
 *
 * @param noise whether to measure the noise too, with nothing else under way
 */
export async function preflight(
  plan: Plan,
  environment: Environment,
  { noise }: { readonly noise: boolean } = { noise: false },
): Promise<Preflight> {
  const facts = await readFacts(plan, environment, { noiseMs: noise ? noiseMs : 0, trySudo: false });
  return describePreflight(diagnose(facts, plan), plan);
}

/** What a diagnosis means for a run that is about to start. */
export function describePreflight(
  { findings, capacity }: Diagnosis,
  plan: Pick<Plan, "connections">,
): Preflight {
  const warnings = findings
    .filter(({ verdict }) => verdict === "tight" || verdict === "stops")
    .map(({ id, title, current, needed, verdict, explanation }) => ({
      kind: id,
      text: `${title}: ${current}; ${verdict === "stops" ? "the plan needs" : "better"} ${needed}. ${explanation}`,
    }));
  const stops =
    capacity === null || capacity.connections >= plan.connections
      ? null
      : {
          kind: capacity.stoppedBy,
          connections: capacity.connections,
          text: `the plan asks for ${count(plan.connections)} connections and does not fit. ${capacity.text} The run opens what fits${capacity.connections > 0 ? `; --connections ${capacity.connections} would fit` : ""}, and "showdown doctor" says how to raise it`,
        };
  return { warnings, stops };
}
