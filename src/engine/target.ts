import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import type { Address } from "../contenders/address.ts";
import { ShowdownError } from "../errors.ts";
import type { Tls } from "../process/tls.ts";
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
 * A server by its URL. A name is looked up here, once: every worker might find another address. Of several the first
 * that accepts a connection is taken.
 *
 * @throws {ShowdownError} `contenderFailed` when the name has no address
 */
export async function resolveTarget(server: Address): Promise<Target> {
  const { host, port, path, tls } = server;
  if (isIP(host) !== 0) return { ...plainTarget(host, port, path), tls };
  const found = await lookup(host, { all: true }).catch((error: NodeJS.ErrnoException) => {
    throw new ShowdownError("contenderFailed", `${host}: no address is known by that name (${error.code})`, {
      hint: "look at the URL, and whether this machine can look names up",
    });
  });
  const addresses = found.map(({ address }) => address);
  const answering = addresses.length === 1 ? addresses[0] : await findAnswering(addresses, port);
  const target = plainTarget(answering ?? addresses[0] ?? host, port, path);
  return { ...target, tls, headers: { Host: hostHeader(server) } };
}

async function findAnswering(addresses: readonly string[], port: number): Promise<string | undefined> {
  for (const address of addresses) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect({ host: address, port, timeout: addressPatienceMs });
    socket.on("connect", () => resolve(true));
    for (const event of ["error", "timeout"]) socket.on(event, () => resolve(false));
    const accepts = await promise;
    socket.destroy();
    if (accepts) return address;
  }
  return undefined;
}
