import { describe } from "../arrival.ts";
import { BrokenRule, type Check } from "../check.ts";
import { expectEcho, expectMessage, expectPong } from "../expectations.ts";
import { closePayload, encodeFrame, fragments, opcodes, pingFrame, pongFrame, textFrame } from "../frame.ts";
import { echo } from "../messages.ts";
import { violation } from "./violation.ts";

export const controlChecks: readonly Check[] = [
  {
    id: "control.ping",
    rule: "A ping of 0 to 125 bytes is answered with a pong of the same payload.",
    reference: "RFC 6455 5.5.2, 5.5.3, contract, endpoints",
    grade: "required",
    nextStep: "Return the ping's payload unchanged, whatever its length and bytes.",
    run: async (context) => {
      const connection = await context.open();
      for (let bytes = 0; bytes <= 125; bytes++) {
        const payload = Buffer.alloc(bytes, `${bytes}.`);
        connection.send(pingFrame(payload));
        await expectPong(connection, payload);
      }
    },
  },
  {
    id: "control.ping-binary",
    rule: "A ping's payload may be any bytes, also invalid UTF-8.",
    reference: "RFC 6455 5.5.2",
    grade: "required",
    nextStep: "Keep control payloads as bytes.",
    run: async (context) => {
      const connection = await context.open();
      for (const payload of [
        Buffer.from("00fffefdfc80c0", "hex"),
        Buffer.from("\n\r\n"),
        Buffer.alloc(125, 0xfe),
      ]) {
        connection.send(pingFrame(payload));
        await expectPong(connection, payload);
      }
    },
  },
  {
    id: "control.ping-burst",
    rule: "Of several pings at once, the last is answered; answers to others come in order.",
    reference: "RFC 6455 5.5.3",
    grade: "required",
    nextStep: "Answer each ping on arrival, or only the latest.",
    run: async (context) => {
      const connection = await context.open();
      const payloads = Array.from({ length: 10 }, (_, i) => `ping ${i}`);
      connection.send(...payloads.map((payload) => pingFrame(payload)));
      for (let last = -1; last < 9; ) {
        const arrival = await connection.next();
        const index = arrival.kind === "pong" ? payloads.indexOf(arrival.payload.toString()) : -1;
        if (index <= last)
          throw new BrokenRule(`a pong for one of the pings ${last + 1} to 9`, describe(arrival));
        last = index;
      }
      await expectEcho(connection);
    },
  },
  {
    id: "control.ping-between-fragments",
    rule: "A ping between fragments is answered before the message is complete.",
    reference: "RFC 6455 5.4, 5.5, 5.5.2",
    grade: "required",
    nextStep: "Handle control frames on arrival and leave the unfinished message alone.",
    run: async (context) => {
      const connection = await context.open();
      const message = echo({ text: "in two parts" });
      const [first, last] = fragments([message.slice(0, 20), message.slice(20)]);
      connection.send(first ?? "", pingFrame("between"));
      await expectPong(connection, "between");
      connection.send(last ?? "");
      await expectMessage(connection, message);
    },
  },
  {
    id: "control.unsolicited-pong",
    rule: "An unsolicited pong is ignored.",
    reference: "RFC 6455 5.5.3",
    grade: "required",
    nextStep: "Drop unsolicited pongs.",
    run: async (context) => {
      const connection = await context.open();
      connection.send(pongFrame(), pongFrame("unasked"), pongFrame("x".repeat(125)));
      await expectEcho(connection);
      const message = echo({ text: "around a pong" });
      const [first, last] = fragments([message.slice(0, 9), message.slice(9)]);
      connection.send(first ?? "", pongFrame("between"), last ?? "");
      await expectMessage(connection, message);
    },
  },
  {
    id: "control.answers-first",
    rule: "Messages before and after a ping are not lost.",
    reference: "RFC 6455 5.5.2, contract, promises (delivery)",
    grade: "required",
    nextStep: "Answer a ping without leaving the loop that reads messages.",
    run: async (context) => {
      const connection = await context.open();
      connection.send(textFrame(echo({ seq: 1 })), pingFrame("middle"), textFrame(echo({ seq: 2 })));
      const came: string[] = [];
      // The pong may overtake messages: RFC 6455 5.5.2 only wants it as soon as is practical.
      for (let i = 0; i < 3; i++) {
        const arrival = await connection.next();
        came.push(arrival.kind === "message" ? arrival.bytes.toString() : describe(arrival));
      }
      const messages = came.filter((what) => what.startsWith("{"));
      if (
        messages.join() !== [echo({ seq: 1 }), echo({ seq: 2 })].join() ||
        !came.some((what) => what.startsWith("a pong"))
      )
        throw new BrokenRule("both messages in order, and a pong", came.join("; "));
    },
  },
  ...violation({
    id: "control.too-long",
    rule: "A control frame of more than 125 bytes fails the connection.",
    reference: "RFC 6455 5.5",
    nextStep: "Refuse control frames whose length is not in the 7-bit field.",
    codes: [1002],
    attempts: [
      { after: "a ping of 126 bytes", send: pingFrame("p".repeat(126)) },
      { after: "a pong of 126 bytes", send: pongFrame("p".repeat(126)) },
      { after: "a ping of 65,536 bytes", send: pingFrame("p".repeat(65_536)) },
      {
        after: "a close of 126 bytes",
        send: encodeFrame({ opcode: opcodes.close, payload: closePayload(1000, "r".repeat(124)) }),
      },
    ],
  }),
  ...violation({
    id: "control.fragmented",
    rule: "A fragmented control frame fails the connection.",
    reference: "RFC 6455 5.4, 5.5",
    nextStep: "Refuse control frames whose FIN bit is clear.",
    codes: [1002],
    attempts: [
      { after: "a ping without FIN", send: encodeFrame({ opcode: opcodes.ping, payload: "p", fin: false }) },
      { after: "a pong without FIN", send: encodeFrame({ opcode: opcodes.pong, payload: "p", fin: false }) },
      { after: "a close without FIN", send: encodeFrame({ opcode: opcodes.close, fin: false }) },
    ],
  }),
];
