/** What a text message asks for. `echo` and `say` carry no body: the server passes on the text it received. */
export type Request =
  | { readonly type: "join"; readonly room: string }
  | { readonly type: "echo" }
  | { readonly type: "say"; readonly room: string }
  | { readonly type: "crash" }
  | { readonly type: "invalid"; readonly reason: string };

const roomName = /^[A-Za-z0-9._-]{1,64}$/;
const echo: Request = { type: "echo" };
const crash: Request = { type: "crash" };
const invalid = (reason: string): Request => ({ type: "invalid", reason });

const badRoom = invalid("room: expected 1 to 64 characters out of A-Z a-z 0-9 . _ -");
const badFields = invalid("expected from (string), seq and at (integers) and text (string)");
const unknownType = invalid("type: expected join, echo, say or crash");

/** Finds out what a message asks for: any spelling of a valid object is accepted; never throws. */
export function parse(text: string): Request {
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
}

export const joined = (room: string): string => `{"type":"joined","room":"${room}"}`;
export const error = (reason: string): string => JSON.stringify({ type: "error", reason });
