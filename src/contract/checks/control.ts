import { describe } from "../arrival.ts";
import { BrokenRule, type Check, required } from "../check.ts";
import { expectEcho, expectMessage, expectPong } from "../expectations.ts";
import {
  closeFrame,
  continuationFrame,
  encodeFrame,
  opcodes,
  pingFrame,
  pongFrame,
  textFrame,
} from "../frame.ts";
import { echo } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";
import { violation } from "./violation.ts";

async function expectPongs(connection: RawConnection, payloads: readonly Uint8Array[]): Promise<void> {
  for (const payload of payloads) {
    connection.send(pingFrame(payload));
    await expectPong(connection, payload);
  }
}

export const controlChecks: readonly Check[] = [
  required("control.ping", "RFC 6455 5.5.2, 5.5.3, contract, endpoints", {
    rule: "A ping of 0 to 125 bytes is answered with a pong of the same payload.",
    nextStep: "Return the ping's payload unchanged, whatever its length and bytes.",
    talk: (connection) =>
      expectPongs(
        connection,
        Array.from({ length: 126 }, (_, bytes) => Buffer.alloc(bytes, `${bytes}.`)),
      ),
  }),
  required("control.ping-binary", "RFC 6455 5.5.2", {
    rule: "A ping's payload may be any bytes, also invalid UTF-8.",
    nextStep: "Keep control payloads as bytes.",
    talk: (connection) =>
      expectPongs(connection, [
        Buffer.from("00fffefdfc80c0", "hex"),
        Buffer.from("\n\r\n"),
        Buffer.alloc(125, 0xfe),
      ]),
  }),
  required("control.ping-burst", "RFC 6455 5.5.3", {
    rule: "Of several pings at once, the last is answered; answers to others come in order.",
    nextStep: "Answer each ping on arrival, or only the latest.",
    talk: async (connection) => {
      const payloads = Array.from({ length: 10 }, (_, i) => `ping ${i}`);
      connection.send(...payloads.map((payload) => pingFrame(payload)));
      for (let last = -1; last < 9; ) {
        const arrival = await connection.next();
        const index = arrival.kind === "pong" ? payloads.indexOf(arrival.payload.toString()) : -1;
        if (index <= last) throw new BrokenRule(`a pong for one of the pings ${last + 1} to 9`, arrival);
        last = index;
      }
      await expectEcho(connection);
    },
  }),
  required("control.ping-between-fragments", "RFC 6455 5.4, 5.5, 5.5.2", {
    rule: "A ping between fragments is answered before the message is complete.",
    nextStep: "Handle control frames on arrival and leave the unfinished message alone.",
    talk: async (connection) => {
      const message = echo({ text: "in two parts" });
      connection.send(textFrame(message.slice(0, 20), { fin: false }), pingFrame("between"));
      await expectPong(connection, "between");
      connection.send(continuationFrame(message.slice(20)));
      await expectMessage(connection, message);
    },
  }),
  required("control.unsolicited-pong", "RFC 6455 5.5.3", {
    rule: "An unsolicited pong is ignored.",
    nextStep: "Drop unsolicited pongs.",
    talk: async (connection) => {
      connection.send(pongFrame(), pongFrame("unasked"), pongFrame("x".repeat(125)));
      await expectEcho(connection);
      const message = echo({ text: "around a pong" });
      const [first, last] = [message.slice(0, 9), message.slice(9)];
      connection.send(textFrame(first, { fin: false }), pongFrame("between"), continuationFrame(last));
      await expectMessage(connection, message);
    },
  }),
  required("control.answers-first", "RFC 6455 5.5.2, contract, promises (delivery)", {
    rule: "Messages before and after a ping are not lost.",
    nextStep: "Answer a ping without leaving the loop that reads messages.",
    talk: async (connection) => {
      const [one, two] = [echo({ seq: 1 }), echo({ seq: 2 })];
      connection.send(textFrame(one), pingFrame("middle"), textFrame(two));
      const came: string[] = [];
      // The pong may overtake messages: RFC 6455 5.5.2 only wants it as soon as is practical.
      for (let i = 0; i < 3; i++) {
        const arrival = await connection.next();
        came.push(arrival.kind === "message" ? arrival.bytes.toString() : describe(arrival));
      }
      const messages = came.filter((what) => what.startsWith("{"));
      const isAnswered = came.some((what) => what.startsWith("a pong"));
      if (messages.join() !== [one, two].join() || !isAnswered)
        throw new BrokenRule("both messages in order, and a pong", came.join("; "));
    },
  }),
  ...violation("control.too-long", "RFC 6455 5.5", {
    rule: "A control frame of more than 125 bytes fails the connection.",
    nextStep: "Refuse control frames whose length is not in the 7-bit field.",
    attempts: [
      ["a ping of 126 bytes", pingFrame("p".repeat(126))],
      ["a pong of 126 bytes", pongFrame("p".repeat(126))],
      ["a ping of 65,536 bytes", pingFrame("p".repeat(65_536))],
      ["a close of 126 bytes", closeFrame(1000, "r".repeat(124))],
    ],
  }),
  ...violation("control.fragmented", "RFC 6455 5.4, 5.5", {
    rule: "A fragmented control frame fails the connection.",
    nextStep: "Refuse control frames whose FIN bit is clear.",
    attempts: [
      ["a ping without FIN", pingFrame("p", { fin: false })],
      ["a pong without FIN", pongFrame("p", { fin: false })],
      ["a close without FIN", encodeFrame({ opcode: opcodes.close, fin: false })],
    ],
  }),
];
