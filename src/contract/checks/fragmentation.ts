import type { Check } from "../check.ts";
import { expectMessage, expectPong } from "../expectations.ts";
import { cut, encodeFrame, fragments, opcodes, pingFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

const about = {
  reference: "RFC 6455 5.4",
  grade: "required",
  nextStep: "Collect the payloads of all frames until FIN, then handle them as one message.",
} as const;

const message = echo({ text: "a message in several frames" });
const continuation = (fin: boolean) => encodeFrame({ opcode: opcodes.continuation, payload: "x", fin });
const firstFragment = textFrame(message.slice(0, 10), { fin: false });

export const fragmentationChecks: readonly Check[] = [
  {
    ...about,
    id: "fragmentation.parts",
    rule: "A fragmented message is reassembled, whatever the number of frames and their timing.",
    run: async (context) => {
      const connection = await context.open();
      for (const size of [30, 7, 1]) {
        const frames = fragments(cut(Buffer.from(message), size));
        connection.send(...frames);
        await expectMessage(connection, message);
        await connection.sendApart(frames);
        await expectMessage(connection, message);
      }
      await connection.sendApart(cut(Buffer.concat(fragments(cut(Buffer.from(message), 20))), 1));
      await expectMessage(connection, message);
    },
  },
  {
    ...about,
    id: "fragmentation.empty-parts",
    rule: "Any fragment may be empty: first, last or in between.",
    run: async (context) => {
      const connection = await context.open();
      for (const parts of [
        ["", message],
        [message, ""],
        ["", "", message, "", ""],
        [message.slice(0, 5), "", message.slice(5)],
      ]) {
        connection.send(...fragments(parts));
        await expectMessage(connection, message);
      }
    },
  },
  {
    ...about,
    id: "fragmentation.pings-between",
    rule: "Control frames between fragments do not break the message.",
    reference: "RFC 6455 5.4, 5.5",
    run: async (context) => {
      const connection = await context.open();
      for (const [i, frame] of fragments(cut(Buffer.from(message), 10)).entries()) {
        if (i > 0) {
          connection.send(pingFrame(`${i}`));
          await expectPong(connection, `${i}`);
        }
        connection.send(frame);
      }
      await expectMessage(connection, message);
    },
  },
  {
    ...about,
    id: "fragmentation.whole-after",
    rule: "Whole and fragmented messages may follow each other in any order.",
    run: async (context) => {
      const connection = await context.open();
      const [one, two, three] = [echo({ seq: 1 }), echo({ seq: 2 }), echo({ seq: 3 })];
      connection.send(textFrame(one), ...fragments(cut(Buffer.from(two), 11)), textFrame(three));
      for (const wanted of [one, two, three]) await expectMessage(connection, wanted);
    },
  },
  ...violation({
    id: "fragmentation.nothing-to-continue",
    rule: "A continuation frame without a message to continue fails the connection.",
    reference: "RFC 6455 5.4",
    nextStep: "Refuse opcode 0 when no message is unfinished.",
    codes: [1002],
    attempts: [
      { after: "a continuation frame with FIN at first", send: continuation(true) },
      { after: "a continuation frame without FIN at first", send: continuation(false) },
      {
        after: "a continuation frame behind a finished fragmented message",
        send: async (connection) => {
          connection.send(...fragments([message.slice(0, 9), message.slice(9)]));
          await expectMessage(connection, message);
          connection.send(continuation(true));
        },
      },
    ],
  }),
  ...violation({
    id: "fragmentation.interleaved",
    rule: "A new message inside a fragmented one fails the connection.",
    reference: "RFC 6455 5.4",
    nextStep: "Refuse opcodes 1 and 2 while a message is unfinished.",
    codes: [1002],
    attempts: [
      {
        after: "a whole text message between fragments",
        send: Buffer.concat([firstFragment, textFrame(message)]),
      },
      {
        after: "another first fragment between fragments",
        send: Buffer.concat([firstFragment, firstFragment]),
      },
      {
        after: "a binary message between fragments",
        // The contract has 1003 for binary messages wherever they stand.
        codes: [1002, 1003],
        send: Buffer.concat([firstFragment, encodeFrame({ opcode: opcodes.binary, payload: message })]),
      },
    ],
  }),
];
