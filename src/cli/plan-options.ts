import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { readTopology, splitCpus } from "../machine/cpus.ts";
import { parseChaosSeconds, parseFaults } from "../plan/faults.ts";
import type { Plan } from "../plan/plan.ts";
import type { Parameters } from "../plan/presets.ts";
import { parsePhases, resolvePlan } from "../plan/resolve.ts";
import type { Environment } from "../result/schema.ts";
import type { OptionValues } from "./options.ts";

/** The plan that the options ask for on this machine, and why nothing is pinned where nothing is. */
export function makePlan(
  values: OptionValues,
  entrants: readonly ResolvedEntrant[],
  environment: Environment,
): { readonly plan: Plan; readonly pinReason: string | null } {
  const cpus = splitCpus(readTopology(), { pin: values["no-pin"] !== true });
  const changes: { -readonly [Key in keyof Parameters]?: Parameters[Key] | undefined } = {
    phases: values.phases === undefined ? undefined : parsePhases(values.phases),
    rounds: values.rounds,
    connections: values.connections,
    connectBatch: values["connect-batch"],
    messagesPerConnection: values.messages,
    messageBatch: values["message-batch"],
    messageBytes: values["message-bytes"],
    enduranceSeconds: values["endurance-seconds"],
    enduranceRatePerSecond: values["endurance-rate"],
    capacityStepSeconds: values["capacity-seconds"],
    capacityStartRatePerSecond: values["capacity-start"],
    p99LimitMs: values["p99-limit"],
    faults: values.faults === undefined ? undefined : parseFaults(values.faults),
    chaosSeconds:
      values["chaos-seconds"] === undefined ? undefined : parseChaosSeconds(values["chaos-seconds"]),
    roomSize: values["room-size"],
    sendersPerRoom: values.senders,
    errorThreshold: values["error-threshold"],
    warmupSeconds: values["warmup-seconds"],
    quietMs: milliseconds(values["quiet-seconds"]),
  };
  const plan = resolvePlan({
    preset: values.preset ?? "quick",
    changes: Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
    rooms: values.rooms,
    seed: values.seed ?? 1,
    entrants,
    port: values.port ?? 0,
    validityRule: values["no-void"] !== true,
    workers: values.workers ?? 0,
    pacing: values.pacing ?? "auto",
    serverCpus: cpus.serverCpus,
    workerCpus: cpus.workerCpus,
    descriptorLimit: environment.descriptorLimit.soft,
    readyMs: milliseconds(values["ready-seconds"]) ?? 15_000,
    connectMs: milliseconds(values["connect-seconds"]) ?? 10_000,
  });
  return { plan, pinReason: cpus.reason };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}
