import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";

const sysconfPageSize = process.platform === "darwin" ? 29 : 30;

/** Size of a memory page; 16 and 64 KiB exist on ARM. */
export const pageBytes = Number(libc?.sysconf(sysconfPageSize) ?? 4096);

/** What the kernel says of all the machine's TCP sockets together. */
export interface KernelSockets {
  /** Memory in socket buffers, both ends of a loopback connection included; no process's RSS shows it. */
  readonly tcpMemoryBytes: number | null;
  /** Times a connection was turned away because the listener's accept queue was full. Only grows. */
  readonly listenOverflows: number | null;
  /** SYNs dropped at a listener for whatever reason, overflows included. Only grows. */
  readonly listenDrops: number | null;
  /** Sockets in TIME_WAIT now. */
  readonly timeWaits: number | null;
  /** Why figures are null. */
  readonly reason: string | null;
}

/** Pairs the columns of a `/proc/net/netstat` section, which come as a line of names and a line of values. */
function readNetstat(text: string, section: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line.startsWith(`${section}: `));
  const [names = [], values = []] = lines.map((line) => line.split(" ").slice(1));
  return new Map(names.map((name, column) => [name, Number(values[column])]));
}

/** Reads `/proc/net/sockstat` and `/proc/net/netstat` (Linux); costs about 0.1 ms. */
export function readKernelSockets(folder = "/proc/net"): KernelSockets {
  try {
    const tcp = /^TCP: (.*)$/m.exec(readFileSync(`${folder}/sockstat`, "utf8"))?.[1] ?? "";
    const counter = (name: string): number | null => {
      const value = new RegExp(`\\b${name} (\\d+)`).exec(tcp)?.[1];
      return value === undefined ? null : Number(value);
    };
    const pages = counter("mem");
    const extended = readNetstat(readFileSync(`${folder}/netstat`, "utf8"), "TcpExt");
    return {
      tcpMemoryBytes: pages === null ? null : pages * pageBytes,
      timeWaits: counter("tw"),
      listenOverflows: extended.get("ListenOverflows") ?? null,
      listenDrops: extended.get("ListenDrops") ?? null,
      reason: null,
    };
  } catch (error) {
    const reason = `no kernel figures of sockets: ${(error as Error).message}`;
    return { tcpMemoryBytes: null, timeWaits: null, listenOverflows: null, listenDrops: null, reason };
  }
}
