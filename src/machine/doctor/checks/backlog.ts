import { formatCount as count } from "../../../text/format.ts";
import type { Check, Finding } from "../finding.ts";
import { nameOf, readNumber, sysctlRemedy } from "../remedy.ts";

/** The article's value, and Linux's own since 5.4. */
const roomy = 4096;

/** Connections that wait to be accepted. Too few slow the opening down by whole seconds and stop nothing. */
export const checkBacklog: Check = (machine, plan) => {
  const waiting = Math.max(plan.connectBatch, plan.workers);
  const wanted = Math.max(roomy, 2 ** Math.ceil(Math.log2(waiting)));
  const findings: Finding[] = [];
  const accept = nameOf(machine, { linux: "net.core.somaxconn", macos: "kern.ipc.somaxconn" });
  const most = accept === null ? null : readNumber(machine, accept);
  findings.push({
    ...sysctlRemedy(machine, {
      linux: { "net.core.somaxconn": Math.max(wanted, most ?? 0) },
      // A 16-bit number there.
      macos: { "kern.ipc.somaxconn": Math.min(32_767, Math.max(wanted, most ?? 0)) },
    }),
    id: "backlog",
    title: "Accept queue",
    current: most === null ? "not known" : count(most),
    needed: `${count(waiting)} at once`,
    verdict: most === null ? "unknown" : most < waiting ? "tight" : "ok",
    explanation: `${accept ?? "The system"} bounds every listener's queue, whatever backlog the server asks for. A full queue drops the SYN, and the client asks again only after 1 s: connect times of 1,000 and 3,000 ms that are not the server's.`,
    holds: null,
  });
  const syn = readNumber(machine, "net.ipv4.tcp_max_syn_backlog");
  if (syn !== null) {
    findings.push({
      ...sysctlRemedy(machine, { linux: { "net.ipv4.tcp_max_syn_backlog": Math.max(wanted, syn) } }),
      id: "syn-backlog",
      title: "Half-open connections",
      current: count(syn),
      needed: count(waiting),
      verdict: syn < waiting ? "tight" : "ok",
      explanation:
        "net.ipv4.tcp_max_syn_backlog bounds what has sent its SYN and is not connected yet. Beyond it the kernel answers with SYN cookies, which lose TCP options, or not at all.",
      holds: null,
    });
  }
  return findings;
};
