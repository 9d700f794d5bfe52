import { ShowdownError } from "../errors.ts";
import { plainTrust, type Tls, type TlsTrust } from "../process/tls.ts";
import { printable } from "../text/printable.ts";

/** Where a server runs that somebody else has started. */
export interface Address {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  /** Null for `ws://`. */
  readonly tls: Tls | null;
}

/**
 * @param trust for `wss://`
 * @throws {ShowdownError} `usage`
 */
export function readUrl(text: string, trust: TlsTrust = plainTrust): Address {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSecure = url?.protocol === "wss:";
  if (url === null || (!isSecure && url.protocol !== "ws:") || url.hostname === "" || url.port === "0") {
    throw new ShowdownError("usage", `${printable(text)}: expected a URL such as ws://127.0.0.1:8080/ws`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    host,
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    tls: isSecure ? { ...trust, serverName: host } : null,
  };
}

export function formatUrl({ host, port, path, tls = null }: Omit<Address, "tls"> & Partial<Address>): string {
  return `${tls === null ? "ws" : "wss"}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}

/** All of it is this machine. */
export function isLoopback({ host }: Pick<Address, "host">): boolean {
  return /^127\./.test(host) || host === "localhost" || host === "::1";
}
