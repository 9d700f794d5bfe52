import { BrokenRule, type Check, required } from "../check.ts";
import { openMembers } from "../expectations.ts";
import { textFrame } from "../frame.ts";
import { say } from "../messages.ts";

export const framingChecks: readonly Check[] = [
  required("framing.declared", "contract, promises (framing)", {
    rule: "Messages share a WebSocket message only if the manifest declares newline framing.",
    nextStep: 'Declare "framing": "newline" in contender.json, or send each message by itself.',
    run: async (context) => {
      const room = context.room();
      const members = await openMembers(context, room, 2);
      const frames = Array.from({ length: 500 }, (_, i) => textFrame(say(room, { seq: i + 1 })));
      members[0]?.send(...frames);
      let most = 1;
      for (const member of members) {
        for (let i = 0; i < frames.length; i++) {
          const arrival = await member.next();
          if (arrival.kind !== "message") break;
          most = Math.max(most, arrival.together);
        }
      }
      if (context.framing === "single" && most > 1)
        throw new BrokenRule(
          "one message per WebSocket message",
          `up to ${most} in one, separated by newlines`,
        );
    },
  }),
];
