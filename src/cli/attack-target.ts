import { type Endpoint, findAddress, isNear } from "../attack/target.ts";
import { ShowdownError } from "../errors.ts";
import type { AttackPlan, AttackTarget } from "../plan/attack/plan.ts";
import { peakRate } from "../plan/attack/plan.ts";
import * as format from "../text/format.ts";
import { printable } from "../text/printable.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";

/** The server that an attack goes to, and what is sent with every upgrade: everything that options say of it. */
export interface AskedTarget {
  readonly target: AttackTarget;
  /** Not in the plan: they are secrets as often as not. */
  readonly headers: Readonly<Record<string, string>>;
}

/** More than this to somebody else's machine is asked for. */
const most = { connections: 1000, perSecond: 10_000 };

/**
 * Reads the URL, and looks its name up.
 *
 * @param path where the URL has none, as an adapter has it
 * @param subprotocols where no option names one
 * @throws {ShowdownError} `usage`
 */
export async function readTarget(
  url: string,
  values: OptionValues,
  {
    path,
    subprotocols = [],
  }: { readonly path?: string | undefined; readonly subprotocols?: readonly string[] } = {},
): Promise<AskedTarget> {
  const endpoint = readUrl(url, path);
  const headers = readHeaders(values);
  const names = values.subprotocol ?? subprotocols;
  for (const name of names) {
    if (!isToken(name)) {
      throw new ShowdownError(
        "usage",
        `--subprotocol ${printable(name)}: expected a name without blanks or commas`,
      );
    }
  }
  return {
    headers,
    target: {
      ...endpoint,
      ...(await findAddress(endpoint)),
      subprotocols: names,
      headers: Object.keys(headers),
    },
  };
}

function readUrl(text: string, usualPath = "/"): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : null;
  const shown = printable(text, { most: 200 });
  if (url?.protocol === "wss:") {
    throw new ShowdownError("usage", `${shown}: TLS is not supported yet, expected ws://`);
  }
  if (url === null || url.protocol !== "ws:" || url.hostname === "" || url.port === "0") {
    const isHttp = url !== null && /^https?:$/.test(url.protocol);
    throw new ShowdownError("usage", `${shown}: expected a URL such as ws://127.0.0.1:9001/`, {
      hint: isHttp ? `give ${printable(text.replace(/^http/i, "ws"), { most: 200 })}` : undefined,
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ShowdownError("usage", `${printable(url.host)}: expected a URL without a user's name`, {
      hint: "send it as --header 'Authorization: Basic …'",
    });
  }
  const path = `${url.pathname}${url.search}`;
  return {
    url: text,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    path: path === "/" ? usualPath : path,
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

function readHeaders({ header = [], cookie = [], origin }: OptionValues): Record<string, string> {
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

/** `ws://example.org/chat at 192.0.2.7:80 (the first of 2 addresses)` */
export function describeTarget({ url, host, address, addresses, port }: AttackTarget): string {
  if (address === host) return printable(url);
  const many = addresses.length > 1 ? `, the first of ${addresses.length} addresses` : "";
  return `${printable(url)} (${address.includes(":") ? `[${address}]` : address}:${port}${many})`;
}

/**
 * Makes sure that somebody meant a load that others would feel.
 *
 * @throws {ShowdownError} `usage` where it was not said, and there is nobody to ask
 */
export async function confirmLoad(plan: AttackPlan, { yes }: OptionValues, host: Host): Promise<void> {
  const { target, connections } = plan;
  const rate = peakRate(plan);
  const isHeavy = connections > most.connections || (rate ?? 0) > most.perSecond;
  if (yes || !isHeavy || isNear(target.address)) return;
  const load = `${format.plural(connections, "connection")}${rate === null ? "" : ` and ${format.formatCount(rate)} messages per second`}`;
  const what = `${load} to ${describeTarget(target)}, which is no machine of this network`;
  if ((await host.ask?.(`${what}. Go on?`)) === true) return;
  throw new ShowdownError("usage", `${what}: not without --yes`, {
    hint: "load only servers whose owner wants it",
  });
}
