import { formatBytes } from "../../../text/format.ts";
import type { Check } from "../finding.ts";
import { sysctlRemedy } from "../remedy.ts";

/** A socket with anything unread is charged a page, however short the message (measured on Linux 6.18); one each way. */
const pagesPerConnection = 2;

/** What all sockets of the machine may hold in their buffers (tcp_mem: low, pressure and high, in pages). */
export const checkTcpMemory: Check = (machine, plan) => {
  const [low, pressure, high] = machine.sysctls["net.ipv4.tcp_mem"]?.trim().split(/\s+/).map(Number) ?? [];
  if (low === undefined || pressure === undefined || high === undefined) return [];
  const { pageBytes } = machine.memory;
  const needed = plan.connections * pagesPerConnection;
  // Twice the need under pressure, in the proportions of the kernel's own defaults (3 : 4 : 6).
  const wanted = [1.5, 2, 3].map((times) => Math.ceil(needed * times));
  const values = [low, pressure, high].map((value, at) => Math.max(value, wanted[at] ?? 0));
  return [
    {
      ...sysctlRemedy(machine, { linux: { "net.ipv4.tcp_mem": values.join(" ") } }),
      id: "tcp-memory",
      title: "Socket buffers",
      current: `${formatBytes(pressure * pageBytes)}, at most ${formatBytes(high * pageBytes)}`,
      needed: `${formatBytes(needed * pageBytes)} at worst`,
      verdict: needed > pressure ? "tight" : "ok",
      explanation:
        "With a message waiting at both ends of every connection, each holds a page. Past the second value of net.ipv4.tcp_mem the kernel shrinks the windows of all connections, past the third it drops data and resets: that looks like a slow or broken server.",
      holds: null,
    },
  ];
};
