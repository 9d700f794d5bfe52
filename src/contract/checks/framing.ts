import { BrokenRule, type Check } from "../check.ts";
import { expectMessage } from "../expectations.ts";
import { textFrame } from "../frame.ts";
import { join, joined, say } from "../messages.ts";

export const framingChecks: readonly Check[] = [
  {
    id: "framing.declared",
    rule: "Messages share a WebSocket message only if the manifest declares newline framing.",
    reference: "contract, promises (framing)",
    grade: "required",
    nextStep: 'Declare "framing": "newline" in contender.json, or send each message by itself.',
    run: async (context) => {
      const room = context.room();
      const connections = [await context.open(), await context.open()];
      for (const connection of connections) {
        connection.send(textFrame(join(room)));
        await expectMessage(connection, joined(room), "the answer to join");
      }
      const count = 500;
      const frames = Array.from({ length: count }, (_, i) => textFrame(say(room, { seq: i + 1 })));
      connections[0]?.send(...frames);
      let most = 1;
      for (const connection of connections) {
        for (let i = 0; i < count; i++) {
          const arrival = await connection.next();
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
  },
];
