import { describe } from "../arrival.ts";
import { BrokenRule, type Check, type CheckContext } from "../check.ts";
import { expectAlive, expectMessage } from "../expectations.ts";
import { closeFrame, cut, encodeFrame, fragments, opcodes, pingFrame, textFrame } from "../frame.ts";
import { echoOfBytes, errorReason, MAX_MESSAGE_BYTES } from "../messages.ts";
import { violation } from "./violation.ts";

const sizes = [125, 126, 127, 128, 65_535, MAX_MESSAGE_BYTES];

/** Each side of the places where the length field changes its width, RFC 6455 5.2. */
const echoChecks: readonly Check[] = sizes.map((bytes) => ({
  id: `lengths.echo-${bytes}`,
  rule: `A message of ${bytes.toLocaleString("en-US")} bytes is accepted and returned whole.`,
  reference: "RFC 6455 5.2, contract, endpoints (up to 65,536 bytes)",
  grade: "required",
  nextStep: "Check the size limit and each width of the length field: 7, 7+16 and 7+64 bits.",
  run: async (context) => {
    const connection = await context.open();
    const message = echoOfBytes(bytes);
    connection.send(textFrame(message));
    await expectMessage(connection, message);
  },
}));

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
  throw new BrokenRule("close code 1009, an error reply, or the identical bytes", describe(arrival));
}

const tooLong = echoOfBytes(MAX_MESSAGE_BYTES + 1);
const tooLongForms = [[textFrame(tooLong)], fragments(cut(Buffer.from(tooLong), 16_384))];

export const lengthChecks: readonly Check[] = [
  ...echoChecks,
  {
    id: "lengths.max-in-fragments",
    rule: "A fragmented message may be as long as an unfragmented one.",
    reference: "RFC 6455 5.4, contract, endpoints (up to 65,536 bytes)",
    grade: "required",
    nextStep: "Apply the limit to the reassembled payload, not to the frames.",
    run: async (context) => {
      const message = echoOfBytes(MAX_MESSAGE_BYTES);
      for (const size of [1_000, 65_535]) {
        const connection = await context.open();
        connection.send(...fragments(cut(Buffer.from(message), size)));
        await expectMessage(connection, message);
      }
    },
  },
  {
    id: "lengths.past-limit",
    rule: "A message above the limit is refused or served whole, and the server survives.",
    reference: "contract, endpoints; RFC 6455 7.4.1 (1009)",
    grade: "required",
    nextStep: "Close with 1009 as soon as a message exceeds 65,536 bytes.",
    run: async (context) => {
      for (const frames of tooLongForms) await pastTheLimit(context, frames, tooLong);
      await expectAlive(context);
    },
  },
  {
    id: "lengths.past-limit-code",
    rule: "If a message above the limit is refused, the close code is 1009.",
    reference: "contract, endpoints; RFC 6455 7.4.1 (1009)",
    grade: "strict",
    nextStep: "Send a close frame with 1009 before closing the TCP connection.",
    run: async (context) => {
      for (const frames of tooLongForms) {
        const reaction = await pastTheLimit(context, frames, tooLong);
        if (reaction === 1009 || reaction === "echo") continue;
        throw new BrokenRule(
          "a close frame with 1009, or the identical bytes",
          typeof reaction === "number" ? `a close frame with ${reaction}` : `${reaction}`,
        );
      }
    },
  },
  {
    id: "lengths.absurd",
    rule: "A frame that announces a terabyte is refused by its header, before buffering.",
    reference: "RFC 6455 10.4, contract, endpoints",
    grade: "strict",
    nextStep: "Compare the announced length with the limit and close with 1009.",
    run: async (context) => {
      const connection = await context.open();
      connection.send(encodeFrame({ opcode: opcodes.text, payload: "x", claimedBytes: 2n ** 40n }));
      const arrival = await connection.next();
      if (arrival.kind !== "close" || arrival.code !== 1009)
        throw new BrokenRule("a close frame with 1009", describe(arrival));
    },
  },
  ...violation({
    id: "lengths.top-bit",
    rule: "A 64-bit length with its highest bit set fails the connection.",
    reference: "RFC 6455 5.2",
    nextStep: "Refuse a 64-bit length whose first byte is 128 or more.",
    codes: [1002, 1009],
    attempts: [
      {
        after: "a text frame with a length of 2^63 + 1",
        send: encodeFrame({ opcode: opcodes.text, payload: "x", claimedBytes: 2n ** 63n + 1n }),
      },
    ],
  }),
  {
    id: "lengths.server-minimal",
    rule: "The server's frames use the shortest length field.",
    reference: "RFC 6455 5.2 (minimal number of bytes)",
    grade: "required",
    nextStep: "Use 7 bits up to 125, 16 bits up to 65,535 and 64 bits above.",
    run: async (context) => {
      const connection = await context.open();
      for (const bytes of sizes) {
        const message = echoOfBytes(bytes);
        connection.send(textFrame(message));
        await expectMessage(connection, message);
      }
      connection.send(pingFrame("p".repeat(125)));
      await connection.next();
      connection.send(closeFrame(1000));
      await connection.next();
      for (const { payload, lengthBits } of connection.frames) {
        const minimal = payload.length < 126 ? 7 : payload.length < 65_536 ? 16 : 64;
        if (lengthBits !== minimal)
          throw new BrokenRule(
            `${minimal} bits for a payload of ${payload.length} bytes`,
            `${lengthBits} bits`,
          );
      }
    },
  },
];
