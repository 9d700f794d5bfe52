import type { ConnectionFailure, Exit, Failures, Limit } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";

/** Longer than this, what a server says hides what the tool says. */
const most = 120;

/** Why a connection did not open, or did not stay open: `HTTP 503`, `closed (1011 "overload")`. */
export function describeFailure(failure: ConnectionFailure): string {
  switch (failure.kind) {
    case "system":
      return failure.address === null
        ? printable(failure.code, { most })
        : `${printable(failure.code, { most })} (${printable(failure.address, { most })})`;
    case "generator-descriptors":
      return "generator out of descriptors";
    case "timeout":
      return `timed out waiting for ${stages[failure.stage]}`;
    case "http":
      return `HTTP ${failure.status}`;
    case "protocol":
      return `protocol error (${printable(failure.rule, { most })})`;
    case "close": {
      const code = failure.code === 1005 ? "no code" : String(failure.code);
      return failure.reason === ""
        ? `closed (${code})`
        : `closed (${code} "${printable(failure.reason, { most })}")`;
    }
    case "reset":
      return "connection reset";
    case "ended":
      return "connection ended without a close frame";
    case "not-attempted":
      return "not attempted after the limit was reached";
    case "other":
      return `${format.plural(failure.distinct, "other reason")}`;
  }
}

const stages = {
  tcp: "the TCP connection",
  tls: "the TLS handshake",
  upgrade: "the upgrade",
  join: "the join",
} as const;

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

/** What kept connections from opening: `the server's descriptor limit (20,000 per process)`. */
export function describeLimit(limit: Limit): string {
  switch (limit.kind) {
    case "server-descriptors":
      return `the server's descriptor limit (${format.formatCount(limit.perProcess)} per process)`;
    case "generator-descriptors": {
      const each = limit.perProcess === null ? "" : `${format.formatCount(limit.perProcess)} per process, `;
      return `the generator's descriptor limit (${each}${format.plural(limit.workers, "worker")})`;
    }
    case "port-range": {
      const ports = limit.ports === null ? "" : `${format.formatCount(limit.ports)} ports, `;
      return `the generator's port range (${ports}${format.formatCount(limit.sourceAddresses)} source address${limit.sourceAddresses === 1 ? "" : "es"})`;
    }
    case "memory":
      return `this machine's memory (${format.formatShare(limit.freeShare)} free)`;
    case "refused":
      return `the server refused the rest: ${describeFailure(limit.failure)}`;
    case "accept-queue": {
      const length = limit.length === null ? "" : ` of ${format.formatCount(limit.length)}`;
      return `the accept queue${length}, which overflowed ${format.plural(limit.overflows, "time")}`;
    }
    case "unresponsive":
      return limit.failure === null
        ? "the server no longer answered"
        : `no known limit: ${describeFailure(limit.failure)}`;
  }
}
