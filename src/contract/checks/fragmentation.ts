import { type Check, required } from "../check.ts";
import { expectMessage, expectPong } from "../expectations.ts";
import { binaryFrame, continuationFrame, cut, fragments, pingFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

const collect = "Collect the payloads of all frames until FIN, then handle them as one message.";

const message = echo({ text: "a message in several frames" });
const firstFragment = textFrame(message.slice(0, 10), { fin: false });
const inFragments = (text: string, size: number) => fragments(cut(Buffer.from(text), size));

export const fragmentationChecks: readonly Check[] = [
  required("fragmentation.parts", "RFC 6455 5.4", {
    rule: "A fragmented message is reassembled, whatever the number of frames and their timing.",
    nextStep: collect,
    talk: async (connection) => {
      for (const size of [30, 7, 1]) {
        connection.send(...inFragments(message, size));
        await expectMessage(connection, message);
        await connection.sendApart(inFragments(message, size));
        await expectMessage(connection, message);
      }
      await connection.sendApart(cut(Buffer.concat(inFragments(message, 20)), 1));
      await expectMessage(connection, message);
    },
  }),
  required("fragmentation.empty-parts", "RFC 6455 5.4", {
    rule: "Any fragment may be empty: first, last or in between.",
    nextStep: collect,
    talk: async (connection) => {
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
  }),
  required("fragmentation.pings-between", "RFC 6455 5.4, 5.5", {
    rule: "Control frames between fragments do not break the message.",
    nextStep: collect,
    talk: async (connection) => {
      for (const [i, frame] of inFragments(message, 10).entries()) {
        if (i > 0) {
          connection.send(pingFrame(`${i}`));
          await expectPong(connection, `${i}`);
        }
        connection.send(frame);
      }
      await expectMessage(connection, message);
    },
  }),
  required("fragmentation.whole-after", "RFC 6455 5.4", {
    rule: "Whole and fragmented messages may follow each other in any order.",
    nextStep: collect,
    talk: async (connection) => {
      const [one, two, three] = [echo({ seq: 1 }), echo({ seq: 2 }), echo({ seq: 3 })];
      connection.send(textFrame(one), ...inFragments(two, 11), textFrame(three));
      for (const wanted of [one, two, three]) await expectMessage(connection, wanted);
    },
  }),
  ...violation("fragmentation.nothing-to-continue", "RFC 6455 5.4", {
    rule: "A continuation frame without a message to continue fails the connection.",
    nextStep: "Refuse opcode 0 when no message is unfinished.",
    attempts: [
      ["a continuation frame with FIN at first", continuationFrame("x")],
      ["a continuation frame without FIN at first", continuationFrame("x", { fin: false })],
      [
        "a continuation frame behind a finished fragmented message",
        async (connection) => {
          connection.send(...fragments([message.slice(0, 9), message.slice(9)]));
          await expectMessage(connection, message);
          connection.send(continuationFrame("x"));
        },
      ],
    ],
  }),
  ...violation("fragmentation.interleaved", "RFC 6455 5.4", {
    rule: "A new message inside a fragmented one fails the connection.",
    nextStep: "Refuse opcodes 1 and 2 while a message is unfinished.",
    attempts: [
      ["a whole text message between fragments", Buffer.concat([firstFragment, textFrame(message)])],
      ["another first fragment between fragments", Buffer.concat([firstFragment, firstFragment])],
      // The contract has 1003 for binary messages wherever they stand.
      [
        "a binary message between fragments",
        Buffer.concat([firstFragment, binaryFrame(message)]),
        [1002, 1003],
      ],
    ],
  }),
];
