import { describe, excerpt } from "../arrival.ts";
import { BrokenRule, type Check, type CheckContext, required, strict } from "../check.ts";
import { expectAlive, expectEcho } from "../expectations.ts";
import { binaryFrame, textFrame } from "../frame.ts";
import { echo, errorReason, join, MAX_MESSAGE_BYTES } from "../messages.ts";

const refusals = [1003, 1007, 1008];
const refusal = 'an error reply ({"type":"error","reason":"…"}), or a close with 1003, 1007 or 1008';

const anythingElse = "contract, messages (anything else, JSON or not)";
const readToTheEnd =
  "contract, messages (anything else), promises (routing by prefix need not read the rest)";
const roomName = "contract, messages (room name)";

/**
 * Sends one message that is none and expects the refusal, or the bytes `orBack` back. Where the connection is kept,
 * it has to work.
 */
async function expectRefused(
  context: CheckContext,
  frame: Uint8Array,
  shown: string | Uint8Array,
  orBack?: string,
): Promise<void> {
  const connection = await context.open();
  connection.send(frame);
  const arrival = await connection.next();
  const came = `after ${excerpt(shown)}: ${describe(arrival)}`;
  if (arrival.kind === "close" && arrival.code !== undefined && refusals.includes(arrival.code)) return;
  const reply = arrival.kind === "message" ? arrival.bytes.toString() : undefined;
  if (reply === undefined || (reply !== orBack && errorReason(reply) === undefined))
    throw new BrokenRule(orBack === undefined ? refusal : `${refusal}, or the identical bytes`, came);
  await expectEcho(connection, "after-junk");
}

/** Each of the messages is refused, and the server lives. */
function junk(id: string, reference: string, what: string, messages: readonly string[], grade = required) {
  return grade(id, reference, {
    rule: `${what} is refused without harm.`,
    nextStep: "Answer anything outside the contract with an error, or close with 1003, 1007 or 1008.",
    run: async (context) => {
      for (const message of messages) await expectRefused(context, textFrame(message), message);
      await expectAlive(context);
    },
  });
}

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const badNames = ["", " ", "a b", "x".repeat(65), "lobby/1", "ž", 'a"b'];

export const errorChecks: readonly Check[] = [
  junk("errors.empty", `RFC 6455 5.6, ${anythingElse}`, "A message of 0 or 1 bytes", ["", "x", "{", "1"]),
  junk("errors.not-json", anythingElse, "Text that is not JSON", [
    "hello",
    '{"type":"echo"',
    "{'type':'join'}",
    "\u0000\u0001\u0002",
    '{"type":"jo',
  ]),
  required("errors.broken-end", readToTheEnd, {
    rule: "A message that starts like an echo and is invalid later is refused or returned unchanged.",
    nextStep: "Refuse it or return its bytes unchanged. Do not repair it.",
    run: async (context) => {
      for (const message of [echo().slice(0, -2), echo().slice(0, -1), `${echo()}}`, `${echo()} `])
        await expectRefused(context, textFrame(message), message, message);
      await expectAlive(context);
    },
  }),
  junk("errors.not-an-object", anythingElse, "JSON that is not an object", [
    "null",
    "true",
    "42",
    "-1.5e300",
    '"join"',
    "[]",
    '[{"type":"echo"}]',
    "{}",
  ]),
  junk("errors.unknown-type", anythingElse, "An unknown type", [
    '{"type":"shout","room":"lobby"}',
    '{"type":"","from":"c1"}',
    '{"type":"__proto__"}',
    '{"type":"constructor"}',
    '{"type":"joined","room":"lobby"}',
    '{"type":"error","reason":"mine"}',
    '{"type":"ECHO","from":"c1","seq":1,"at":0,"text":""}',
  ]),
  junk("errors.type-not-text", anythingElse, "A type that is not a string", [
    '{"type":null}',
    '{"type":7}',
    '{"type":["echo"]}',
    '{"type":{}}',
  ]),
  junk("errors.deep", anythingElse, "JSON nested 1,000 levels deep or more", [
    nested(1_000),
    nested(30_000),
    `{"type":${nested(5_000)}}`,
  ]),
  junk("errors.large", anythingElse, "64 KiB of junk", [
    "x".repeat(MAX_MESSAGE_BYTES),
    `{"type":"${"y".repeat(60_000)}"}`,
  ]),
  junk(
    "errors.missing-keys",
    anythingElse,
    "A message with a missing key",
    [
      '{"type":"echo"}',
      '{"type":"join"}',
      '{"type":"say"}',
      '{"type":"say","from":"c1","seq":1,"at":0,"text":""}',
    ],
    strict,
  ),
  junk("errors.room-names", roomName, "A join with an invalid room name", badNames.map(join), strict),
  required("errors.binary", "contract, endpoints (binary messages)", {
    rule: "A binary message is answered with an error or refused with 1003, whatever its content.",
    nextStep: "Check the opcode before the payload.",
    run: async (context) => {
      for (const payload of [echo(), join("lobby"), "", Buffer.from("00ff80c0", "hex")])
        await expectRefused(context, binaryFrame(payload), payload);
      await expectAlive(context);
    },
  }),
  strict("errors.reply", "contract, messages (compact JSON objects, keys in exactly this order)", {
    rule: "The error reply is compact JSON: type, then reason.",
    nextStep: 'Write {"type":"error","reason":"…"} without spaces, and nothing else in it.',
    talk: async (connection) => {
      connection.send(textFrame("hello"));
      const arrival = await connection.next();
      if (arrival.kind === "close") return;
      const reply = arrival.kind === "message" ? arrival.bytes.toString() : "";
      const reason = errorReason(reply);
      if (reason === undefined || reply !== JSON.stringify({ type: "error", reason }))
        throw new BrokenRule('{"type":"error","reason":"…"}', arrival);
    },
  }),
];
