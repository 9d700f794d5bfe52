/** What a text message asks for. `echo` and `say` carry no body: the server passes on the text it received. */
export type Request =
  | { readonly type: "join"; readonly room: string }
  | { readonly type: "echo" }
  | { readonly type: "say"; readonly room: string }
  | { readonly type: "crash" }
  | { readonly type: "invalid"; readonly reason: string };

/** Finds out what a message asks for; never throws. */
export type Route = (text: string) => Request;

const roomName = /^[A-Za-z0-9._-]{1,64}$/;
const echo: Request = { type: "echo" };
const crash: Request = { type: "crash" };
const invalid = (reason: string): Request => ({ type: "invalid", reason });

const badRoom = invalid("room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -");
const badFields = invalid("expected from (string), seq and at (integers) and text (string)");
const unknownType = invalid("type: expected join, echo, say or crash");

/** Routes by the parsed JSON: any spelling of a valid object is accepted, any other input is named for what it is. */
export const parseRoute: Route = (text) => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid("expected a JSON object");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid("expected a JSON object");
  }
  const { type, room, from, seq, at, text: padding } = value as Record<string, unknown>;
  const isRoom = typeof room === "string" && roomName.test(room);
  const hasFields =
    typeof from === "string" && Number.isInteger(seq) && Number.isInteger(at) && typeof padding === "string";
  switch (type) {
    case "join":
      return isRoom ? { type, room } : badRoom;
    case "echo":
      return hasFields ? echo : badFields;
    case "say":
      if (!isRoom) return badRoom;
      return hasFields ? { type, room } : badFields;
    case "crash":
      return crash;
    default:
      return unknownType;
  }
};

const joinHead = '{"type":"join","room":"';
const echoHead = '{"type":"echo","from":"';
const sayHead = '{"type":"say","room":"';
const sayTail = '","from":"';

/** Routes by the leading characters, which the contract's key order allows; what follows them is not looked at. */
export const prefixRoute: Route = (text) => {
  if (text.startsWith(echoHead)) return echo;
  if (text.startsWith(sayHead)) {
    const end = text.indexOf('"', sayHead.length);
    const room = text.slice(sayHead.length, end);
    if (end === -1 || !roomName.test(room)) return badRoom;
    return text.startsWith(sayTail, end) ? { type: "say", room } : badFields;
  }
  if (text.startsWith(joinHead)) {
    const room = text.slice(joinHead.length, -2);
    return text.endsWith('"}') && roomName.test(room) ? { type: "join", room } : badRoom;
  }
  return text === '{"type":"crash"}' ? crash : unknownType;
};

export const joined = (room: string): string => `{"type":"joined","room":"${room}"}`;
export const error = (reason: string): string => JSON.stringify({ type: "error", reason });
