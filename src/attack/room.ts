import { ShowdownError } from "../errors.ts";
import { readPortRange } from "../machine/environment.ts";
import { readAvailableMemory } from "../machine/kernel-sockets.ts";
import { connectionsPerAddress, sourceAddresses } from "../machine/source-addresses.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { formatBytes } from "../text/format.ts";

/** Of a connection in the generator and at this end of the kernel (bench/generator.ts, docs/tuning.md). */
const ownBytes = 6 * 1024;
/** Of the other end, where the server is on this machine: in the kernel alone. */
const otherEndBytes = 4 * 1024;
const workerBytes = 25e6;

/**
 * The addresses that an attack connects from. Each brings a port range of its own, and to loopback this machine has as
 * many as are needed; elsewhere they are the user's to name.
 *
 * @param given by the user
 * @throws {ShowdownError} `usage` where their ports are too few, saying how many connections they allow
 */
export function chooseSources(
  { address }: { readonly address: string },
  connections: number,
  given: readonly string[],
): readonly string[] {
  if (given.length === 0 && connections > connectionsPerAddress && address.startsWith("127.")) {
    // Another network for each attack: what the last one has closed may still be in TIME_WAIT.
    const [addresses = []] = sourceAddresses({ workers: 1, connections }, process.pid);
    if (addresses.length > 0) return addresses;
  }
  const range = readPortRange();
  if (range === null) return given;
  const [first, last] = range;
  const most = (last - first + 1) * Math.max(1, given.length);
  if (connections <= most) return given;
  const where = given.length < 2 ? "one source address" : `${given.length} source addresses`;
  throw new ShowdownError("usage", `--connections ${connections}: ${where} can have ${most} to one server`, {
    hint: `give --connections ${most}, or more addresses of this machine by --source-address (docs/tuning.md)`,
  });
}

/**
 * Makes sure that this machine's memory is enough, as far as can be told beforehand.
 *
 * @throws {ShowdownError} `usage`, saying how many connections would fit
 */
export function checkMemory({ connections, workers, target }: AttackPlan, available = readAvailableMemory()) {
  if (available === null) return;
  const each = ownBytes + (target.address.startsWith("127.") ? otherEndBytes : 0);
  const needed = connections * each + workers * workerBytes;
  if (needed <= available) return;
  const fitting = Math.floor(Math.max(0, available - workers * workerBytes) / each);
  throw new ShowdownError(
    "usage",
    `--connections ${connections}: they need about ${formatBytes(needed)} of memory, ${formatBytes(available)} are available`,
    { hint: `give --connections ${Math.max(1, fitting)}, or stop other programs` },
  );
}
