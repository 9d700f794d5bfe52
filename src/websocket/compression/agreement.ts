/** What is asked of the server. */
export interface CompressionOffer {
  /** Whether each message may refer to those before it, in both directions, as browsers offer it. */
  readonly takeover: boolean;
}

/** What permessage-deflate (RFC 7692) was agreed to be. */
export interface Compression {
  readonly server: DirectionTerms;
  readonly client: DirectionTerms;
}

/** Of the messages of one side. */
export interface DirectionTerms {
  readonly takeover: boolean;
  /** The base-2 logarithm of the LZ77 window's bytes: 8 to 15, and from 9 on for the client. */
  readonly windowBits: number;
}

/** What of RFC 7692 section 7.1 an answer broke. */
export type ExtensionRule =
  | "unoffered-extension"
  | "malformed-extension"
  | "extension-parameter"
  | "client-window-bits-8"
  | "server-context-takeover";

const extension = "permessage-deflate";
const mostWindowBits = 15;
/** Parameters without a value. */
const flags = new Set(["server_no_context_takeover", "client_no_context_takeover"]);

/** The value of `Sec-WebSocket-Extensions` in the request. */
export function formatOffer({ takeover }: CompressionOffer): string {
  // Chromium and Firefox offer this. Without takeover neither side keeps anything between two messages.
  return takeover
    ? `${extension}; client_max_window_bits`
    : `${extension}; client_no_context_takeover; server_no_context_takeover`;
}

/**
 * Reads the value of `Sec-WebSocket-Extensions` in the answer (RFC 7692 section 7.1: a client fails the connection
 * over anything that it did not offer, does not know, or cannot do).
 */
export function readAgreement(answer: string, offer: CompressionOffer | null): Compression | ExtensionRule {
  if (offer === null) return "unoffered-extension";
  const extensions = splitList(answer, ",");
  const [name = "", ...parameters] = splitList(extensions[0] ?? "", ";");
  if (name === "") return "malformed-extension";
  if (name !== extension || extensions.length > 1) return "unoffered-extension";
  const values = readParameters(parameters);
  if (values === null) return "malformed-extension";

  let serverBits = mostWindowBits;
  let clientBits = mostWindowBits;
  for (const [parameter, value] of values) {
    const bits = readWindowBits(value);
    if (parameter === "server_max_window_bits" && bits !== null) serverBits = bits;
    // Only who was offered it may answer with it (section 7.1.2.2).
    else if (parameter === "client_max_window_bits" && bits !== null && offer.takeover) clientBits = bits;
    else if (!flags.has(parameter) || value !== null) return "extension-parameter";
  }
  // zlib can't: asked for 8 bits, it deflates with 9 (zlib issue 171).
  if (clientBits === 8) return "client-window-bits-8";
  const server = { takeover: !values.has("server_no_context_takeover"), windowBits: serverBits };
  // Who accepts that offer says so (section 7.1.1.1); there would be nothing to inflate its messages with.
  if (server.takeover && !offer.takeover) return "server-context-takeover";
  const takesOver = offer.takeover && !values.has("client_no_context_takeover");
  return { server, client: { takeover: takesOver, windowBits: clientBits } };
}

/** By their names, null where one has no value; null when the list breaks the grammar or names one twice. */
function readParameters(parameters: readonly string[]): ReadonlyMap<string, string | null> | null {
  const values = new Map<string, string | null>();
  for (const parameter of parameters) {
    const match = /^([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:([!#$%&'*+.^_`|~\w-]+)|"([^"\\]*)"))?$/.exec(
      parameter,
    );
    const name = match?.[1];
    if (match === null || name === undefined || values.has(name)) return null;
    values.set(name, match[2] ?? match[3] ?? null);
  }
  return values;
}

/** A decimal number from 8 to 15 without leading zeros (section 7.1.2); null where it is none. */
function readWindowBits(value: string | null): number | null {
  return value !== null && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : null;
}

function splitList(text: string, separator: string): string[] {
  return text.split(separator).map((part) => part.trim());
}
