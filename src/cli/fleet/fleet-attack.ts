import type { AttackHandle } from "../../attack/start-attack.ts";
import { describeTarget } from "../../attack/target.ts";
import { isLoopback } from "../../contenders/address.ts";
import { isAdapterFile } from "../../engine/adapters/adapters.ts";
import type { Target } from "../../engine/target.ts";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { resumeFleetAttack, startFleetAttack } from "../../fleet/coordinator.ts";
import { type AttackLimit, parseAttackLimits } from "../../measures/attack-measures.ts";
import { type AttackRequest, resolveAttack, withoutSecrets } from "../../plan/attack/plan.ts";
import { readRunOrAttack } from "../../result/find.ts";
import type { Environment } from "../../result/schema.ts";
import { plural } from "../../text/format.ts";
import { confirmLoad } from "../attack-target.ts";
import { commandLine } from "../command-options.ts";
import { followToEnd } from "../commands/attack.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { resultsFolder, runSource } from "../paths.ts";
import { untilStopped } from "../signals.ts";
import { type AtFleet, readAway, withAgents, withBus } from "./with-agents.ts";

/** What was asked for, before it is known who is there. */
interface AskedAttack {
  readonly request: Omit<AttackRequest, "cpus" | "descriptorLimit" | "agents">;
  readonly access: Target;
  readonly environment: Promise<Environment>;
  readonly limits: { readonly thresholds: readonly AttackLimit[]; readonly abortOn: readonly AttackLimit[] };
}

/** `showdown attack --fleet`. Returns the exit code. */
export async function attackByFleet(asked: AskedAttack, values: OptionValues, host: Host): Promise<number> {
  const { adapter } = asked.request;
  if (adapter !== null && isAdapterFile(adapter.name)) {
    throw new ShowdownError("usage", `--adapter ${adapter.name}: agents don't have that file`, {
      hint: "expected a built-in adapter with --fleet",
    });
  }
  return await untilStopped(host, async (signal) =>
    withAgents("attack", values, host, signal, (fleet) =>
      attackWith(asked, { ...fleet, signal }, values, host),
    ),
  );
}

interface At extends AtFleet {
  readonly signal: AbortSignal;
}

async function attackWith(asked: AskedAttack, at: At, values: OptionValues, host: Host): Promise<number> {
  const { request, access, environment, limits } = asked;
  const { gathered } = at;
  const plan = resolveAttack({
    ...request,
    cpus: gathered.cpus,
    descriptorLimit: gathered.descriptors,
    agents: gathered.members.length,
  });
  if (values["dry-run"] === true) {
    host.out(`${JSON.stringify({ plan: withoutSecrets(plan) }, null, 2)}\n`);
    await gathered.release();
    return exitCodes.ok.code;
  }
  await confirmLoad(plan, values, host);
  const networks = new Set(gathered.members.map(({ place }) => place.network));
  if (isLoopback({ host: plan.target.address }) && networks.size > 1) {
    host.err(`warning: ${plan.target.address} is another machine for each agent: its own\n`);
  }
  host.err(`Target: ${describeTarget(plan.target)}\n`);
  const folder = resultsFolder(values, host);
  const handle = (): AttackHandle =>
    startFleetAttack(plan, {
      ...at,
      ...{ access, environment, resultsFolder: folder },
      command: commandLine(host),
      rows: request.data?.rows ?? [],
      before: values.before,
      after: values.after,
      abortOn: limits.abortOn,
      awayMs: readAway(values),
      awaitsOthers:
        request.adapter !== null && !["nobody", "sender"].includes(request.adapter.answers.delivery),
    });
  return await followToEnd(handle, plan, limits.thresholds, values, host);
}

/** `showdown attack --resume RUN --fleet URL`. Returns the exit code. */
export async function resume({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const { resume: reference = "", fleet } = values;
  if (positionals.length > 0 || fleet === "local") {
    throw new ShowdownError("usage", "--resume: expected the bus of that attack with --fleet, and no URL", {
      hint: "a local fleet ends with its coordinator, and can't be resumed",
    });
  }
  const thresholds = parseAttackLimits("--threshold", values.threshold ?? []);
  const stored = readRunOrAttack(reference, runSource(values, host));
  const attack = "attack" in stored ? stored.attack : null;
  const isCutOff =
    attack?.progress === "running" || attack?.parts.some(({ reason }) => reason?.kind === "bus-lost");
  if (attack?.fleet === undefined || !isCutOff) {
    throw new ShowdownError(
      "usage",
      `--resume ${reference}: expected an attack of a fleet that was cut off`,
      {
        hint: "see it with: showdown report",
      },
    );
  }
  const cutOff = { ...attack, fleet: attack.fleet };
  return await untilStopped(host, async (signal) =>
    withBus(values, host, async (bus) => {
      host.err(`Taking over ${cutOff.id} of ${plural(cutOff.parts.length, "agent")}\n`);
      const folder = resultsFolder(values, host);
      const handle = () =>
        resumeFleetAttack({ bus, cutOff, resultsFolder: folder, signal, awayMs: readAway(values) });
      return await followToEnd(handle, cutOff.plan, thresholds, values, host);
    }),
  );
}
