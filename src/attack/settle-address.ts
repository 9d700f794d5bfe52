import { isIP } from "node:net";
import { findAnswering, type Target } from "../engine/target.ts";
import { ShowdownError } from "../errors.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { printable } from "../text/printable.ts";

/**
 * Makes sure that connections can be opened from the source addresses. Opens none.
 *
 * @throws {ShowdownError} `usage` for one that this machine does not have, or that none of the server's goes with
 */
export async function checkSources({ target, sourceAddresses }: AttackPlan): Promise<void> {
  if (sourceAddresses.length === 0) return;
  const { BunSockets } = await import("../engine/sockets/bun-sockets.ts");
  const sockets = new BunSockets();
  for (const source of sourceAddresses) {
    if (isIP(source) === 0 || !sockets.canBind(source)) {
      throw new ShowdownError(
        "usage",
        `--source-address ${printable(source, { most: 60 })}: expected an address of this machine`,
        { hint: "ip address (Linux) or ifconfig lists them; all of 127.0.0.0/8 are Linux's own" },
      );
    }
  }
  if (reachable(target.addresses, sourceAddresses).length === 0) {
    throw new ShowdownError(
      "usage",
      `--source-address ${sourceAddresses.join(", ")}: the server is at ${target.addresses.join(", ")}`,
      { hint: "give addresses of the same kind, IPv4 or IPv6" },
    );
  }
}

/** Chooses the address that all connections go to: of several the first that accepts one. */
export async function settleAddress(
  plan: AttackPlan,
  access: Target,
): Promise<{ readonly plan: AttackPlan; readonly access: Target }> {
  const { target, sourceAddresses } = plan;
  const [first = target.address, ...others] = reachable(target.addresses, sourceAddresses);
  const address = await findAnswering([first, ...others], target.port);
  return { plan: { ...plan, target: { ...target, address } }, access: { ...access, host: address } };
}

/** Those of the sources' kind. */
function reachable(addresses: readonly string[], sources: readonly string[]): readonly string[] {
  return addresses.filter((address) => sources.every((source) => isIP(source) === isIP(address)));
}
