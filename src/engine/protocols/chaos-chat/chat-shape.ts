import { echoRoom } from "../protocol.ts";
import { encodeKeys, type MessageShape } from "./message-format.ts";

const keys = encodeKeys('","seq":', ',"at":', ',"text":"');

/** Rooms are numbers here and names on the wire: 0 is the lobby. */
export function roomName(room: number): string {
  return room === 0 ? "lobby" : `r${room}`;
}

/** Null when no room has that name. */
export function roomNumber(name: unknown): number | null {
  if (typeof name !== "string") return null;
  const digits = /^r(\d{1,9})$/.exec(name)?.[1];
  return name === roomName(0) ? 0 : digits === undefined ? null : Number(digits);
}

/** The contract's `echo` and `say`. */
export function chatShape(room: number): MessageShape {
  const type = room === echoRoom ? '"echo"' : `"say","room":"${roomName(room)}"`;
  return { prefix: `{"type":${type},"from":"c`, keys, suffix: '"}' };
}
