/** The contract's messages as a client writes them: compact JSON, keys in the contract's order. */

/** The largest message every contender has to take, in bytes of payload. */
export const MAX_MESSAGE_BYTES = 65_536;

interface Stamp {
  readonly from?: string;
  readonly seq?: number;
  /** Intended send time, whole microseconds. */
  readonly at?: number;
  readonly text?: string;
}

export const join = (room: string): string => JSON.stringify({ type: "join", room });
export const joined = (room: string): string => JSON.stringify({ type: "joined", room });

export function echo({ from = "c1", seq = 1, at = 0, text = "" }: Stamp = {}): string {
  return JSON.stringify({ type: "echo", from, seq, at, text });
}

export function say(room: string, { from = "c1", seq = 1, at = 0, text = "" }: Stamp = {}): string {
  return JSON.stringify({ type: "say", room, from, seq, at, text });
}

/** `echo` and `say` whose `text` is the given JSON, quotes included, to send what JSON.stringify never writes. */
export const echoRaw = (textJson: string): string => echo().replace(/""}$/, () => `${textJson}}`);
export const sayRaw = (room: string, textJson: string): string =>
  say(room).replace(/""}$/, () => `${textJson}}`);

/** An echo of exactly that many bytes. */
export function echoOfBytes(bytes: number): string {
  return echo({ text: "x".repeat(bytes - Buffer.byteLength(echo())) });
}

/** A say of exactly that many bytes. */
export function sayOfBytes(room: string, bytes: number): string {
  return say(room, { text: "x".repeat(bytes - Buffer.byteLength(say(room))) });
}

/** An echo around bytes that no string can hold, such as invalid UTF-8. */
export function echoAround(textBytes: Uint8Array): Buffer {
  const whole = echo();
  return Buffer.concat([Buffer.from(whole.slice(0, -2)), textBytes, Buffer.from('"}')]);
}

/** The reason of an `error` reply, or undefined for any other message. */
export function errorReason(message: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (!("type" in value) || value.type !== "error" || !("reason" in value)) return undefined;
  return typeof value.reason === "string" ? value.reason : undefined;
}
