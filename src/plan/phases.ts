/** What a phase does with the connections. */
export const phaseKinds = ["connect", "burst", "steady", "endurance", "capacity", "chaos"] as const;
export type PhaseKind = (typeof phaseKinds)[number];

/**
 * Who receives a message: `echo`, its sender alone; `broadcast`, everyone, all in one room;
 * `rooms`, the members of the sender's room.
 */
export const workloads = ["echo", "broadcast", "rooms"] as const;
export type Workload = (typeof workloads)[number];

export interface PhasePlan {
  readonly kind: PhaseKind;
  /** Absent for `connect`, which sends no messages. */
  readonly workload?: Workload;
}

/** All phases by their names on the command line. */
export const phaseNames = {
  connect: { kind: "connect" },
  "burst-echo": { kind: "burst", workload: "echo" },
  "burst-broadcast": { kind: "burst", workload: "broadcast" },
  "burst-rooms": { kind: "burst", workload: "rooms" },
  "steady-echo": { kind: "steady", workload: "echo" },
  "steady-broadcast": { kind: "steady", workload: "broadcast" },
  "steady-rooms": { kind: "steady", workload: "rooms" },
  "endurance-echo": { kind: "endurance", workload: "echo" },
  "endurance-broadcast": { kind: "endurance", workload: "broadcast" },
  "endurance-rooms": { kind: "endurance", workload: "rooms" },
  "capacity-echo": { kind: "capacity", workload: "echo" },
  "capacity-broadcast": { kind: "capacity", workload: "broadcast" },
  "capacity-rooms": { kind: "capacity", workload: "rooms" },
  "chaos-broadcast": { kind: "chaos", workload: "broadcast" },
  "chaos-rooms": { kind: "chaos", workload: "rooms" },
} as const satisfies Record<string, PhasePlan>;

export function phaseName(phase: { readonly kind: PhaseKind; readonly workload?: Workload | null }): string {
  return phase.workload ? `${phase.kind}-${phase.workload}` : phase.kind;
}

/** Kinds whose work is short enough to be done in slices, between which the contenders of a round take turns. */
const slicedKinds = ["burst", "steady"] as const satisfies readonly PhaseKind[];
export type SlicedKind = (typeof slicedKinds)[number];

export function isSliced(kind: PhaseKind): kind is SlicedKind {
  return slicedKinds.some((sliced) => sliced === kind);
}
