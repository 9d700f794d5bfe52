import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import type { Address } from "../contenders/address.ts";
import { ShowdownError } from "../errors.ts";
import type { Tls } from "../process/tls.ts";
import { printable } from "../text/printable.ts";
import type { CompressionOffer } from "../websocket/compression/agreement.ts";
import { hostHeader } from "../websocket/handshake.ts";

/** Whom the load goes to: where its WebSockets are opened, and how. */
export interface Target {
  /** An address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Null for plain TCP. */
  readonly tls: Tls | null;
  /** Sent with every upgrade, beside its own or in their place. */
  readonly headers: Readonly<Record<string, string>>;
  /** Offered in the upgrade, of which the server has to choose one (RFC 6455, section 4.1); none where absent. */
  readonly subprotocols?: readonly string[];
  /** What is offered of permessage-deflate (RFC 7692); null: nothing. */
  readonly compression: CompressionOffer | null;
}

/** A server by its address alone. */
export function plainTarget(host: string, port: number, path: string): Target {
  return { host, port, path, tls: null, headers: {}, compression: null };
}

/** How long an address of several may take to accept a connection. */
const addressPatienceMs = 1000;

/**
 * Looks a name up, once for all workers: each might find another address. Opens no connection.
 *
 * @param reason of the error where the name has no address
 * @returns in the order in which the system prefers them
 * @throws {ShowdownError}
 */
export async function lookUp(
  host: string,
  reason: "usage" | "contenderFailed",
): Promise<readonly [string, ...string[]]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true, order: "verbatim" }).catch((cause: NodeJS.ErrnoException) => {
    throw new ShowdownError(
      reason,
      `${printable(host)}: no address is known by that name (${cause.code ?? cause})`,
      { hint: "look at the URL, and whether this machine can look names up; or give the address", cause },
    );
  });
  const [first = host, ...others] = new Set(found.map(({ address }) => address));
  return [first, ...others];
}

/** Of several addresses the first that accepts a connection; the first where none does. One alone is not tried. */
export async function findAnswering(
  addresses: readonly [string, ...string[]],
  port: number,
): Promise<string> {
  if (addresses.length > 1) for (const address of addresses) if (await accepts(address, port)) return address;
  return addresses[0];
}

async function accepts(address: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: address, port, timeout: addressPatienceMs });
  socket.on("connect", () => resolve(true));
  for (const event of ["error", "timeout"]) socket.on(event, () => resolve(false));
  const isAccepted = await promise;
  socket.destroy();
  return isAccepted;
}

/**
 * A server by its URL.
 *
 * @throws {ShowdownError} `contenderFailed` when the name has no address
 */
export async function resolveTarget(server: Address): Promise<Target> {
  const { host, port } = server;
  return targetAt(await findAnswering(await lookUp(host, "contenderFailed"), port), server);
}

/** That server, at the address that was found for it. */
export function targetAt(address: string, server: Address): Target {
  const { host, port, path, tls } = server;
  const headers: Record<string, string> = address === host ? {} : { Host: hostHeader(server) };
  return { ...plainTarget(address, port, path), tls, headers };
}
