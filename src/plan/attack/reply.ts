import { z } from "zod";
import type { ValueType } from "../value-type.ts";

/** How it is told which message a reply answers. */
export const replySchema = z.discriminatedUnion("kind", [
  /** It has the same bytes. */
  z.object({ kind: z.literal("echo") }),
  /** The value there is the message's `{{sequence}}` or `{{id}}` (RFC 6901). */
  z.object({ kind: z.literal("json"), pointer: z.string() }),
  /** So is the first group; without a group, a message that fits answers the oldest without an answer. */
  z.object({ kind: z.literal("regex"), pattern: z.string() }),
  /** Any message answers the oldest without an answer. */
  z.object({ kind: z.literal("order") }),
  /** Nothing is awaited. */
  z.object({ kind: z.literal("none") }),
  /** A pong of RFC 6455, section 5.5.3: what is sent are pings. */
  z.object({ kind: z.literal("ping") }),
  /** Whatever the adapter says. */
  z.object({ kind: z.literal("adapter") }),
  /** Whatever the scenario expects. */
  z.object({ kind: z.literal("scenario") }),
]);
export type ReplyPlan = z.infer<typeof replySchema>;

const expected = "echo, json:/pointer, regex:PATTERN, order, none or ping";

export function reply(): ValueType<ReplyPlan> {
  return {
    placeholder: "HOW",
    schema: replySchema,
    read: (text) => {
      const colon = text.indexOf(":");
      const kind = colon < 0 ? text : text.slice(0, colon);
      const rest = colon < 0 ? null : text.slice(colon + 1);
      if (rest === null && (kind === "echo" || kind === "order" || kind === "none" || kind === "ping")) {
        return { value: { kind } };
      }
      if (kind === "json" && rest !== null && isPointer(rest)) return { value: { kind, pointer: rest } };
      if (kind === "json") return { expected: "a JSON pointer that begins with a slash, such as json:/id" };
      if (kind !== "regex" || rest === null || rest === "") return { expected };
      try {
        new RegExp(rest, "u");
        return { value: { kind, pattern: rest } };
      } catch (error) {
        return { expected: `a regular expression after regex: (${(error as Error).message})` };
      }
    },
    write: writeReply,
  };
}

export function writeReply(value: ReplyPlan): string {
  if (value.kind === "json") return `json:${value.pointer}`;
  return value.kind === "regex" ? `regex:${value.pattern}` : value.kind;
}

/** RFC 6901, section 3. */
function isPointer(text: string): boolean {
  return /^(\/([^~/]|~[01])*)+$/u.test(text);
}
