import type { Plan } from "../../../plan/plan.ts";
import * as format from "../../../text/format.ts";
import type { Section } from "../section.ts";

/** What the phase makes the servers do, with the plan's numbers. */
export function describeWork({ kind, workload }: Pick<Section, "kind" | "workload">, plan: Plan): string {
  const connections = format.plural(plan.connections, "connection");
  const each = format.plural(plan.messagesPerConnection, "message");
  const batches = `in batches of ${format.formatCount(plan.messageBatch)}`;
  const seconds = format.formatDuration(plan.enduranceSeconds * 1000);
  const rate = format.formatRate(plan.enduranceRatePerSecond);
  const room = format.formatCount(plan.roomSize);
  if (kind === "connect") {
    return `${connections} are opened in batches of ${format.formatCount(plan.connectBatch)}, upgraded to WebSockets, and join their room.`;
  }
  if (kind === "burst") {
    switch (workload) {
      case "broadcast":
        return `${each} are broadcast to all ${connections}, as fast as the server takes them: every connection receives each of them.`;
      case "rooms":
        return `The connections chat in rooms of ${room} until each has received ${each}, ${batches}, as fast as the server takes them.`;
      default:
        return `Each of ${connections} sends ${each}, all together ${batches}, as fast as the server takes them, and gets each one back.`;
    }
  }
  if (kind === "capacity") {
    const step = format.formatDuration(plan.capacityStepSeconds * 1000);
    const limit = format.formatLatency(plan.p99LimitMs * 1000);
    return `Rates are offered for ${step} each over all ${connections}, from ${format.formatRate(plan.capacityStartRatePerSecond)} on, until the highest one is found that is held with p99 up to ${limit} and nothing lost.`;
  }
  if (kind === "chaos") {
    const { before, strike, after } = plan.chaosSeconds;
    return `Under the load of ${rate} deliveries over all ${connections}, faults strike one after another (${format.joinNames(plan.faults)}): ${before} s before, ${strike} s under and ${after} s after each. What counts is what they do to the others.`;
  }
  const whom =
    workload === "echo"
      ? "each message returns to its sender"
      : workload === "broadcast"
        ? "each message goes to everybody"
        : `each message goes to the ${room} members of its room`;
  return `For ${seconds}, ${rate} deliveries are asked for over all ${connections}, at instants fixed beforehand whatever the server does; ${whom}.`;
}
