import { formatCount as count } from "../../../text/format.ts";
import type { Check } from "../finding.ts";
import { readNumber, sysctlRemedy } from "../remedy.ts";

/** Connection tracking of the packet filter, which follows loopback connections too once any rule asks for it. */
export const checkConntrack: Check = (machine, plan) => {
  const most = readNumber(machine, "net.netfilter.nf_conntrack_max");
  if (most === null) return [];
  const tracked = machine.trackedConnections;
  // An entry outlives its connection by two minutes, so two rounds can be in the table at once.
  const needed = plan.connections * (plan.rounds * plan.entrants.length > 1 ? 2 : 1);
  const base = {
    ...sysctlRemedy(machine, {
      linux: { "net.netfilter.nf_conntrack_max": Math.max(most, (tracked ?? 0) + needed) },
    }),
    id: "conntrack",
    title: "Connection tracking",
    needed: `${count(needed)} entries`,
  };
  // The module may be loaded without a rule that uses it.
  if (tracked === 0) {
    return [
      {
        ...base,
        current: `idle, at most ${count(most)}`,
        verdict: "ok",
        explanation: "The packet filter follows no connection now, so its table is no limit.",
        holds: null,
      },
    ];
  }
  const free = most - (tracked ?? 0);
  return [
    {
      ...base,
      current: `${count(tracked)} of ${count(most)}`,
      verdict: free < plan.connections ? "stops" : free < needed ? "tight" : "ok",
      explanation:
        "The packet filter follows every connection, loopback included, and drops packets of new ones when its table is full. An entry stays for two minutes after its connection, so rounds add up.",
      holds: { connections: Math.max(0, free), limit: `the table of connection tracking, ${count(most)},` },
    },
  ];
};
