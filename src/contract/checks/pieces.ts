import { type Check, required } from "../check.ts";
import { expectMessage, expectMessages, expectPong } from "../expectations.ts";
import { cut, pingFrame, textFrame, textFrames } from "../frame.ts";
import { echo, echoOfBytes, MAX_MESSAGE_BYTES } from "../messages.ts";

const clause = "RFC 6455 5.2; TCP keeps no packet boundaries";
const keepRest = "Keep an unfinished frame between reads, header included, and continue with the next bytes.";

export const pieceChecks: readonly Check[] = [
  required("pieces.one-byte", clause, {
    rule: "Frames sent byte by byte are reassembled.",
    nextStep: keepRest,
    talk: async (connection) => {
      await connection.sendApart(cut(textFrame(echo()), 1));
      await expectMessage(connection, echo());
      await connection.sendApart(cut(pingFrame("payload"), 1));
      await expectPong(connection, "payload");
    },
  }),
  required("pieces.cut-head", clause, {
    rule: "A frame may be cut at any byte of its header, whatever the width of its length field.",
    nextStep: keepRest,
    talk: async (connection) => {
      for (const bytes of [100, 300, MAX_MESSAGE_BYTES]) {
        const message = echoOfBytes(bytes);
        const frame = textFrame(message);
        const headBytes = frame.length - bytes;
        for (let at = 1; at <= headBytes + 1; at++) {
          await connection.sendApart([frame.subarray(0, at)], 2);
          connection.send(frame.subarray(at));
          await expectMessage(connection, message);
        }
      }
    },
  }),
  required("pieces.chopped", clause, {
    rule: "A message of 64 KiB may arrive in pieces of any size.",
    nextStep: keepRest,
    talk: async (connection) => {
      const message = echoOfBytes(MAX_MESSAGE_BYTES);
      await connection.sendApart(cut(textFrame(message), 997));
      await expectMessage(connection, message);
    },
  }),
  required("pieces.many-in-one", clause, {
    rule: "Many frames in one TCP segment are all handled, in order.",
    nextStep: "Parse until the buffer holds no whole frame.",
    talk: async (connection) => {
      const messages = Array.from({ length: 500 }, (_, i) => echo({ from: "batch", seq: i + 1 }));
      connection.send(textFrames(messages));
      await expectMessages(connection, messages, "each pipelined message once and in order");
    },
  }),
  required("pieces.cut-between", clause, {
    rule: "Segments cut inside a frame lose nothing.",
    nextStep: keepRest,
    talk: async (connection) => {
      const messages = Array.from({ length: 40 }, (_, i) =>
        echo({ from: "cut", seq: i + 1, text: "x".repeat(i) }),
      );
      await connection.sendApart(cut(textFrames(messages), 101));
      await expectMessages(connection, messages, "each message once and in order");
    },
  }),
];
