import { fields, type Parameter } from "./parameters.ts";
import { type PhasePlan, phaseName } from "./phases.ts";
import type { Plan } from "./plan.ts";

type Field = Pick<Parameter<unknown>, "kinds" | "workloads" | "isWork"> & { readonly default: unknown };
export type WorkName = keyof typeof fields | "serverCpus" | "workerCpus";

/** Where servers and workers run has no option of its own: the machine and --no-pin decide it. */
const placed: Field = { default: null, isWork: true };
const table: Readonly<Record<WorkName, Field>> = { ...fields, serverCpus: placed, workerCpus: placed };
const workNames = (Object.keys(table) as WorkName[]).filter((name) => table[name].isWork).sort();

/** The parameters that a figure of this phase may depend on. */
function namesOf({ kind, workload }: Phase): WorkName[] {
  return workNames.filter((name) => {
    const { kinds, workloads } = table[name];
    return (
      (kinds?.includes(kind) ?? true) &&
      (workloads === undefined || (workload != null && workloads.includes(workload)))
    );
  });
}

/** A phase of a plan or of a result. */
export type Phase = {
  readonly kind: PhasePlan["kind"];
  readonly workload?: NonNullable<PhasePlan["workload"]> | null;
};

/** Where two plans ask for other work in this phase. Rounds and seed don't matter. */
export function differingParameters(a: Plan, b: Plan, phase: Phase): WorkName[] {
  return namesOf(phase).filter((name) => !Bun.deepEquals(readValue(a, name), readValue(b, name)));
}

/**
 * The same text for all plans that ask for the same work in this phase. Only what differs from the default is in it: a
 * parameter that a later version adds changes no key of runs that leave it alone.
 */
export function workKey(plan: Plan, phase: Phase): string {
  const work = namesOf(phase).flatMap((name) => {
    const value = readValue(plan, name);
    return Bun.deepEquals(value, table[name].default) ? [] : [`${name}=${JSON.stringify(value)}`];
  });
  return [phaseName(phase), ...work].join(" ");
}

/** Files written before a parameter existed were run with its default. */
function readValue(plan: Partial<Plan>, name: WorkName): unknown {
  return plan[name] === undefined ? table[name].default : plan[name];
}
