import { BrokenRule, type Check, required } from "../check.ts";
import { expectMessage } from "../expectations.ts";
import { closeFrame, pingFrame, pongFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

export const maskingChecks: readonly Check[] = [
  ...violation("masking.unmasked", "RFC 6455 5.1", {
    rule: "An unmasked client frame fails the connection.",
    nextStep: "Check the mask bit of every frame, also of control frames.",
    attempts: [
      ["an unmasked text frame", textFrame(echo(), { mask: false })],
      ["an unmasked empty text frame", textFrame("", { mask: false })],
      ["an unmasked ping", pingFrame("p", { mask: false })],
      ["an unmasked pong", pongFrame("p", { mask: false })],
    ],
  }),
  required("masking.keys", "RFC 6455 5.3", {
    rule: "Every masking key works, also zero, for payloads of any length.",
    nextStep: "Mask byte i with byte i mod 4 of the key. Check lengths that are no multiple of 4 or 8.",
    talk: async (connection) => {
      const keys = ["00000000", "ffffffff", "01020304", "80000000", "000000ff"];
      for (let extra = 0; extra < 20; extra++) {
        const message = echo({ text: "x".repeat(extra) });
        const mask = Buffer.from(keys[extra % keys.length] ?? "", "hex");
        connection.send(textFrame(message, { mask }));
        await expectMessage(connection, message);
      }
    },
  }),
  required("masking.server", "RFC 6455 5.1", {
    rule: "The server's frames are never masked.",
    nextStep:
      "Send frames with the mask bit clear and without a key. Otherwise clients must fail the connection.",
    talk: async (connection) => {
      for (const frame of [textFrame(echo()), textFrame("junk"), pingFrame("p"), closeFrame(1000)]) {
        connection.send(frame);
        await connection.next();
      }
      const masked = connection.frames.find((frame) => frame.masked);
      if (masked !== undefined)
        throw new BrokenRule("unmasked frames only", `a masked frame with opcode ${masked.opcode}`);
    },
  }),
];
