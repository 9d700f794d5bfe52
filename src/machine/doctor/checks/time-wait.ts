import { formatCount as count, formatDuration } from "../../../text/format.ts";
import type { MachineFacts } from "../facts.ts";
import type { Check, Finding } from "../finding.ts";
import { readNumber, sysctlRemedy } from "../remedy.ts";

/** The article's value: TIME_WAIT lasts twice that. */
const articleMslMs = 1000;

/** What closed connections leave behind. The run is arranged so that it does not matter, and this says whether it works. */
export const checkTimeWait: Check = (machine, plan) => {
  const rounds = plan.rounds * Math.max(1, plan.entrants.length);
  return machine.system === "macos"
    ? [checkMac(machine, plan.connections, rounds)]
    : checkLinux(machine, plan.connections);
};

const others =
  "The server closes first, so that TIME_WAIT stays at its side, and every round connects from other source addresses, so that the last round's leftovers can't be in its way.";

function checkLinux(machine: MachineFacts, connections: number): Finding[] {
  const buckets = readNumber(machine, "net.ipv4.tcp_max_tw_buckets");
  const reuse = machine.sysctls["net.ipv4.tcp_tw_reuse"];
  const now = machine.timeWaits;
  if (now === null && reuse === undefined && buckets === null) return [];
  const wanted = 2 * connections + (now ?? 0);
  const reuses =
    reuse === "1" ? "for all" : reuse === "2" ? "on loopback" : reuse === undefined ? "not known" : "off";
  const full = buckets !== null && (now ?? 0) + connections > buckets;
  return [
    {
      ...sysctlRemedy(machine, {
        linux: {
          ...(buckets === null ? {} : { "net.ipv4.tcp_max_tw_buckets": Math.max(buckets, wanted) }),
          ...(reuse === "0" ? { "net.ipv4.tcp_tw_reuse": 2 } : {}),
        },
        macos: { "net.inet.tcp.msl": articleMslMs },
      }),
      id: "time-wait",
      title: "TIME_WAIT",
      current: `${count(now)} now, reuse ${reuses}`,
      needed: buckets === null ? "no matter" : `room for ${count(connections)} of ${count(buckets)}`,
      verdict: full ? "tight" : "ok",
      explanation: `A closed connection keeps its addresses and ports for 60 s. ${others}${full ? " The table for them is too small, so the kernel ends some early and says so in its log." : ""}`,
      holds: null,
    },
  ];
}

function checkMac(machine: MachineFacts, connections: number, rounds: number): Finding {
  const mslMs = readNumber(machine, "net.inet.tcp.msl");
  const ports = machine.portRange === null ? null : machine.portRange[1] - machine.portRange[0] + 1;
  const crowded = ports !== null && rounds > 1 && 2 * connections > ports;
  return {
    ...sysctlRemedy(machine, {
      linux: { "net.ipv4.tcp_tw_reuse": 2 },
      macos: { "net.inet.tcp.msl": Math.min(articleMslMs, mslMs ?? articleMslMs) },
    }),
    id: "time-wait",
    title: "TIME_WAIT",
    current: `${count(machine.timeWaits)} now, each for ${formatDuration(mslMs === null ? null : 2 * mslMs)}`,
    needed: crowded ? formatDuration(2 * articleMslMs) : "no matter",
    verdict: mslMs === null ? "unknown" : crowded && mslMs > articleMslMs ? "tight" : "ok",
    explanation:
      "A closed connection keeps its addresses and ports for twice net.inet.tcp.msl. There is one source address here, so two rounds share a range of ports and the next one can find its ports still taken.",
    holds: null,
  };
}
