import { isLoopback } from "../../contenders/address.ts";
import type { ResolvedEntrant } from "../../contenders/entrants.ts";
import { ShowdownError } from "../../errors.ts";
import type { Member } from "../../fleet/gather.ts";
import { createFleetGenerator, describeAgents } from "../../fleet/run/fleet-generator.ts";
import { readPlace } from "../../machine/place.ts";
import type { Environment } from "../../result/schema.ts";
import type { Host } from "../host.ts";
import { carryOut } from "../one-run.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { makePlan } from "../plan-options.ts";
import { untilStopped } from "../signals.ts";
import { readAway, withAgents } from "./with-agents.ts";

const loopback = "127.0.0.1";

/** `showdown run --fleet`: this machine has the servers, agents make the load. Returns the exit code. */
export async function runByFleet(
  options: ParsedOptions,
  {
    entrants,
    environment,
  }: { readonly entrants: readonly ResolvedEntrant[]; readonly environment: Environment },
  host: Host,
): Promise<number> {
  const { values } = options;
  const { preset = "quick" } = values;
  return await untilStopped(host, async (signal, progress) =>
    withAgents(preset, values, host, signal, async ({ bus, busName, gathered }) => {
      const { members, descriptors } = gathered;
      const serverHost = readServerHost(values, entrants, members);
      const agents = describeAgents(members);
      const planned = makePlan(options, entrants, environment, { agents, descriptorLimit: descriptors });
      const generator = createFleetGenerator({
        bus,
        busName,
        gathered,
        serverHost,
        awayMs: readAway(values),
      });
      try {
        gathered.letGo();
        const code = await carryOut(
          { ...planned, entrants, environment, label: preset, generator },
          { values, host, signal, progress },
        );
        await gathered.release();
        return code;
      } finally {
        generator.stop();
      }
    }),
  );
}

/** Where agents reach the servers that this machine starts. */
function readServerHost(
  values: OptionValues,
  entrants: readonly ResolvedEntrant[],
  members: readonly Member[],
): string {
  const { "server-address": address = loopback } = values;
  const here = readPlace().network;
  const far = members.find(({ place }) => place.network !== here);
  const isStarted = entrants.some((entrant) => entrant.address === null);
  if (far !== undefined && isStarted && isLoopback({ host: address })) {
    throw new ShowdownError(
      "usage",
      `${far.name} can't reach servers at ${address}: it has a loopback of its own`,
      {
        hint: "expected --server-address with an address of this machine that the agents reach, such as 10.0.0.5",
      },
    );
  }
  return address;
}
