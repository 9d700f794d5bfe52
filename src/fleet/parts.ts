import type { Bus } from "./bus.ts";
import type { Message, MessageOf } from "./messages.ts";

/** What is too large for one message is kept on the bus in parts, each under a subject of its own. */
type Piece = MessageOf<"final" | "bundle">;

/** @returns whether all of it is on the bus now */
export async function keepParts(
  bus: Bus,
  parts: readonly string[],
  place: (part: number, data: string) => { readonly subject: string; readonly message: Message },
): Promise<boolean> {
  for (const [part, data] of parts.entries()) {
    const { subject, message } = place(part, data);
    if (!(await bus.keep(subject, message))) return false;
  }
  return true;
}

/** @returns null where one of them is not there */
export async function findParts(
  bus: Bus,
  kind: Piece["kind"],
  subjectOf: (part: number) => string,
): Promise<string[] | null> {
  const parts: string[] = [];
  for (let part = 0, count = 1; part < count; part += 1) {
    const found = await bus.find(subjectOf(part));
    if (found?.kind !== kind) return null;
    count = found.parts;
    parts.push(found.data);
  }
  return parts;
}
