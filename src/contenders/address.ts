import { ShowdownError } from "../errors.ts";
import { plainTrust, type Tls, type TlsTrust } from "../process/tls.ts";
import { printable } from "../text/printable.ts";
import { hideSecrets } from "../text/secrets.ts";

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

const mostShown = 200;

/**
 * @param trust for `wss://`
 * @param usualPath where the URL has none
 * @throws {ShowdownError} `usage`
 */
export function readUrl(text: string, trust: TlsTrust = plainTrust, usualPath = "/"): Address {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSecure = url?.protocol === "wss:";
  if (url === null || (!isSecure && url.protocol !== "ws:") || url.hostname === "" || url.port === "0") {
    const isHttp = url !== null && /^https?:$/.test(url.protocol);
    throw new ShowdownError(
      "usage",
      `${showUrl(text)}: expected a URL such as ws://127.0.0.1:8080/ws, or wss://`,
      { hint: isHttp ? `give ${showUrl(text.replace(/^http/i, "ws"))}` : undefined },
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ShowdownError("usage", `${printable(url.host)}: expected a URL without a user's name`, {
      hint: "a server that wants one takes it as a header: Authorization: Basic …",
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const path = `${url.pathname}${url.search}`;
  return {
    host,
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    path: path === "/" ? usualPath : path,
    tls: isSecure ? { ...trust, serverName: host } : null,
  };
}

/** To be read, not to be opened: the values of secrets in its query are left out. */
export function formatUrl({ host, port, path, tls = null }: Omit<Address, "tls"> & Partial<Address>): string {
  const where = `${tls === null ? "ws" : "wss"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return hideSecrets(`${where}${path}`);
}

/** A URL as it was typed, for people: without secrets and what a terminal would obey. */
export function showUrl(text: string): string {
  return printable(hideSecrets(text), { most: mostShown });
}

/** All of it is this machine. */
export function isLoopback({ host }: Pick<Address, "host">): boolean {
  return /^127\./.test(host) || host === "localhost" || host === "::1";
}

/** This machine, or one of a network that is nobody else's (RFC 1918, RFC 4193, RFC 3927, RFC 4291). */
export function isNear(address: string): boolean {
  if (address.includes(":")) return address === "::1" || /^f[cd][\da-f]{2}:|^fe[89ab][\da-f]:/i.test(address);
  const [first = 0, second = 0] = address.split(".").map(Number);
  return (
    first === 127 ||
    first === 10 ||
    (first === 172 && second >= 16 && second <= 31) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254)
  );
}
