import { readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";
import { readText } from "./sources.ts";

/** What processes may have in common, each by a name that no other one has. */
export const placeSchema = z.object({
  /** CPUs and memory. */
  machine: z.string(),
  /** Its loopback addresses. */
  network: z.string(),
  /** The monotonic clock. */
  clock: z.string(),
});
export type Place = z.infer<typeof placeSchema>;

let known: Place | null = null;

/** Where this process runs, for as long as it does. Containers of one machine share its CPUs, and have networks of their own. */
export function readPlace(): Place {
  known ??= findPlace();
  return known;
}

function findPlace(): Place {
  const machine = readText("/proc/sys/kernel/random/boot_id")?.trim() ?? hostname();
  return {
    machine,
    network: `${machine} ${namespaceOf("net")}`,
    clock: `${machine} ${namespaceOf("time")}`,
  };
}

/** namespaces(7); none where the system has no such thing. */
function namespaceOf(kind: "net" | "time"): string {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return "";
  }
}
