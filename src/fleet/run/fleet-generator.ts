import { readPlace } from "../../machine/place.ts";
import type { Plan } from "../../plan/plan.ts";
import { type Generator, type GeneratorAgent, thisMachine } from "../../run/generator.ts";
import { leadMsOf, readClocks } from "../agent-clock.ts";
import type { Bus } from "../bus.ts";
import type { Gathered, Member } from "../gather.ts";
import { RemoteWorkers } from "./remote-workers.ts";

interface FleetGeneratorOptions {
  readonly bus: Bus;
  readonly busName: string;
  readonly gathered: Gathered;
  /** Where agents reach the servers of this machine. */
  readonly serverHost: string;
  /** How long a bus that went away is waited for. */
  readonly awayMs: number;
}

/** Agents of a fleet, as a run needs to know of them. */
export function describeAgents(members: readonly Member[]): NonNullable<Plan["agents"]> {
  const here = readPlace().machine;
  const machines = new Map(members.map(({ place, machine }) => [place.machine, machine.cpuCount]));
  return {
    count: members.length,
    cpuCount: [...machines.values()].reduce((all, cpus) => all + cpus, 0),
    areHere: members.every(({ place }) => place.machine === here),
  };
}

/** The load of a run is made by a fleet. */
export function createFleetGenerator({
  bus,
  busName,
  gathered,
  serverHost,
  awayMs,
}: FleetGeneratorOptions): Generator & {
  stop(): void;
} {
  const { members, start } = gathered;
  const { areHere } = describeAgents(members);
  const workers = new RemoteWorkers({ bus, start, members, awayMs });
  const agents = members.map((member, at): GeneratorAgent => {
    const isAlone = members.every(
      (other) => other === member || other.place.machine !== member.place.machine,
    );
    return {
      id: member.id,
      name: member.name,
      cpuCount: member.machine.cpuCount,
      get clock() {
        return member.clock.best;
      },
      get usage() {
        return isAlone && !areHere ? (workers.agents[at]?.usage ?? null) : null;
      },
    };
  });
  return {
    serverHost,
    openLinks: () => workers.openLinks(),
    get leadMs() {
      return leadMsOf(members);
    },
    watchCpus: (plan) => (areHere ? thisMachine.watchCpus(plan) : () => null),
    fleet: {
      bus: busName,
      agents,
      get loss() {
        return workers.loss;
      },
      get clockErrorUs() {
        const errors = workers.agents.map(({ clockErrorUs }) => clockErrorUs).sort((a, b) => b - a);
        return Math.ceil((errors[0] ?? 0) + (errors[1] ?? 0));
      },
      readClocks: () => readClocks(bus, start, members),
    },
    stop: () => workers.stop(),
  };
}
