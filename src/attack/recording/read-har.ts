import { z } from "zod";
import { ShowdownError } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import { describeIssues } from "../../text/zod-issues.ts";

/** What a browser saw of one WebSocket. */
export interface RecordedSocket {
  /** `ws://` or `wss://` */
  readonly url: string;
  /** Names of the request's headers, in lower case, and what they were. */
  readonly headers: ReadonlyMap<string, string>;
  /** In milliseconds since the epoch. */
  readonly openedMs: number;
  /** In order. */
  readonly messages: readonly RecordedMessage[];
}

export interface RecordedMessage {
  readonly isSent: boolean;
  readonly atMs: number;
  readonly isText: boolean;
  /** Of a binary message in base64. */
  readonly data: string;
}

const mostBytes = 256 << 20;
const mostProblems = 5;

/** As Chrome writes them: not of the HAR format's own, so that nobody else's fields are asked for. */
const messageSchema = z.object({
  type: z.enum(["send", "receive"]),
  /** In seconds since the epoch. */
  time: z.number().nonnegative(),
  opcode: z.int(),
  data: z.string(),
});
const entrySchema = z.object({
  startedDateTime: z.string().optional(),
  request: z.object({
    url: z.string(),
    headers: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
  }),
  _webSocketMessages: z.array(messageSchema).optional(),
});
const harSchema = z.object({ log: z.object({ entries: z.array(z.unknown()) }) });

/** RFC 6455, section 5.2: what else there is are control frames. */
const opcodes = { text: 1, binary: 2 } as const;

/**
 * The WebSockets of a browser's recording, the first that was opened first.
 *
 * @param file as errors name it
 * @throws {ShowdownError} `usage` for what is none, or has none
 */
export function readHar(bytes: Uint8Array, file: string): RecordedSocket[] {
  const name = printable(file);
  if (bytes.length > mostBytes) {
    throw new ShowdownError(
      "usage",
      `${name}: ${bytes.length >> 20} MiB, expected at most ${mostBytes >> 20}`,
    );
  }
  const { log } = check(harSchema, parse(bytes, name), name, "");
  const sockets = log.entries.flatMap((entry, at) => {
    // What is no WebSocket may be as it likes.
    if (!isWebSocket(entry)) return [];
    return [describeSocket(check(entrySchema, entry, name, `log.entries[${at}].`), name, at)];
  });
  if (sockets.length > 0) return sockets.sort((a, b) => a.openedMs - b.openedMs);
  throw new ShowdownError("usage", `${name}: none of its ${log.entries.length} entries is a WebSocket`, {
    hint: "open the developer tools of Chrome or Edge, load the page then, and save the network's log as HAR",
  });
}

function parse(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ShowdownError("usage", `${name}: it is no JSON, expected a HAR file`, { cause });
  }
}

function check<T>(schema: z.ZodType<T>, data: unknown, name: string, prefix: string): T {
  const { success, data: read, error } = schema.safeParse(data);
  if (success) return read;
  const problems = describeIssues(error, { most: mostProblems, data });
  throw new ShowdownError("usage", problems.map((one) => `${name}: ${prefix}${one}`).join("\n       "), {
    hint: "expected a HAR file as Chrome or Edge saves it",
  });
}

function isWebSocket(entry: unknown): boolean {
  const { request, _webSocketMessages: messages } = (entry ?? {}) as Record<string, unknown>;
  const { url } = (request ?? {}) as Record<string, unknown>;
  return Array.isArray(messages) || (typeof url === "string" && /^wss?:/i.test(url));
}

function describeSocket(entry: z.infer<typeof entrySchema>, name: string, at: number): RecordedSocket {
  const { request, startedDateTime = "", _webSocketMessages: all = [] } = entry;
  const where = `${name}: log.entries[${at}]`;
  // Firefox and older Chromes name the request that became one.
  const url = request.url.replace(/^http/i, "ws");
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
    throw new ShowdownError(
      "usage",
      `${where}.request.url: "${printable(url, { most: 80 })}" is no ws:// or wss://`,
    );
  }
  const messages = all
    .map(({ type, time, opcode, data }) => ({
      isSent: type === "send",
      atMs: time * 1000,
      isText: opcode === opcodes.text,
      isBinary: opcode === opcodes.binary,
      data,
    }))
    .filter(({ isText, isBinary }) => isText || isBinary);
  const wrong = messages.findIndex(({ isText, data }) => !isText && !isBase64(data));
  if (wrong >= 0) {
    throw new ShowdownError("usage", `${where}: binary message ${wrong + 1} is no base64`);
  }
  const openedMs = Date.parse(startedDateTime);
  return {
    url,
    headers: new Map((request.headers ?? []).map((one) => [one.name.toLowerCase(), one.value])),
    openedMs: Number.isNaN(openedMs) ? (messages[0]?.atMs ?? 0) : openedMs,
    messages: messages.map(({ isSent, atMs, isText, data }) => ({ isSent, atMs, isText, data })),
  };
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
