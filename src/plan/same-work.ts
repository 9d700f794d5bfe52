import { fields, type Parameter } from "./parameters.ts";
import type { PhasePlan, Plan } from "./plan.ts";

type Field = Pick<Parameter<unknown>, "kinds" | "workloads" | "isWork"> & { readonly default: unknown };
type WorkName = keyof typeof fields | "serverCpus" | "workerCpus" | "agents";

/** Where servers and workers run: the machine, --server-cpus, --no-pin and the fleet decide it together. */
const placed: Field = { default: null };
const table: Readonly<Record<WorkName, Field>> = {
  ...fields,
  serverCpus: placed,
  workerCpus: placed,
  agents: placed,
};
const workNames = (Object.keys(table) as WorkName[]).filter((name) => table[name].isWork !== false).sort();

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

/** Files written before a parameter existed were run with its default. */
function readValue(plan: Partial<Plan>, name: WorkName): unknown {
  return plan[name] === undefined ? table[name].default : plan[name];
}
