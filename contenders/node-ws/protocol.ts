/** What a text message asks for. `echo` and `say` carry no body: the server passes on the bytes it received. */
export type Request =
  | { readonly type: "join"; readonly room: string }
  | { readonly type: "echo" }
  | { readonly type: "say"; readonly room: string }
  | { readonly type: "crash" }
  | { readonly type: "invalid"; readonly reason: string };

/** Finds out what a message, valid UTF-8, asks for; never throws. */
export type Route = (message: Buffer) => Request;

const roomName = /^[A-Za-z0-9._-]{1,64}$/;
const echo: Request = { type: "echo" };
const crash: Request = { type: "crash" };
const invalid = (reason: string): Request => ({ type: "invalid", reason });

const badJson = invalid("expected a JSON object");
const badRoom = invalid("room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -");
const badFields = invalid("expected from (string), seq and at (integers) and text (string)");
const badType = invalid("type: expected join, echo, say or crash");

/** Routes by the parsed JSON. */
export const parseRoute: Route = (message) => {
  const value = parseObject(message);
  if (value === undefined) return badJson;
  switch (value.type) {
    case "join":
      return isRoomName(value.room) ? { type: "join", room: value.room } : badRoom;
    case "echo":
      return hasEnvelope(value) ? echo : badFields;
    case "say":
      if (!isRoomName(value.room)) return badRoom;
      return hasEnvelope(value) ? { type: "say", room: value.room } : badFields;
    case "crash":
      return crash;
    default:
      return badType;
  }
};

type Fields = Readonly<Partial<Record<"type" | "room" | "from" | "seq" | "at" | "text", unknown>>>;

function parseObject(message: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(message.toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRoomName(room: unknown): room is string {
  return typeof room === "string" && roomName.test(room);
}

function hasEnvelope({ from, seq, at, text }: Fields): boolean {
  return (
    typeof from === "string" && Number.isInteger(seq) && Number.isInteger(at) && typeof text === "string"
  );
}

const joinHead = '{"type":"join","room":"';
const echoHead = '{"type":"echo","from":"';
const sayHead = '{"type":"say","room":"';
const sayTail = '","from":"';
/** The longest beginning that says all about a message: a `say` into a room of 64 characters. */
const headBytes = sayHead.length + 64 + sayTail.length;

/** Routes by the leading bytes, which the contract's key order allows; what follows them is not looked at. */
export const prefixRoute: Route = (message) => {
  // Everything compared is ASCII, so one byte a character will do.
  const head = message.toString("latin1", 0, headBytes);
  if (head.startsWith(echoHead)) return echo;
  if (head.startsWith(sayHead)) {
    const end = head.indexOf('"', sayHead.length);
    const room = head.slice(sayHead.length, end);
    if (end === -1 || !roomName.test(room)) return badRoom;
    return head.startsWith(sayTail, end) ? { type: "say", room } : badFields;
  }
  if (head.startsWith(joinHead)) {
    const room = head.slice(joinHead.length, -2);
    const isWhole = message.length === head.length && head.endsWith('"}');
    return isWhole && roomName.test(room) ? { type: "join", room } : badRoom;
  }
  return message.length === head.length && head === '{"type":"crash"}' ? crash : badType;
};

export const joined = (room: string): Buffer => Buffer.from(`{"type":"joined","room":"${room}"}`);
export const error = (reason: string): Buffer => Buffer.from(JSON.stringify({ type: "error", reason }));
