import { connectionsPerAddress } from "../../../run/source-addresses.ts";
import { formatCount as count } from "../../../text/format.ts";
import type { Check } from "../finding.ts";
import { sysctlRemedy } from "../remedy.ts";

/** Well above what services listen on, and 55,536 ports. */
const firstPort = 10_000;
const lowestPort = 1024;
const lastPort = 65_535;

/** Every connection has a local port of its own at its source address. This is what stopped the article at 16,3xx. */
export const checkPorts: Check = (machine, plan) => {
  const { portRange } = machine;
  const perWorker =
    machine.system === "linux" ? Math.ceil(plan.connections / plan.workers / connectionsPerAddress) : 0;
  const addresses = perWorker === 0 ? 1 : perWorker * plan.workers;
  const perAddress = Math.ceil(plan.connections / addresses);
  const first = perAddress <= lastPort - firstPort + 1 ? firstPort : lowestPort;
  const remedy = sysctlRemedy(machine, {
    linux: { "net.ipv4.ip_local_port_range": `${first} ${lastPort}` },
    macos: { "net.inet.ip.portrange.first": first, "net.inet.ip.portrange.last": lastPort },
  });
  const base = {
    ...remedy,
    id: "port-range",
    title: "Local ports",
    needed: `${count(perAddress)} at ${addresses === 1 ? "one address" : `each of ${addresses} addresses`}`,
  };
  if (portRange === null) {
    return [
      {
        ...base,
        current: "not known",
        verdict: "unknown",
        explanation:
          "Every connection takes a local port of its source address; this system does not say how many there are.",
        holds: null,
      },
    ];
  }
  const ports = portRange[1] - portRange[0] + 1;
  // Linux gets another address for every so many connections, so a range of that size is no limit.
  const isLimit = machine.system !== "linux" || ports < connectionsPerAddress;
  const many =
    machine.system === "linux"
      ? "All of 127.0.0.0/8 is this machine, so each worker connects from as many addresses as it needs, and every round from others."
      : "Only 127.0.0.1 is configured here, so there is one range for all connections; the article's 16,384 ports stopped both of its servers at 16,3xx.";
  return [
    {
      ...base,
      current: `${count(ports)} (${portRange[0]}–${portRange[1]})`,
      verdict: ports < perAddress ? "stops" : "ok",
      explanation: `Every connection takes a local port of its source address. ${many}`,
      holds: isLimit
        ? {
            connections: ports * addresses,
            limit: `the range of local ports, ${count(ports)} for an address,`,
          }
        : null,
    },
  ];
};
