import { BrokenRule, type Check, required } from "../check.ts";
import { continuationFrame, encodeFrame, pingFrame, pongFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { type Attempt, violation } from "./violation.ts";

const refuseBits = "Refuse every frame with an RSV bit set: no extension was negotiated.";
const refuseOpcodes = "Accept the opcodes 0, 1, 2, 8, 9 and 10; refuse all others.";

const framesWith = (opcodes: readonly number[]) =>
  opcodes.flatMap((opcode): Attempt[] => [
    [`a frame with the reserved opcode ${opcode}`, encodeFrame({ opcode, payload: echo() })],
    [`an empty frame with the reserved opcode ${opcode}`, encodeFrame({ opcode })],
  ]);

export const reservedChecks: readonly Check[] = [
  ...([4, 2, 1] as const).flatMap((rsv, i) =>
    violation(`reserved.rsv${i + 1}`, "RFC 6455 5.2", {
      rule: `A frame with RSV${i + 1} set fails the connection.`,
      nextStep: refuseBits,
      attempts: [[`a text frame with RSV${i + 1} set`, textFrame(echo(), { rsv })]],
    }),
  ),
  ...violation("reserved.rsv-elsewhere", "RFC 6455 5.2", {
    rule: "RSV bits in control and continuation frames fail the connection too.",
    nextStep: refuseBits,
    attempts: [
      ["a ping with RSV1 set", pingFrame("p", { rsv: 4 })],
      ["a pong with RSV3 set", pongFrame("p", { rsv: 1 })],
      [
        "a continuation frame with RSV2 set",
        Buffer.concat([textFrame(echo(), { fin: false }), continuationFrame("", { rsv: 2 })]),
      ],
    ],
  }),
  ...violation("reserved.data-opcodes", "RFC 6455 5.2", {
    rule: "Frames with the reserved data opcodes 3 to 7 fail the connection.",
    nextStep: refuseOpcodes,
    attempts: framesWith([3, 4, 5, 6, 7]),
  }),
  ...violation("reserved.control-opcodes", "RFC 6455 5.2", {
    rule: "Frames with the reserved control opcodes 11 to 15 fail the connection.",
    nextStep: refuseOpcodes,
    attempts: framesWith([11, 12, 13, 14, 15]),
  }),
  required("reserved.server", "RFC 6455 5.2", {
    rule: "The server's frames have no RSV bit set.",
    nextStep: "Send frames with RSV bits zero. Otherwise clients must fail the connection.",
    talk: async (connection) => {
      for (const frame of [textFrame(echo()), textFrame(echo({ text: "x".repeat(2_000) })), pingFrame("p")]) {
        connection.send(frame);
        await connection.next();
      }
      const odd = connection.frames.find((frame) => frame.rsv !== 0);
      if (odd !== undefined)
        throw new BrokenRule("RSV bits of zero", `a frame with opcode ${odd.opcode} and RSV ${odd.rsv}`);
    },
  }),
];
