import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isLoopback } from "../contenders/address.ts";
import { ShowdownError } from "../errors.ts";
import { readTlsTrust, type TlsTrust } from "../process/tls.ts";
import { printable } from "../text/printable.ts";
import { hideSecrets } from "../text/secrets.ts";

/** `--bus-…`, as typed. */
export interface BusOptions {
  readonly "bus-creds"?: string;
  readonly "bus-ca"?: string;
  readonly "bus-cert"?: string;
  readonly "bus-key"?: string;
  readonly "insecure-bus"?: boolean;
}

/** Where the bus is, and who one is there. It holds secrets. */
export interface BusAddress {
  /** Without secrets. */
  readonly shown: string;
  /** Each `host:port`. */
  readonly servers: readonly string[];
  readonly login:
    | { readonly kind: "none" }
    | { readonly kind: "token"; readonly token: string }
    | { readonly kind: "user"; readonly user: string; readonly pass: string }
    /** The text of a `.creds` file. */
    | { readonly kind: "creds"; readonly text: string };
  /** Null where TLS is spoken only if the server insists. */
  readonly tls: TlsTrust | null;
  /** What its owner should know of it. */
  readonly warnings: readonly string[];
}

const usualPort = 4222;
const example = "nats://127.0.0.1:4222, nats://TOKEN@HOST:4222 or tls://HOST:4222";

/**
 * Reads where the bus is. Who reaches it can command every agent, so anything but loopback needs a login.
 *
 * @param text one URL of NATS, or several with commas between them
 * @param folder that paths of files are relative to
 * @throws {ShowdownError} `usage`
 */
export function readBusAddress(text: string, options: BusOptions, folder: string): BusAddress {
  const shown = printable(hideSecrets(text), { most: 200 });
  const urls = text.split(",").map((part) => URL.parse(part.trim()));
  const isKnown = (url: URL | null): url is URL =>
    url !== null && /^(nats|tls):$/.test(url.protocol) && url.hostname !== "" && /^\/?$/.test(url.pathname);
  if (!urls.every(isKnown)) {
    throw new ShowdownError("usage", `${shown}: expected the address of a NATS server, such as ${example}`);
  }
  const [first] = urls as [URL, ...URL[]];
  const login = readLogin(first, options, folder);
  const hasFiles = options["bus-ca"] !== undefined || options["bus-cert"] !== undefined;
  const isTls = hasFiles || urls.some(({ protocol }) => protocol === "tls:");
  const { "bus-ca": ca, "bus-cert": cert, "bus-key": key } = options;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const tls = isTls ? readTlsTrust(files, folder) : null;
  const isNear = urls.every(({ hostname }) => isLoopback({ host: hostname.replace(/^\[|\]$/g, "") }));
  const isOpen = login.kind === "none" && tls?.cert == null;
  if (isOpen && !isNear && options["insecure-bus"] !== true) {
    throw new ShowdownError(
      "usage",
      `${shown}: whoever reaches this bus can command its agents; expected a token, a user or --bus-creds`,
      {
        hint: "give nats://TOKEN@HOST or --bus-creds FILE; or --insecure-bus, where nobody else can reach it",
      },
    );
  }
  return {
    shown,
    servers: urls.map(({ hostname, port }) => `${hostname}:${port === "" ? usualPort : port}`),
    login,
    tls,
    warnings: isNear
      ? []
      : [
          ...(isOpen
            ? ["--insecure-bus: whoever reaches this bus can command its agents, and read what is sent"]
            : []),
          ...(isTls || isOpen
            ? []
            : ["the bus may be without TLS: headers and messages can be read on the way"]),
        ],
  };
}

function readLogin(
  { username, password }: URL,
  { "bus-creds": creds }: BusOptions,
  folder: string,
): BusAddress["login"] {
  if (creds !== undefined) return { kind: "creds", text: readCreds(creds, folder) };
  if (username === "") return { kind: "none" };
  const user = decodeURIComponent(username);
  return password === ""
    ? { kind: "token", token: user }
    : { kind: "user", user, pass: decodeURIComponent(password) };
}

/** A JSON Web Token, and the seed of the user's key. */
const credsParts = [/^[\w-]+\.[\w-]+\.[\w-]+\s*$/m, /^SU[A-Z2-7]{56}\s*$/m];

function readCreds(file: string, folder: string): string {
  const refuse = (problem: string, cause?: unknown) =>
    new ShowdownError("usage", `--bus-creds ${printable(file)}: ${problem}`, {
      hint: "expected a .creds file of NATS",
      cause,
    });
  let text: string;
  try {
    text = readFileSync(resolve(folder, file), "utf8");
  } catch (cause) {
    throw refuse(printable((cause as Error).message, { most: 200 }), cause);
  }
  if (credsParts.every((part) => part.test(text))) return text;
  throw refuse("there are no credentials of a user in it");
}
