import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { ShowdownError } from "../errors.ts";
import type { AttackTarget } from "../plan/attack/plan.ts";

/** A server as it is typed. */
export interface Endpoint {
  readonly url: string;
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/**
 * Looks a name up once for all workers: each might find another address.
 *
 * @throws {ShowdownError} `usage` where the name has none
 */
export async function findAddress(endpoint: Endpoint): Promise<Pick<AttackTarget, "address" | "addresses">> {
  const { host } = endpoint;
  if (isIP(host) !== 0) return { address: host, addresses: [host] };
  try {
    const found = await lookup(host, { all: true, order: "verbatim" });
    const addresses = [...new Set(found.map(({ address }) => address))];
    const [address] = addresses;
    if (address !== undefined) return { address, addresses };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new ShowdownError("usage", `${endpoint.url}: the name ${host} has no address (${code})`, {
      hint: "check the name, or give the address itself",
      cause,
    });
  }
  throw new ShowdownError("usage", `${endpoint.url}: the name ${host} has no address`, {
    hint: "check the name, or give the address itself",
  });
}

/** This machine, or one of a network that is nobody else's (RFC 1918, RFC 4193, RFC 3927, RFC 4291). */
export function isNear(address: string): boolean {
  if (address.includes(":")) return address === "::1" || /^f[cd]|^fe[89ab]/i.test(address);
  const [first = 0, second = 0] = address.split(".").map(Number);
  return (
    first === 127 ||
    first === 10 ||
    (first === 172 && second >= 16 && second <= 31) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254)
  );
}
