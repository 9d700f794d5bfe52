import { createSockets } from "../engine/sockets/create-sockets.ts";
import type { Target } from "../engine/target.ts";
import { createWorker } from "../engine/worker.ts";
import type { OpenLink } from "../engine/worker-link.ts";
import { nowUs } from "../machine/clock.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import type { AttackResult } from "../result/attack.ts";
import { type Step, TracedSockets } from "./exchange.ts";
import { type AttackOptions, startAttack } from "./start-attack.ts";

/** What is sent of the plan's messages. */
const messages = 3;
/** Of a scenario: one iteration, for nobody begins again so soon. */
const onceSeconds = 0.02;

/**
 * The plan's exchange on one connection and with a few messages, in this process, told step by step. Nothing is written.
 *
 * @throws {ShowdownError} as `startAttack`
 */
export async function traceAttack(
  plan: AttackPlan,
  options: Omit<AttackOptions, "resultsFolder" | "openLink">,
  tell: (step: Step) => void,
): Promise<AttackResult> {
  const openLink: OpenLink = (_, { onReport }) => {
    let sockets: TracedSockets | null = null;
    const trace = (target: Target) => {
      sockets = new TracedSockets(createSockets(target), nowUs, tell);
      return sockets;
    };
    return { send: createWorker(trace, onReport), end: async () => sockets?.rest() };
  };
  const one: AttackPlan = {
    ...plan,
    connections: 1,
    connectRatePerSecond: 1,
    connectionStages: null,
    rooms: 1,
    workers: 1,
    pacing: "timer",
    load:
      plan.scenario === null
        ? { kind: "open", segments: [{ seconds: 1, fromPerSecond: messages, toPerSecond: messages }] }
        : { kind: "closed", inFlight: 1, seconds: onceSeconds },
  };
  const started = startAttack(one, { ...options, resultsFolder: null, openLink });
  return await started.result;
}
