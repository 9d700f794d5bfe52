import type { ConnectionFailure, Exit, Failures, Limit } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { quote, type Texts, tell } from "./tell.ts";

const most = 120;

const stages = {
  tcp: "the TCP connection",
  tls: "the TLS handshake",
  upgrade: "the upgrade",
  join: "the join",
} as const;

type TlsFailure = Extract<ConnectionFailure, { kind: "tls" }>;

/** What is wrong, and what to do about it. */
const tlsTexts: Readonly<Record<TlsFailure["problem"], string>> = {
  expired: "the server's certificate has expired; renew it, or go on with --insecure",
  "not-yet-valid": "the server's certificate is not valid yet; look at the clocks, or go on with --insecure",
  "wrong-host":
    "the server's certificate is for another host; use a name that it is for, or go on with --insecure",
  "self-signed": "the server's certificate is self-signed; trust it with --ca FILE, or go on with --insecure",
  "unknown-issuer":
    "nobody trusted has issued the server's certificate; trust its issuer with --ca FILE, or go on with --insecure",
  untrusted: "the server's certificate is not right; go on with --insecure",
  version: "the server does not speak TLS 1.2 or newer; make it, or use ws://",
  "not-tls": "the server does not speak TLS at this port; use ws://, or another port",
  "client-certificate-missing":
    "the server wants a certificate of the client; give --cert FILE and --key FILE",
  "client-certificate-refused":
    "the server refused the client's certificate; give another with --cert FILE and --key FILE",
  closed: "the server ended the connection in the TLS handshake; look at its log",
  refused: "the server refused the TLS handshake; look at its log",
  failed: "TLS failed",
};

const failureTexts: Texts<ConnectionFailure> = {
  system: ({ code, address }) => quote(code, most) + (address === null ? "" : ` (${quote(address, most)})`),
  "generator-descriptors": () => "generator out of descriptors",
  timeout: ({ stage }) => `timed out waiting for ${stages[stage]}`,
  tls: ({ problem, reason }) => `${tlsTexts[problem]} (${quote(reason, most)})`,
  http: ({ status }) => `HTTP ${status}`,
  protocol: ({ rule }) => `protocol error (${quote(rule, most)})`,
  close: ({ code, reason }) =>
    `closed (${code === 1005 ? "no code" : code}${reason === "" ? "" : ` "${quote(reason, most)}"`})`,
  reset: () => "connection reset",
  ended: () => "connection ended without a close frame",
  "not-attempted": () => "not attempted after the limit was met",
  other: ({ distinct }) => format.plural(distinct, "other reason"),
};

/** Why a connection did not open, or did not stay open: `HTTP 503`, `closed (1011 "overload")`. */
export function describeFailure(failure: ConnectionFailure): string {
  return tell(failureTexts, failure);
}

/** `64 × HTTP 503, 12 × connection reset`. */
export function describeFailures(failures: Failures): string {
  return failures
    .map(({ failure, count }) => `${format.formatCount(count)} × ${describeFailure(failure)}`)
    .join(", ");
}

/** `exited with code 2`, `was ended by SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? "ended" : `exited with code ${code}`;
}

const limitTexts: Texts<Limit> = {
  "server-descriptors": ({ perProcess }) =>
    `the server's descriptor limit (${format.formatCount(perProcess)} per process)`,
  "generator-descriptors": ({ perProcess, workers }) => {
    const each = perProcess === null ? "" : `${format.formatCount(perProcess)} per process, `;
    return `the generator's descriptor limit (${each}${format.plural(workers, "worker")})`;
  },
  "port-range": ({ ports, sourceAddresses }) => {
    const range = ports === null ? "" : `${format.formatCount(ports)} ports, `;
    const addresses = `${format.formatCount(sourceAddresses)} source address${sourceAddresses === 1 ? "" : "es"}`;
    return `the generator's port range (${range}${addresses})`;
  },
  memory: ({ freeShare }) => `this machine's memory (${format.formatShare(freeShare)} free)`,
  refused: ({ failure }) => `the server refused the rest: ${describeFailure(failure)}`,
  "accept-queue": ({ length, overflows }) => {
    const most = length === null ? "" : ` of ${format.formatCount(length)}`;
    return `the accept queue${most}, which overflowed ${format.plural(overflows, "time")}`;
  },
  unresponsive: ({ failure }) =>
    failure === null ? "the server no longer answered" : `no known limit: ${describeFailure(failure)}`,
};

/** What kept connections from opening: `the server's descriptor limit (20,000 per process)`. */
export function describeLimit(limit: Limit): string {
  return tell(limitTexts, limit);
}
