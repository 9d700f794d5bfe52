import { libc } from "./libc.ts";
import { readText } from "./sources.ts";

const sysconfPageSize = process.platform === "darwin" ? 29 : 30;

/** Size of a memory page; 16 and 64 KiB exist on ARM. */
export const pageBytes = Number(libc?.sysconf(sysconfPageSize) ?? 4096);

/** What the kernel says of all the machine's TCP sockets together; null where it says nothing. */
interface KernelSockets {
  /** Memory in socket buffers, both ends of a loopback connection included; no process's RSS shows it. */
  readonly tcpMemoryBytes: number | null;
  /** Times a connection was turned away because the listener's accept queue was full. Only grows. */
  readonly listenOverflows: number | null;
}

/** Reads `/proc/net/sockstat` and `/proc/net/netstat` (Linux); costs about 0.1 ms. */
export function readKernelSockets(folder = "/proc/net"): KernelSockets {
  const pages = /^TCP: .*\bmem (\d+)/m.exec(readText(`${folder}/sockstat`) ?? "")?.[1];
  return {
    tcpMemoryBytes: pages === undefined ? null : Number(pages) * pageBytes,
    listenOverflows: readExtended(folder, "ListenOverflows"),
  };
}

/** A counter of `netstat`, where a line of names stands above a line of values. */
function readExtended(folder: string, name: string): number | null {
  const lines = (readText(`${folder}/netstat`) ?? "")
    .split("\n")
    .filter((line) => line.startsWith("TcpExt: "));
  const [names = [], values = []] = lines.map((line) => line.split(" "));
  const value = values[names.indexOf(name)];
  return value === undefined ? null : Number(value);
}

/** Bytes that new programs could have; null where the system does not say. */
export function readAvailableMemory(proc = "/proc"): number | null {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readText(`${proc}/meminfo`) ?? "")?.[1];
  return available === undefined ? null : Number(available) * 1024;
}

/**
 * Bytes in use by processes and the kernel, without the page cache; null where the system does not say. What is
 * available tells less than has been used: it counts the files and inodes of open sockets as memory that could be freed.
 */
export function readUsedMemory(proc = "/proc"): number | null {
  const meminfo = readText(`${proc}/meminfo`) ?? "";
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1]);
  const cache = kilobytes("Buffers") + kilobytes("Cached") - kilobytes("Shmem");
  const used = kilobytes("MemTotal") - kilobytes("MemFree") - cache;
  return Number.isNaN(used) ? null : used * 1024;
}

/**
 * Bytes that the kernel holds for what has to do with sockets: TCP buffers and all slabs, in which sockets, files and
 * epoll entries lie. Of the whole machine, so that only its growth means anything. Null where there is no telling.
 */
export function readKernelMemory(proc = "/proc"): number | null {
  const { tcpMemoryBytes } = readKernelSockets(`${proc}/net`);
  const slabs = /^Slab:\s*(\d+) kB/m.exec(readText(`${proc}/meminfo`) ?? "")?.[1];
  return tcpMemoryBytes === null || slabs === undefined ? null : tcpMemoryBytes + Number(slabs) * 1024;
}
