import { tmpdir } from "node:os";
import { nowUs } from "../machine/clock.ts";
import { ownCommand } from "../machine/installation.ts";
import type { Plan } from "../plan/plan.ts";
import type { ServerProgram } from "../process/child.ts";
import type { Reaper } from "../process/reaper.ts";
import { type Ceilings, ceilingsSchema, type Environment, type Round } from "../result/schema.ts";
import { coresOf } from "../trust/generator-usage.ts";
import { type Cache, cacheKey } from "./cache.ts";
import { thisMachine } from "./generator.ts";
import { runRound } from "./live-round.ts";

export interface CeilingOptions {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly cache: Cache;
  readonly reaper: Reaper;
  readonly signal: AbortSignal;
}

/** Enough messages that the workers' code is compiled, few enough that it takes seconds. */
const mostConnections = 2000;
const deliveries = 200_000;

const nullServer: ServerProgram = {
  name: "null-server",
  folder: tmpdir(),
  start: ownCommand("__null-server"),
  env: {},
  protocol: "chaos-chat",
};

/**
 * What the plan's workers could receive per second if the server were nothing: their CPU time per delivery, measured
 * against a null server, turned into a rate. CPU time and not the rate itself, since the null server has its limits
 * too. Cached by machine, generator and what of the plan matters.
 *
 * @returns null when it could not be measured
 */
export async function measureCeilings(options: CeilingOptions): Promise<Ceilings | null> {
  const { plan, environment, cache } = options;
  const connections = Math.min(plan.connections, mostConnections);
  const key = await cacheKey(
    ["engine", "machine", "plan", "run", "stats", "trust", "websocket"],
    [
      [environment.cpuModel, environment.cpuCount, environment.kernel, environment.sysctls],
      [connections, plan.messageBytes, plan.workers, plan.pacing, plan.workerCpus, plan.serverCpus],
    ],
  );
  const path = `ceilings/${key}.json`;
  const known = await cache.read(path, ceilingsSchema);
  if (known !== null) return known;

  const round = await runRound({
    ...options,
    plan: {
      ...plan,
      phases: [
        { kind: "connect" },
        { kind: "burst", workload: "echo" },
        { kind: "burst", workload: "broadcast" },
      ],
      connections,
      messagesPerConnection: Math.ceil(deliveries / connections),
      port: 0,
      validityRule: false,
    },
    generator: thisMachine,
    server: nullServer,
    framing: "single",
    contender: "null-server",
    variant: "default",
    ceilings: null,
    handicapShare: 0,
    round: 1,
    position: 1,
    epochUs: Math.floor(nowUs()),
    onEvent: () => {},
    onPhase: async () => {},
  });
  const echoPerSecond = ceilingOf(round, "echo", plan);
  const broadcastPerSecond = ceilingOf(round, "broadcast", plan);
  if (echoPerSecond === null || broadcastPerSecond === null) return null;
  const ceilings = { echoPerSecond, broadcastPerSecond };
  await cache.write(path, ceilings);
  return ceilings;
}

function ceilingOf({ phases }: Round, workload: "echo" | "broadcast", plan: Plan): number | null {
  const phase = phases.find((one) => one.kind === "burst" && one.workload === workload);
  if (phase?.kind !== "burst" || phase.status !== "ok") return null;
  const { cpuMs } = phase.generator;
  const { delivered } = phase.messages;
  return delivered === 0 || cpuMs === 0 ? null : Math.round((delivered / cpuMs) * 1000 * coresOf(plan));
}
