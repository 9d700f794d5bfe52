import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestSources } from "../contenders/digest.ts";
import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { nowUs } from "../machine/clock.ts";
import { projectFolder } from "../machine/environment.ts";
import type { Plan } from "../plan/plan.ts";
import type { Reaper } from "../process/reaper.ts";
import type { Environment, Round } from "../result/schema.ts";
import type { Ceilings } from "../trust/headroom.ts";
import { runRound } from "./round.ts";

export interface CeilingOptions {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly cacheDir: string;
  readonly reaper: Reaper;
  readonly signal: AbortSignal;
}

/** Enough messages that the workers' code is compiled, few enough that it takes seconds. */
const mostConnections = 2000;
const deliveries = 200_000;

/**
 * What the plan's workers could receive per second if the server were nothing: their processor time per
 * delivery, measured against a null server, turned into a rate. Processor time and not the rate itself, since
 * the null server has its limits too. Cached by machine, generator and what of the plan matters.
 *
 * @returns null when it could not be measured
 */
export async function measureCeilings(options: CeilingOptions): Promise<Ceilings | null> {
  const { plan, environment, cacheDir } = options;
  const connections = Math.min(plan.connections, mostConnections);
  const key = createHash("sha256")
    .update(
      JSON.stringify([
        await digestSources(join(projectFolder, "src", "engine"), []),
        environment.cpuModel,
        environment.kernel,
        environment.bun,
        [connections, plan.messageBytes, plan.workers, plan.workerCpus, plan.serverCpus],
      ]),
    )
    .digest("hex");
  const path = join(cacheDir, "ceilings", `${key.slice(0, 16)}.json`);
  const known = await readFile(path, "utf8").catch(() => null);
  if (known !== null) return JSON.parse(known) as Ceilings;

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
    entrant: nullServer,
    ceilings: null,
    handicapShare: 0,
    round: 1,
    position: 0,
    epochUs: Math.floor(nowUs()),
    onEvent: () => {},
    onPhase: async () => {},
  });
  const echo = ceilingOf(round, "echo", plan);
  const broadcast = ceilingOf(round, "broadcast", plan);
  if (echo === null || broadcast === null) return null;
  const ceilings = { echoPerSecond: echo, broadcastPerSecond: broadcast };
  await mkdir(join(cacheDir, "ceilings"), { recursive: true });
  await writeFile(path, JSON.stringify(ceilings));
  return ceilings;
}

function ceilingOf(round: Round, workload: "echo" | "broadcast", plan: Plan): number | null {
  const phase = round.phases.find((one) => one.kind === "burst" && one.workload === workload);
  const delivered = phase?.messages?.delivered ?? 0;
  const cpuMs = phase?.generator?.cpuMs ?? 0;
  if (phase?.status !== "ok" || delivered === 0 || cpuMs === 0) return null;
  const processors = Math.min(plan.workers, plan.workerCpus?.length ?? plan.workers);
  return Math.round((delivered / cpuMs) * 1000 * processors);
}

const nullServer: ResolvedEntrant = {
  contender: "null-server",
  variant: "default",
  folder: join(projectFolder, "src", "trust"),
  title: "Null server",
  language: "TypeScript",
  library: "none",
  approach: "raw",
  routing: "prefix",
  framing: "single",
  slowConsumer: "block",
  start: ["bun", "null-server.ts"],
  env: {},
  manifest: {
    title: "Null server",
    language: "TypeScript",
    library: "none",
    approach: "raw",
    routing: "prefix",
    framing: "single",
    slowConsumer: "block",
    requires: [],
    build: [],
    products: [],
    start: ["bun", "null-server.ts"],
    env: {},
    variants: {},
  },
};
