import { BrokenRule, type Check, type CheckContext, required, strict } from "../check.ts";
import { expectAlive, expectMessage, expectReturned } from "../expectations.ts";
import { closeFrame, cut, fragments, pingFrame, textFrame } from "../frame.ts";
import { echoOfBytes, errorReason, MAX_MESSAGE_BYTES } from "../messages.ts";
import { violation } from "./violation.ts";

const sizes = [125, 126, 127, 128, 65_535, MAX_MESSAGE_BYTES];

/** Each side of the places where the length field changes its width, RFC 6455 5.2. */
const echoChecks: readonly Check[] = sizes.map((bytes) =>
  required(`lengths.echo-${bytes}`, "RFC 6455 5.2, contract, endpoints (up to 65,536 bytes)", {
    rule: `A message of ${bytes.toLocaleString("en-US")} bytes is accepted and returned whole.`,
    nextStep: "Check the size limit and each width of the length field: 7, 7+16 and 7+64 bits.",
    talk: (connection) => expectReturned(connection, echoOfBytes(bytes)),
  }),
);

/** What a server did with one byte too many. */
async function pastTheLimit(context: CheckContext, frames: readonly Uint8Array[], message: string) {
  const connection = await context.open();
  connection.send(...frames);
  const arrival = await connection.next();
  if (arrival.kind === "close") return arrival.code;
  if (arrival.kind === "end") {
    await expectAlive(context);
    return "end";
  }
  if (arrival.kind === "message" && arrival.bytes.equals(Buffer.from(message))) return "echo";
  if (arrival.kind === "message" && errorReason(arrival.bytes.toString()) !== undefined) return "error";
  throw new BrokenRule("close code 1009, an error reply, or the identical bytes", arrival);
}

const tooLong = echoOfBytes(MAX_MESSAGE_BYTES + 1);
const tooLongForms = [[textFrame(tooLong)], fragments(cut(Buffer.from(tooLong), 16_384))];

export const lengthChecks: readonly Check[] = [
  ...echoChecks,
  required("lengths.max-in-fragments", "RFC 6455 5.4, contract, endpoints (up to 65,536 bytes)", {
    rule: "A fragmented message may be as long as an unfragmented one.",
    nextStep: "Apply the limit to the reassembled payload, not to the frames.",
    run: async (context) => {
      const message = echoOfBytes(MAX_MESSAGE_BYTES);
      for (const size of [1_000, 65_535]) {
        const connection = await context.open();
        connection.send(...fragments(cut(Buffer.from(message), size)));
        await expectMessage(connection, message);
      }
    },
  }),
  required("lengths.past-limit", "contract, endpoints; RFC 6455 7.4.1 (1009)", {
    rule: "A message above the limit is refused or served whole, and the server survives.",
    nextStep: "Close with 1009 as soon as a message exceeds 65,536 bytes.",
    run: async (context) => {
      for (const frames of tooLongForms) await pastTheLimit(context, frames, tooLong);
      await expectAlive(context);
    },
  }),
  strict("lengths.past-limit-code", "contract, endpoints; RFC 6455 7.4.1 (1009)", {
    rule: "If a message above the limit is refused, the close code is 1009.",
    nextStep: "Send a close frame with 1009 before closing the TCP connection.",
    run: async (context) => {
      for (const frames of tooLongForms) {
        const reaction = await pastTheLimit(context, frames, tooLong);
        if (reaction === 1009 || reaction === "echo") continue;
        const came = typeof reaction === "number" ? `a close frame with ${reaction}` : `${reaction}`;
        throw new BrokenRule("a close frame with 1009, or the identical bytes", came);
      }
    },
  }),
  strict("lengths.absurd", "RFC 6455 10.4, contract, endpoints", {
    rule: "A frame that announces a terabyte is refused by its header, before buffering.",
    nextStep: "Compare the announced length with the limit and close with 1009.",
    talk: async (connection) => {
      connection.send(textFrame("x", { claimedBytes: 2n ** 40n }));
      const arrival = await connection.next();
      if (arrival.kind !== "close" || arrival.code !== 1009)
        throw new BrokenRule("a close frame with 1009", arrival);
    },
  }),
  ...violation("lengths.top-bit", "RFC 6455 5.2", {
    rule: "A 64-bit length with its highest bit set fails the connection.",
    nextStep: "Refuse a 64-bit length whose first byte is 128 or more.",
    codes: [1002, 1009],
    attempts: [["a text frame with a length of 2^63 + 1", textFrame("x", { claimedBytes: 2n ** 63n + 1n })]],
  }),
  required("lengths.server-minimal", "RFC 6455 5.2 (minimal number of bytes)", {
    rule: "The server's frames use the shortest length field.",
    nextStep: "Use 7 bits up to 125, 16 bits up to 65,535 and 64 bits above.",
    talk: async (connection) => {
      for (const bytes of sizes) await expectReturned(connection, echoOfBytes(bytes));
      for (const frame of [pingFrame("p".repeat(125)), closeFrame(1000)]) {
        connection.send(frame);
        await connection.next();
      }
      for (const { payload, lengthBits } of connection.frames) {
        const minimal = payload.length < 126 ? 7 : payload.length < 65_536 ? 16 : 64;
        const expected = `${minimal} bits for a payload of ${payload.length} bytes`;
        if (lengthBits !== minimal) throw new BrokenRule(expected, `${lengthBits} bits`);
      }
    },
  }),
];
