import { type Arrival, describe } from "../arrival.ts";
import { BrokenRule, type Check } from "../check.ts";
import { expectAlive, expectClose, expectMessages } from "../expectations.ts";
import { closeFrame, encodeFrame, fragments, opcodes, pingFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

const standardCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011];
const privateCodes = [3000, 3999, 4000, 4999];
const illegalCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];

const answering = {
  reference: "RFC 6455 5.5.1, 7.1.2",
  grade: "required",
  nextStep: "Answer a close frame with a close frame, then close the TCP connection.",
} as const;

/** The answer does not call the close frame a violation, unless it repeats the client's own code. */
function expectTaken(answer: Arrival & { kind: "close" }, after: string, code: number | undefined): void {
  if (answer.code === code || (answer.code !== 1002 && answer.code !== 1007)) return;
  throw new BrokenRule(`${after} to be taken as a proper close`, describe(answer));
}

export const closeChecks: readonly Check[] = [
  {
    ...answering,
    id: "close.answer",
    rule: "A close frame is answered with a close frame, with or without code and reason.",
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
  },
  {
    ...answering,
    id: "close.ends-tcp",
    rule: "After the closing handshake the server closes the TCP connection first.",
    reference: "RFC 6455 5.5.1, 7.1.1",
    run: async (context) => {
      const connection = await context.open();
      connection.send(closeFrame(1000));
      await expectClose(connection, "a close with 1000");
      const arrival = await connection.next();
      if (arrival.kind !== "end") throw new BrokenRule("the end of the TCP connection", describe(arrival));
    },
  },
  {
    ...answering,
    id: "close.same-code",
    rule: "The answer repeats the client's code.",
    reference: "RFC 6455 5.5.1 (typically echos)",
    grade: "strict",
    nextStep: "Return the received code.",
    run: async (context) => {
      for (const code of [1000, 1001, 3000, 4999]) {
        const connection = await context.open();
        connection.send(closeFrame(code));
        const arrival = await expectClose(connection, `a close with ${code}`);
        if (arrival.code !== code) throw new BrokenRule(`a close frame with code ${code}`, describe(arrival));
      }
    },
  },
  {
    ...answering,
    id: "close.codes",
    rule: "Every legal close code is accepted.",
    reference: "RFC 6455 7.4.1, 7.4.2",
    nextStep: "Accept 1000-1003, 1007-1011 and 3000-4999.",
    run: async (context) => {
      for (const code of [...standardCodes, ...privateCodes]) {
        const connection = await context.open();
        connection.send(closeFrame(code, "bye"));
        const after = `a close with ${code}`;
        expectTaken(await expectClose(connection, after), after, code);
      }
    },
  },
  ...violation({
    id: "close.illegal-codes",
    rule: "An illegal close code is refused and never sent back.",
    reference: "RFC 6455 7.4.1, 7.4.2",
    nextStep: "Answer 1002 to 0-999, 1004-1006, 1015-2999 and 5000 upwards.",
    codes: [1002],
    attempts: illegalCodes.map((code) => ({ after: `a close with ${code}`, send: closeFrame(code) })),
  }),
  ...violation({
    id: "close.one-byte",
    rule: "A close frame with a one-byte payload fails the connection.",
    reference: "RFC 6455 5.5.1",
    nextStep: "Answer 1002 to a close frame whose payload is one byte.",
    codes: [1002],
    attempts: [
      { after: "a close of one byte", send: encodeFrame({ opcode: opcodes.close, payload: "\u0003" }) },
    ],
  }),
  ...violation({
    id: "close.bad-reason",
    rule: "A close reason that is not UTF-8 fails the connection.",
    reference: "RFC 6455 5.5.1, 8.1",
    nextStep: "Validate the reason like a text message.",
    codes: [1007, 1002],
    attempts: ["80", "ceba e1bdb9 eda080", "c0af"].map((digits) => ({
      after: `a close reason of the bytes ${digits}`,
      send: closeFrame(1000, Buffer.from(digits.replaceAll(" ", ""), "hex")),
    })),
  }),
  {
    ...answering,
    id: "close.nothing-after",
    rule: "Frames after the client's close frame are not answered.",
    reference: "RFC 6455 5.5.1",
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
        const arrival = await connection.next();
        if (arrival.kind !== "end")
          throw new BrokenRule(`no answer to ${what} behind a close frame`, describe(arrival));
      }
    },
  },
  {
    ...answering,
    id: "close.within-message",
    rule: "A close frame between fragments is answered.",
    reference: "RFC 6455 5.4, 5.5.1",
    run: async (context) => {
      const connection = await context.open();
      connection.send(fragments([echo(), ""])[0] ?? "", closeFrame(1000));
      await expectClose(connection, "a close between fragments");
    },
  },
  {
    ...answering,
    id: "close.answers-first",
    rule: "Messages sent before the close frame are answered first.",
    reference: "RFC 6455 5.5.1, 7.1.2, contract, promises (delivery)",
    grade: "strict",
    nextStep: "Flush the connection's queue, then send the close frame.",
    run: async (context) => {
      const connection = await context.open();
      const messages = Array.from({ length: 20 }, (_, i) => echo({ from: "last-words", seq: i + 1 }));
      connection.send(...messages.map((message) => textFrame(message)), closeFrame(1000));
      await expectMessages(connection, messages, "each message before the close frame");
      await expectClose(connection, "the messages");
    },
  },
  {
    id: "close.no-handshake",
    rule: "Clients that leave by FIN or reset, without a close frame, do no harm.",
    reference: "RFC 6455 7.1.5 (1006), contract, promises",
    grade: "required",
    nextStep: "Treat the end of TCP like a close, and catch socket errors.",
    run: async (context) => {
      const leaves = await context.open();
      leaves.end();
      const arrival = await leaves.next();
      if (arrival.kind !== "end" && arrival.kind !== "close")
        throw new BrokenRule("the server to close its half after the client's FIN", describe(arrival));
      for (let i = 0; i < 5; i++) {
        const resets = await context.open();
        // Once with an answer under way and half a frame behind, once while nothing happens.
        if (i % 2 === 0) resets.send(textFrame(echo()), textFrame(echo()).subarray(0, 9));
        resets.reset();
      }
      await expectAlive(context);
    },
  },
];
