import { BrokenRule, type Check } from "../check.ts";
import { expectMessage } from "../expectations.ts";
import { closeFrame, encodeFrame, opcodes, pingFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

export const maskingChecks: readonly Check[] = [
  ...violation({
    id: "masking.unmasked",
    rule: "An unmasked client frame fails the connection.",
    reference: "RFC 6455 5.1",
    nextStep: "Check the mask bit of every frame, also of control frames.",
    codes: [1002],
    attempts: [
      { after: "an unmasked text frame", send: textFrame(echo(), { mask: false }) },
      { after: "an unmasked empty text frame", send: textFrame("", { mask: false }) },
      { after: "an unmasked ping", send: encodeFrame({ opcode: opcodes.ping, payload: "p", mask: false }) },
      { after: "an unmasked pong", send: encodeFrame({ opcode: opcodes.pong, payload: "p", mask: false }) },
    ],
  }),
  {
    id: "masking.keys",
    rule: "Every masking key works, also zero, for payloads of any length.",
    reference: "RFC 6455 5.3",
    grade: "required",
    nextStep: "Mask byte i with byte i mod 4 of the key. Check lengths that are no multiple of 4 or 8.",
    run: async (context) => {
      const connection = await context.open();
      const keys = ["00000000", "ffffffff", "01020304", "80000000", "000000ff"];
      for (let extra = 0; extra < 20; extra++) {
        const message = echo({ text: "x".repeat(extra) });
        const mask = Buffer.from(keys[extra % keys.length] ?? "", "hex");
        connection.send(textFrame(message, { mask }));
        await expectMessage(connection, message);
      }
    },
  },
  {
    id: "masking.server",
    rule: "The server's frames are never masked.",
    reference: "RFC 6455 5.1",
    grade: "required",
    nextStep:
      "Send frames with the mask bit clear and without a key. Otherwise clients must fail the connection.",
    run: async (context) => {
      const connection = await context.open();
      for (const frame of [textFrame(echo()), textFrame("junk"), pingFrame("p"), closeFrame(1000)]) {
        connection.send(frame);
        await connection.next();
      }
      const masked = connection.frames.find((frame) => frame.masked);
      if (masked !== undefined)
        throw new BrokenRule("unmasked frames only", `a masked frame with opcode ${masked.opcode}`);
    },
  },
];
