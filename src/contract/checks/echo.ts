import type { Check, CheckContext } from "../check.ts";
import { expectEcho, expectMessage, expectMessages, expectNothing } from "../expectations.ts";
import { textFrame } from "../frame.ts";
import { echo, echoRaw, join, joined } from "../messages.ts";

const about = {
  reference: "contract, messages (echo), identical bytes",
  grade: "required",
  nextStep: "Return the received bytes instead of re-encoding the message.",
} as const;

async function expectEchoed(context: CheckContext, messages: readonly string[]): Promise<void> {
  const connection = await context.open();
  for (const message of messages) {
    connection.send(textFrame(message));
    await expectMessage(connection, message);
  }
}

export const echoChecks: readonly Check[] = [
  {
    ...about,
    id: "echo.identity",
    rule: "An echo returns the identical bytes.",
    run: (context) =>
      expectEchoed(context, [
        echo(),
        echo({ from: "c17", seq: 3, at: 123_456, text: "hello" }),
        echo({ from: "", seq: 1, text: "an empty name" }),
        echo({ from: "c1", seq: 4_294_967_296, at: Number.MAX_SAFE_INTEGER, text: " spaces  kept " }),
      ]),
  },
  {
    ...about,
    id: "echo.escapes",
    rule: "Every JSON escape returns as it was written.",
    reference: "contract, messages (text is any JSON string), RFC 8259 7",
    run: (context) =>
      expectEchoed(context, [
        echoRaw(String.raw`"\"\\\/\b\f\n\r\t"`),
        echoRaw(String.raw`"\u0041\u00e9\u00E9\u20ac"`),
        echoRaw(String.raw`"\ud83d\ude00\uD83D\uDE00"`),
        echoRaw(String.raw`"\u0000\u001f\u007f"`),
        echoRaw(String.raw`"\u2028\u2029"`),
        echoRaw(`"/<>&'+="`),
        echoRaw(String.raw`"\u003c\u003e\u0026"`),
        echoRaw('"\\\\n is no line break, \\\\\\" is no end"'),
      ]),
  },
  {
    ...about,
    id: "echo.lone-surrogate",
    rule: "The escape of a lone surrogate, which JSON allows, returns as it was written.",
    reference: "contract, messages (text is any JSON string), RFC 8259 7, 8.2",
    grade: "strict",
    run: (context) => expectEchoed(context, [echoRaw(String.raw`"\ud83d"`), echoRaw(String.raw`"a\udc00b"`)]),
  },
  {
    ...about,
    id: "echo.multibyte",
    rule: "Characters of every width return as they were written.",
    run: (context) =>
      expectEchoed(
        context,
        [
          "žluťoučký kůň",
          "中文字符",
          "עברית العربية",
          "👩‍👩‍👧‍👦 🇨🇿",
          "e\u0301 is not é",
          "\u2028\u2029\ufeff\ufffd\u007f",
        ].map((text) => echo({ from: "č1", text })),
      ),
  },
  {
    ...about,
    id: "echo.look-alikes",
    rule: "The text is never interpreted as a message.",
    nextStep: "Route by the message's first bytes or by its parsed type, never by its text.",
    run: (context) =>
      expectEchoed(context, [
        echo({ text: '{"type":"say","room":"lobby"}' }),
        echo({ text: '"type":"join"' }),
        echo({ from: '","type":"join","room":"x', text: "}" }),
        echo({ text: "crash" }),
      ]),
  },
  {
    ...about,
    id: "echo.sender-only",
    rule: "An echo goes to its sender only, also within a room.",
    nextStep: "Answer an echo on the connection it came from.",
    run: async (context) => {
      const room = context.room();
      const [sender, other] = [await context.open(), await context.open()];
      for (const connection of [sender, other]) {
        connection.send(textFrame(join(room)));
        await expectMessage(connection, joined(room), "the answer to join");
      }
      await expectEcho(sender, "sender");
      await expectEcho(other, "other");
      await expectNothing(context, other, "nothing but its own echo");
    },
  },
  {
    ...about,
    id: "echo.order",
    rule: "1,000 echoes sent at once return exactly once and in order.",
    reference: "contract, promises (delivery)",
    nextStep: "Handle a connection's messages one after another.",
    run: async (context) => {
      const connection = await context.open();
      const messages = Array.from({ length: 1_000 }, (_, i) =>
        echo({ from: "order", seq: i + 1, at: i, text: "x".repeat(i % 50) }),
      );
      connection.send(...messages.map((message) => textFrame(message)));
      await expectMessages(connection, messages, "each echo once and in order");
      await expectNothing(context, connection, "nothing after the last echo");
    },
  },
];
