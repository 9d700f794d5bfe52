import { isIP } from "node:net";
import { readUrl, showUrl } from "../contenders/address.ts";
import { lookUp, type Target, targetAt } from "../engine/target.ts";
import { ShowdownError } from "../errors.ts";
import type { AttackTarget } from "../plan/attack/plan.ts";
import { readTlsTrust, type TlsOptions } from "../process/tls.ts";
import { printable } from "../text/printable.ts";
import { hideSecrets } from "../text/secrets.ts";
import { authority } from "../websocket/handshake.ts";

/** What is said of the server and of every upgrade, as typed. */
export interface TargetOptions extends TlsOptions {
  /** Each `NAME: VALUE`. */
  readonly header?: readonly string[];
  /** Each `NAME=VALUE`. */
  readonly cookie?: readonly string[];
  readonly origin?: string;
  readonly subprotocol?: readonly string[];
}

/** The server that an attack goes to. */
export interface AskedTarget {
  /** For the plan, and so for everyone to read. */
  readonly target: AttackTarget;
  /** What connections are opened with. It holds secrets as often as not, and is in no plan and no result. */
  readonly access: Target;
}

/**
 * Reads the URL, and looks its name up. Opens no connection: of several addresses the plan has the first until
 * `settleAddress`.
 *
 * @param usual what an adapter has in place of what neither URL nor options say
 * @param folder that paths of files are relative to
 * @throws {ShowdownError} `usage`
 */
export async function readTarget(
  url: string,
  options: TargetOptions,
  usual: { readonly path?: string | undefined; readonly subprotocols?: readonly string[] },
  folder: string,
): Promise<AskedTarget> {
  const server = readUrl(url, readTlsTrust(options, folder), usual.path);
  const { host, port, path, tls } = server;
  const headers = readHeaders(options);
  const subprotocols = options.subprotocol ?? usual.subprotocols ?? [];
  for (const name of subprotocols) {
    if (!isToken(name)) {
      throw new ShowdownError(
        "usage",
        `--subprotocol ${printable(name)}: expected a name without blanks or commas`,
      );
    }
  }
  const addresses = await lookUp(host, "usage");
  const [address] = addresses;
  const access = targetAt(address, server);
  const ownsHost = Object.keys(headers).some((name) => name.toLowerCase() === "host");
  return {
    access: {
      ...access,
      headers: ownsHost ? headers : { ...access.headers, ...headers },
      subprotocols,
    },
    target: {
      ...{ url: hideSecrets(url), host, port, path: hideSecrets(path), address, addresses },
      tls:
        tls === null
          ? null
          : {
              verify: tls.verify,
              serverName: tls.serverName,
              ownAuthority: tls.ca !== null,
              clientCertificate: tls.cert !== null,
            },
      subprotocols,
      headers: Object.keys(headers),
    },
  };
}

/** Those of the handshake itself can't be given, but for Host. */
const reserved = [
  "upgrade",
  "connection",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
];

function readHeaders({ header = [], cookie = [], origin }: TargetOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of header) {
    const [, name = "", value = ""] = /^([^:]+):\s*(.*)$/s.exec(line) ?? [];
    const shown = printable(name === "" ? line : name, { most: 60 });
    if (!isToken(name) || !isHeaderValue(value)) {
      throw new ShowdownError("usage", `--header ${shown}: expected NAME: VALUE, without line breaks`);
    }
    const lower = name.toLowerCase();
    if (lower === "sec-websocket-protocol") {
      throw new ShowdownError("usage", `--header ${shown}: expected --subprotocol NAME in its place`);
    }
    if (lower === "sec-websocket-extensions") {
      throw new ShowdownError("usage", `--header ${shown}: expected --compression MODE in its place`);
    }
    if (reserved.includes(lower)) {
      throw new ShowdownError("usage", `--header ${shown}: the handshake has its own`);
    }
    const known = Object.keys(headers).find((one) => one.toLowerCase() === lower);
    // A repeated header is one with a list (RFC 9110, section 5.3).
    headers[known ?? name] = known === undefined ? value : `${headers[known]}, ${value}`;
  }
  if (cookie.some((one) => !/^[^=;\s]+=[^;]*$/.test(one) || !isHeaderValue(one))) {
    throw new ShowdownError("usage", "--cookie: expected NAME=VALUE");
  }
  if (cookie.length > 0) headers.Cookie = cookie.join("; ");
  if (origin !== undefined) {
    if (!isHeaderValue(origin))
      throw new ShowdownError("usage", `--origin ${printable(origin)}: expected a URL`);
    headers.Origin = origin;
  }
  return headers;
}

/** RFC 9110, section 5.6.2. */
function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

function isHeaderValue(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  return !/[\x00-\x08\x0a-\x1f\x7f]/.test(text);
}

/** Of a name's addresses so many are named. */
const mostNamed = 3;

/** `ws://example.org/chat (192.0.2.7:80 or 192.0.2.8:80)` */
export function describeTarget({ url, host, addresses, port }: AttackTarget): string {
  if (isIP(host) !== 0) return showUrl(url);
  const named = addresses.slice(0, mostNamed).map((address) => authority(address, port));
  const more = addresses.length - named.length;
  return `${showUrl(url)} (${[...named, ...(more > 0 ? [`${more} more`] : [])].join(" or ")})`;
}
