import { BrokenRule, type Check } from "../check.ts";
import { encodeFrame, fragments, opcodes, pingFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

const about = {
  reference: "RFC 6455 5.2",
  codes: [1002],
  nextStep: "Refuse every frame with an RSV bit set: no extension was negotiated.",
};

const opcodeAttempts = (numbers: readonly number[]) =>
  numbers.flatMap((opcode) => [
    { after: `a frame with the reserved opcode ${opcode}`, send: encodeFrame({ opcode, payload: echo() }) },
    { after: `an empty frame with the reserved opcode ${opcode}`, send: encodeFrame({ opcode }) },
  ]);

export const reservedChecks: readonly Check[] = [
  ...([4, 2, 1] as const).flatMap((rsv, i) =>
    violation({
      ...about,
      id: `reserved.rsv${i + 1}`,
      rule: `A frame with RSV${i + 1} set fails the connection.`,
      attempts: [{ after: `a text frame with RSV${i + 1} set`, send: textFrame(echo(), { rsv }) }],
    }),
  ),
  ...violation({
    ...about,
    id: "reserved.rsv-elsewhere",
    rule: "RSV bits in control and continuation frames fail the connection too.",
    attempts: [
      { after: "a ping with RSV1 set", send: encodeFrame({ opcode: opcodes.ping, payload: "p", rsv: 4 }) },
      { after: "a pong with RSV3 set", send: encodeFrame({ opcode: opcodes.pong, payload: "p", rsv: 1 }) },
      {
        after: "a continuation frame with RSV2 set",
        send: Buffer.concat([
          fragments([echo(), ""])[0] ?? Buffer.alloc(0),
          encodeFrame({ opcode: opcodes.continuation, rsv: 2 }),
        ]),
      },
    ],
  }),
  ...violation({
    ...about,
    id: "reserved.data-opcodes",
    rule: "Frames with the reserved data opcodes 3 to 7 fail the connection.",
    nextStep: "Accept the opcodes 0, 1, 2, 8, 9 and 10; refuse all others.",
    attempts: opcodeAttempts([3, 4, 5, 6, 7]),
  }),
  ...violation({
    ...about,
    id: "reserved.control-opcodes",
    rule: "Frames with the reserved control opcodes 11 to 15 fail the connection.",
    nextStep: "Accept the opcodes 0, 1, 2, 8, 9 and 10; refuse all others.",
    attempts: opcodeAttempts([11, 12, 13, 14, 15]),
  }),
  {
    id: "reserved.server",
    rule: "The server's frames have no RSV bit set.",
    reference: "RFC 6455 5.2",
    grade: "required",
    nextStep: "Send frames with RSV bits zero. Otherwise clients must fail the connection.",
    run: async (context) => {
      const connection = await context.open();
      for (const frame of [textFrame(echo()), textFrame(echo({ text: "x".repeat(2_000) })), pingFrame("p")]) {
        connection.send(frame);
        await connection.next();
      }
      const odd = connection.frames.find((frame) => frame.rsv !== 0);
      if (odd !== undefined)
        throw new BrokenRule("RSV bits of zero", `a frame with opcode ${odd.opcode} and RSV ${odd.rsv}`);
    },
  },
];
