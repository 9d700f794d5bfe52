import { type Bus, openBus } from "../../fleet/bus.ts";
import { readBusAddress } from "../../fleet/bus-address.ts";
import { type Gathered, gatherAgents } from "../../fleet/gather.ts";
import { startLocalFleet } from "../../fleet/local-fleet.ts";
import { boundLines } from "../../text/bound-lines.ts";
import type { Host } from "../host.ts";
import type { OptionValues } from "../options.ts";

const usualLocalAgents = 2;
const usualJoinMs = 30_000;
const usualAwayMs = 30_000;
/** Of all agents, in one line. */
const mostNamed = 8;

/** Agents that take part, and the way to them. */
export interface AtFleet {
  readonly bus: Bus;
  /** As it is shown. */
  readonly busName: string;
  readonly gathered: Gathered;
}

/** How long a bus that went away is waited for, in milliseconds. */
export function readAway(values: OptionValues): number {
  return values["bus-away-seconds"] ?? usualAwayMs;
}

/**
 * Gathers the agents that `--fleet` speaks of. They are free again when the work is over, or was never begun.
 *
 * @param label the end of the name of what they are gathered for
 */
export async function withAgents(
  label: string,
  values: OptionValues,
  host: Host,
  signal: AbortSignal,
  work: (fleet: AtFleet) => Promise<number>,
): Promise<number> {
  const agents = values.agents ?? (values.fleet === "local" ? usualLocalAgents : null);
  return await withBus(values, host, async (bus, busName) => {
    const joinMs = values["join-seconds"] ?? usualJoinMs;
    const gathered = await gatherAgents({ bus, busName, label, agents, joinMs, signal });
    try {
      const names = gathered.members.map(({ name }) => name);
      host.err(`Agents: ${boundLines(names, mostNamed).join(", ")}\n`);
      return await work({ bus, busName, gathered });
    } catch (error) {
      await gathered.release();
      throw error;
    } finally {
      gathered.letGo();
    }
  });
}

/** Opens the bus, and starts one before where it is to be local. */
export async function withBus(
  values: OptionValues,
  host: Host,
  work: (bus: Bus, busName: string) => Promise<number>,
): Promise<number> {
  const { fleet = "", agents = usualLocalAgents } = values;
  const onExit = (agent: string) => host.err(`warning: agent ${agent}\n`);
  const local = fleet === "local" ? await startLocalFleet(agents, host.env, onExit) : null;
  try {
    const address = readBusAddress(local?.bus ?? fleet, local === null ? values : {}, host.cwd);
    for (const warning of address.warnings) host.err(`warning: ${warning}\n`);
    const bus = await openBus(address, "showdown coordinator");
    try {
      return await work(bus, local === null ? address.shown : "local");
    } finally {
      await bus.close();
    }
  } finally {
    await local?.stop();
  }
}
