import type { Tls } from "../process/tls.ts";

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
}

/** A server by its address alone. */
export function plainTarget(host: string, port: number, path: string): Target {
  return { host, port, path, tls: null, headers: {} };
}
