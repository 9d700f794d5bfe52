import type { Check } from "../check.ts";
import { expectMessage, expectMessages, expectPong } from "../expectations.ts";
import { cut, pingFrame, textFrame } from "../frame.ts";
import { echo, echoOfBytes, MAX_MESSAGE_BYTES } from "../messages.ts";

const about = {
  reference: "RFC 6455 5.2; TCP keeps no packet boundaries",
  grade: "required",
  nextStep: "Keep an unfinished frame between reads, header included, and continue with the next bytes.",
} as const;

export const pieceChecks: readonly Check[] = [
  {
    ...about,
    id: "pieces.one-byte",
    rule: "Frames sent byte by byte are reassembled.",
    run: async (context) => {
      const connection = await context.open();
      await connection.sendApart(cut(textFrame(echo()), 1));
      await expectMessage(connection, echo());
      await connection.sendApart(cut(pingFrame("payload"), 1));
      await expectPong(connection, "payload");
    },
  },
  {
    ...about,
    id: "pieces.cut-head",
    rule: "A frame may be cut at any byte of its header, whatever the width of its length field.",
    run: async (context) => {
      const connection = await context.open();
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
  },
  {
    ...about,
    id: "pieces.chopped",
    rule: "A message of 64 KiB may arrive in pieces of any size.",
    run: async (context) => {
      const connection = await context.open();
      const message = echoOfBytes(MAX_MESSAGE_BYTES);
      await connection.sendApart(cut(textFrame(message), 997));
      await expectMessage(connection, message);
    },
  },
  {
    ...about,
    id: "pieces.many-in-one",
    rule: "Many frames in one TCP segment are all handled, in order.",
    nextStep: "Parse until the buffer holds no whole frame.",
    run: async (context) => {
      const connection = await context.open();
      const messages = Array.from({ length: 500 }, (_, i) => echo({ from: "batch", seq: i + 1 }));
      connection.send(...messages.map((message) => textFrame(message)));
      await expectMessages(connection, messages, "each pipelined message once and in order");
    },
  },
  {
    ...about,
    id: "pieces.cut-between",
    rule: "Segments cut inside a frame lose nothing.",
    run: async (context) => {
      const connection = await context.open();
      const messages = Array.from({ length: 40 }, (_, i) =>
        echo({ from: "cut", seq: i + 1, text: "x".repeat(i) }),
      );
      const bytes = Buffer.concat(messages.map((message) => textFrame(message)));
      await connection.sendApart(cut(bytes, 101));
      await expectMessages(connection, messages, "each message once and in order");
    },
  },
];
