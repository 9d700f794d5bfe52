import { ShowdownError } from "../errors.ts";
import { printable } from "../text/printable.ts";

/** Where a server runs that somebody else has started. */
export interface Address {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
}

/** @throws {ShowdownError} `usage` */
export function readUrl(text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== "ws:" || url.hostname === "" || url.port === "0") {
    throw new ShowdownError("usage", `${printable(text)}: expected a URL such as ws://127.0.0.1:8080/ws`, {
      hint: url?.protocol === "wss:" ? "TLS is not supported: name the server behind its proxy" : undefined,
    });
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    path: `${url.pathname}${url.search}`,
  };
}

export function formatUrl({ host, port, path }: Address): string {
  return `ws://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
}

/** All of it is this machine. */
export function isLoopback({ host }: Pick<Address, "host">): boolean {
  return /^127\./.test(host) || host === "localhost" || host === "::1";
}
