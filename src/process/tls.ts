import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { ShowdownError } from "../errors.ts";
import { printable } from "../text/printable.ts";

/** Whom TLS trusts and who it says it is: plain data, with all files read. */
export interface TlsTrust {
  /** Certificates in PEM; null for those that the system trusts. */
  readonly ca: string | null;
  /** The client's own certificate with its chain, and its key, in PEM; both or neither. */
  readonly cert: string | null;
  readonly key: string | null;
  /** Whether the server's certificate has to be right. */
  readonly verify: boolean;
}

/** How TLS is spoken with one server. */
export interface Tls extends TlsTrust {
  /** What the certificate has to be for: a name, which is also sent (SNI, RFC 6066 section 3), or an address. */
  readonly serverName: string;
}

/** What holds without any option. */
export const plainTrust: TlsTrust = { ca: null, cert: null, key: null, verify: true };

/** The application protocol that is offered (RFC 7301 section 6): a WebSocket is asked for in HTTP/1.1. */
export const alpnProtocol = "http/1.1";

/** What to do about a handshake that failed. */
export const tlsHint = "see --ca, --cert and --insecure";

/** `--insecure`, `--ca`, `--cert` and `--key`, as typed. */
export interface TlsOptions {
  readonly insecure?: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads what the options name.
 *
 * @param folder that paths are relative to
 * @throws {ShowdownError} `usage` for a file that can't be read, or that holds something else than it should
 */
export function readTlsTrust({ insecure, ca, cert, key }: TlsOptions, folder: string): TlsTrust {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ["--key", "--cert"] : ["--cert", "--key"];
    throw new ShowdownError("usage", `${given} without ${missing}: expected both, or neither`, {
      hint: "a certificate is of no use without its key",
    });
  }
  const read = (option: string, path: string | undefined, check: (pem: string) => void): string | null => {
    if (path === undefined) return null;
    try {
      const pem = readFileSync(resolve(folder, path), "utf8");
      check(pem);
      return pem;
    } catch (error) {
      const problem = printable(error instanceof Error ? error.message : String(error), { most: 200 });
      throw new ShowdownError("usage", `${option} ${printable(path)}: ${problem}`, {
        hint: option === "--key" ? "expected a private key in PEM, without a passphrase" : "expected PEM",
      });
    }
  };
  const checkCertificates = (pem: string) => {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) throw new Error("it holds no certificate");
    for (const block of blocks) new X509Certificate(block);
  };
  const trust = {
    ca: read("--ca", ca, checkCertificates),
    cert: read("--cert", cert, checkCertificates),
    key: read("--key", key, (pem) => void createPrivateKey(pem)),
    verify: insecure !== true,
  };
  if (trust.cert !== null && trust.key !== null) {
    const isPair = new X509Certificate(trust.cert).checkPrivateKey(createPrivateKey(trust.key));
    if (!isPair)
      throw new ShowdownError("usage", `--key ${printable(key ?? "")}: it isn't the key of --cert`);
  }
  return trust;
}

/** Null for an address: SNI is for names (RFC 6066 section 3). */
export function sniOf({ serverName }: Tls): string | null {
  return isIP(serverName) === 0 ? serverName : null;
}

/** For sockets, HTTP and WebSockets of Bun's own. */
export function bunTls(tls: Tls): {
  readonly rejectUnauthorized: boolean;
  readonly serverName?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
} {
  const { verify, ca, cert, key } = tls;
  const serverName = sniOf(tls);
  return {
    rejectUnauthorized: verify,
    // Without one the certificate is held against the address that is connected to.
    ...(serverName === null ? {} : { serverName }),
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
  };
}
