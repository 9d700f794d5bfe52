import type { Arrival } from "../arrival.ts";
import { BrokenRule, type Check, required, strict } from "../check.ts";
import { expectAlive, expectClose, expectEnd, expectMessages } from "../expectations.ts";
import { closeFrame, encodeFrame, opcodes, pingFrame, textFrame, textFrames } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

const standardCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];
const privateCodes = [3000, 3999, 4000, 4999];
const illegalCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
const badReasons = ["80", "ceba e1bdb9 eda080", "c0af"];

const answerIt = "Answer a close frame with a close frame, then close the TCP connection.";

/** The answer does not call the close frame a violation, unless it repeats the client's own code. */
function expectTaken(answer: Arrival & { kind: "close" }, after: string, code: number | undefined): void {
  if (answer.code === code || (answer.code !== 1002 && answer.code !== 1007)) return;
  throw new BrokenRule(`${after} to be taken as a proper close`, answer);
}

export const closeChecks: readonly Check[] = [
  required("close.answer", "RFC 6455 5.5.1, 7.1.2", {
    rule: "A close frame is answered with a close frame, with or without code and reason.",
    nextStep: answerIt,
    run: async (context) => {
      for (const [after, frame] of [
        ["an empty close frame", closeFrame()],
        ["a close with 1000", closeFrame(1000)],
        ["a close with a reason in UTF-8", closeFrame(1000, "až na konec 💤")],
        ["a close with a reason of 123 bytes", closeFrame(1000, "r".repeat(123))],
      ] as const) {
        const connection = await context.open();
        connection.send(frame);
        expectTaken(await expectClose(connection, after), after, undefined);
      }
    },
  }),
  required("close.ends-tcp", "RFC 6455 5.5.1, 7.1.1", {
    rule: "After the closing handshake the server closes the TCP connection first.",
    nextStep: answerIt,
    talk: async (connection) => {
      connection.send(closeFrame(1000));
      await expectClose(connection, "a close with 1000");
      await expectEnd(connection, "the end of the TCP connection");
    },
  }),
  strict("close.same-code", "RFC 6455 5.5.1 (typically echos)", {
    rule: "The answer repeats the client's code.",
    nextStep: "Return the received code.",
    run: async (context) => {
      for (const code of [1000, 1001, 3000, 4999]) {
        const connection = await context.open();
        connection.send(closeFrame(code));
        const answer = await expectClose(connection, `a close with ${code}`);
        if (answer.code !== code) throw new BrokenRule(`a close frame with code ${code}`, answer);
      }
    },
  }),
  required("close.codes", "RFC 6455 7.4.1, 7.4.2", {
    rule: "Every legal close code is accepted.",
    nextStep: "Accept 1000-1003, 1007-1011 and 3000-4999.",
    run: async (context) => {
      for (const code of [...standardCodes, ...privateCodes]) {
        const connection = await context.open();
        connection.send(closeFrame(code, "bye"));
        const after = `a close with ${code}`;
        expectTaken(await expectClose(connection, after), after, code);
      }
    },
  }),
  ...violation("close.illegal-codes", "RFC 6455 7.4.1, 7.4.2", {
    rule: "An illegal close code is refused and never sent back.",
    nextStep: "Answer 1002 to 0-999, 1004-1006, 1015-2999 and 5000 upwards.",
    attempts: illegalCodes.map((code) => [`a close with ${code}`, closeFrame(code)]),
  }),
  ...violation("close.one-byte", "RFC 6455 5.5.1", {
    rule: "A close frame with a one-byte payload fails the connection.",
    nextStep: "Answer 1002 to a close frame whose payload is one byte.",
    attempts: [["a close of one byte", encodeFrame({ opcode: opcodes.close, payload: "\u0003" })]],
  }),
  ...violation("close.bad-reason", "RFC 6455 5.5.1, 8.1", {
    rule: "A close reason that is not UTF-8 fails the connection.",
    nextStep: "Validate the reason like a text message.",
    codes: [1007, 1002],
    attempts: badReasons.map((digits) => [
      `a close reason of the bytes ${digits}`,
      closeFrame(1000, Buffer.from(digits.replaceAll(" ", ""), "hex")),
    ]),
  }),
  required("close.nothing-after", "RFC 6455 5.5.1", {
    rule: "Frames after the client's close frame are not answered.",
    nextStep: "Stop reading frames after a close frame.",
    run: async (context) => {
      for (const [what, frame] of [
        ["a message", textFrame(echo())],
        ["a ping", pingFrame("late")],
        ["a second close", closeFrame(1001)],
      ] as const) {
        const connection = await context.open();
        connection.send(closeFrame(1000), frame);
        await expectClose(connection, `a close with 1000 and ${what} behind it`);
        await expectEnd(connection, `no answer to ${what} behind a close frame`);
      }
    },
  }),
  required("close.within-message", "RFC 6455 5.4, 5.5.1", {
    rule: "A close frame between fragments is answered.",
    nextStep: answerIt,
    talk: async (connection) => {
      connection.send(textFrame(echo(), { fin: false }), closeFrame(1000));
      await expectClose(connection, "a close between fragments");
    },
  }),
  strict("close.answers-first", "RFC 6455 5.5.1, 7.1.2, contract, promises (delivery)", {
    rule: "Messages sent before the close frame are answered first.",
    nextStep: "Flush the connection's queue, then send the close frame.",
    talk: async (connection) => {
      const messages = Array.from({ length: 20 }, (_, i) => echo({ from: "last-words", seq: i + 1 }));
      connection.send(textFrames(messages), closeFrame(1000));
      await expectMessages(connection, messages, "each message before the close frame");
      await expectClose(connection, "the messages");
    },
  }),
  required("close.no-handshake", "RFC 6455 7.1.5 (1006), contract, promises", {
    rule: "Clients that leave by FIN or reset, without a close frame, do no harm.",
    nextStep: "Treat the end of TCP like a close, and catch socket errors.",
    talk: async (leaves, context) => {
      leaves.end();
      const arrival = await leaves.next();
      if (arrival.kind !== "end" && arrival.kind !== "close")
        throw new BrokenRule("the server to close its half after the client's FIN", arrival);
      for (let i = 0; i < 5; i++) {
        const resets = await context.open();
        // Once with an answer under way and half a frame behind, once while nothing happens.
        if (i % 2 === 0) resets.send(textFrame(echo()), textFrame(echo()).subarray(0, 9));
        resets.reset();
      }
      await expectAlive(context);
    },
  }),
];
