/** Whom the load goes to: where its WebSockets are opened, and how. */
export interface Target {
  /** An address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Plain TCP. */
  readonly tls: null;
  /** Sent with every upgrade, beside its own or in their place. */
  readonly headers: Readonly<Record<string, string>>;
  /** Offered in the upgrade, of which the server has to choose one (RFC 6455, section 4.1); none where absent. */
  readonly subprotocols?: readonly string[];
}

/** A server by its address alone. */
export function plainTarget(host: string, port: number, path: string): Target {
  return { host, port, path, tls: null, headers: {} };
}
