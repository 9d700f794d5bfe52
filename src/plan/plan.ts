import { z } from "zod";
import { fields, type Parameter, timeouts } from "./parameters.ts";
import type { Workload } from "./phases.ts";

export type { PhaseKind, PhasePlan, SlicedKind, Workload } from "./phases.ts";

const entrantSchema = z.object({
  contender: z.string(),
  /** `default`, or a key of the manifest's `variants`. */
  variant: z.string(),
});
const plannedEntrantSchema = entrantSchema.extend({
  /** Server processes that share the port; absent where it is one, or the server's own affair. */
  processes: z.int().positive().exactOptional(),
});
const cpus = z.array(z.int().nonnegative()).readonly().nullable();

const shape = shapeOf(fields);

/** The plan of a result file, which anyone may have edited; whatever reads a result relies on these limits. */
export const planSchema = z.object({
  preset: z.string(),
  entrants: z.array(plannedEntrantSchema).readonly(),
  ...shape,
  untilPercent: shape.untilPercent.nullable().describe(fields.untilPercent.help),
  /** CPUs of the server and of the workers, the same where there are no others; null where they are not pinned. */
  serverCpus: cpus,
  workerCpus: cpus,
  /** The fleet that makes the load; absent where this machine does. */
  agents: z
    .object({
      count: z.int().positive(),
      /** Of all of them together. */
      cpuCount: z.int().positive(),
      /** All of them run on the machine of the servers, on `workerCpus`. */
      areHere: z.boolean(),
    })
    .exactOptional(),
  timeouts: z.object(shapeOf(timeouts)),
});

/** What `showdown run --dry-run` prints: `order` has a list per round, in the order in which everything runs. */
export const dryRunSchema = z.object({ plan: planSchema, order: z.array(z.array(plannedEntrantSchema)) });

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;
/** Everything that decides what a run does, the same for every contender, and printable before it starts. */
export type Plan = DeepReadonly<z.infer<typeof planSchema>>;
/** One entry of the showdown: a contender in one of its variants. */
export type Entrant = DeepReadonly<z.infer<typeof entrantSchema>>;

/** How many processes the server of an entrant is to be. */
export function processesOf({ entrants }: Pick<Plan, "entrants">, { contender, variant }: Entrant): number {
  return entrants.find((one) => one.contender === contender && one.variant === variant)?.processes ?? 1;
}

function shapeOf<Table extends Record<string, Parameter<unknown>>>(
  table: Table,
): { [Name in keyof Table]: Table[Name]["type"]["schema"] } {
  return Object.fromEntries(
    Object.entries(table).map(([name, { type, option, help, default: usual }]) => [
      name,
      // A flag says what it switches.
      type.schema.describe(type.placeholder === "" ? `${!usual} with --${option}: ${help}` : help),
    ]),
  ) as { [Name in keyof Table]: Table[Name]["type"]["schema"] };
}

/** What of a plan says where its generator runs, and where its servers. */
export type Places = Pick<Plan, "serverCpus" | "workerCpus" | "agents">;

/** The agents of other machines than the servers' that make the load, so that nothing of it takes this one's resources; else null. */
export function agentsElsewhere({ agents }: Pick<Plan, "agents">): NonNullable<Plan["agents"]> | null {
  return agents === undefined || agents.areHere ? null : agents;
}

/** Whether the generator runs on CPUs of the server, or may where nothing is pinned. */
export function sharesCpus(plan: Places): boolean {
  const { serverCpus, workerCpus } = plan;
  if (agentsElsewhere(plan) !== null) return false;
  return serverCpus === null || workerCpus === null || workerCpus.some((cpu) => serverCpus.includes(cpu));
}

/** Rooms by number: 0 is the lobby, where `broadcast` takes place, those of `rooms` follow. */
export interface RoomGroup {
  readonly first: number;
  readonly count: number;
}

/** The rooms in which a workload takes place: connection i is a member of room `first` + i modulo `count`. */
export function roomGroup(
  plan: Pick<Plan, "connections" | "roomSize">,
  workload: Workload,
): RoomGroup | null {
  switch (workload) {
    case "echo":
      return null;
    case "broadcast":
      return { first: 0, count: 1 };
    case "rooms":
      return { first: 1, count: Math.max(1, Math.ceil(plan.connections / plan.roomSize)) };
  }
}
