import { type Check, required, strict } from "../check.ts";
import { expectEcho, expectMessages, expectNothing, expectReturned, joinRoom } from "../expectations.ts";
import { textFrames } from "../frame.ts";
import { echo, echoRaw } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";

const identical = "contract, messages (echo), identical bytes";
const anyString = "contract, messages (text is any JSON string), RFC 8259 7";
const returnBytes = "Return the received bytes instead of re-encoding the message.";

const eachReturned = (messages: readonly string[]) => async (connection: RawConnection) => {
  for (const message of messages) await expectReturned(connection, message);
};

export const echoChecks: readonly Check[] = [
  required("echo.identity", identical, {
    rule: "An echo returns the identical bytes.",
    nextStep: returnBytes,
    talk: eachReturned([
      echo(),
      echo({ from: "c17", seq: 3, at: 123_456, text: "hello" }),
      echo({ from: "", seq: 1, text: "an empty name" }),
      echo({ from: "c1", seq: 4_294_967_296, at: Number.MAX_SAFE_INTEGER, text: " spaces  kept " }),
    ]),
  }),
  required("echo.escapes", anyString, {
    rule: "Every JSON escape returns as it was written.",
    nextStep: returnBytes,
    talk: eachReturned([
      echoRaw(String.raw`"\"\\\/\b\f\n\r\t"`),
      echoRaw(String.raw`"\u0041\u00e9\u00E9\u20ac"`),
      echoRaw(String.raw`"\ud83d\ude00\uD83D\uDE00"`),
      echoRaw(String.raw`"\u0000\u001f\u007f"`),
      echoRaw(String.raw`"\u2028\u2029"`),
      echoRaw(`"/<>&'+="`),
      echoRaw(String.raw`"\u003c\u003e\u0026"`),
      echoRaw('"\\\\n is no line break, \\\\\\" is no end"'),
    ]),
  }),
  strict("echo.lone-surrogate", `${anyString}, 8.2`, {
    rule: "The escape of a lone surrogate, which JSON allows, returns as it was written.",
    nextStep: returnBytes,
    talk: eachReturned([echoRaw(String.raw`"\ud83d"`), echoRaw(String.raw`"a\udc00b"`)]),
  }),
  required("echo.multibyte", identical, {
    rule: "Characters of every width return as they were written.",
    nextStep: returnBytes,
    talk: eachReturned(
      [
        "žluťoučký kůň",
        "中文字符",
        "עברית العربية",
        "👩‍👩‍👧‍👦 🇨🇿",
        "e\u0301 is not é",
        "\u2028\u2029\ufeff\ufffd\u007f",
      ].map((text) => echo({ from: "č1", text })),
    ),
  }),
  required("echo.look-alikes", identical, {
    rule: "The text is never interpreted as a message.",
    nextStep: "Route by the message's first bytes or by its parsed type, never by its text.",
    talk: eachReturned([
      echo({ text: '{"type":"say","room":"lobby"}' }),
      echo({ text: '"type":"join"' }),
      echo({ from: '","type":"join","room":"x', text: "}" }),
      echo({ text: "crash" }),
    ]),
  }),
  required("echo.sender-only", identical, {
    rule: "An echo goes to its sender only, also within a room.",
    nextStep: "Answer an echo on the connection it came from.",
    run: async (context) => {
      const room = context.room();
      const [sender, other] = [await context.open(), await context.open()];
      for (const connection of [sender, other]) await joinRoom(connection, room);
      await expectEcho(sender, "sender");
      await expectEcho(other, "other");
      await expectNothing(context, other, "nothing but its own echo");
    },
  }),
  required("echo.order", "contract, promises (delivery)", {
    rule: "1,000 echoes sent at once return exactly once and in order.",
    nextStep: "Handle a connection's messages one after another.",
    talk: async (connection, context) => {
      const messages = Array.from({ length: 1_000 }, (_, i) =>
        echo({ from: "order", seq: i + 1, at: i, text: "x".repeat(i % 50) }),
      );
      connection.send(textFrames(messages));
      await expectMessages(connection, messages, "each echo once and in order");
      await expectNothing(context, connection, "nothing after the last echo");
    },
  }),
];
