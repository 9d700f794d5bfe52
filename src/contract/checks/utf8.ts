import { type Check, required } from "../check.ts";
import { expectMessage } from "../expectations.ts";
import { cut, fragments, textFrame } from "../frame.ts";
import { echoAround } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";
import { violation } from "./violation.ts";

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(" ", ""), "hex");

/** The first and last characters of each width, those beside the surrogates, and noncharacters, which are allowed. */
// biome-ignore format: a table
const valid = [
  "7f", "c2 80", "df bf", "e0 a0 80", "ed 9f bf", "ee 80 80", "ef bf bd", "ef bf bf", "ef bb bf",
  "f0 90 80 80", "f0 9f 92 a9", "f4 8f bf bf", "f1 bf bf be", "ce ba e1 bd b9 cf 83 ce bc ce b5",
];

/** Sequences that are not UTF-8, by what is wrong with them (RFC 3629 3, 4). */
const invalid = {
  "lone-continuation": ["80", "bf", "80 bf 80", "41 80 41", "ce ba 80"],
  truncated: ["c3", "e2 82", "e2", "f0 9f 92", "f0 9f", "f0", "c3 c3 a9", "e2 82 41", "f0 9f 92 41"],
  overlong: ["c0 80", "c0 af", "c1 bf", "e0 80 af", "e0 9f bf", "f0 80 80 af", "f0 8f bf bf"],
  surrogate: ["ed a0 80", "ed af bf", "ed b0 80", "ed bf bf", "ed a0 80 ed b0 80"],
  "above-range": ["f4 90 80 80", "f5 80 80 80", "f7 bf bf bf"],
  impossible: ["fe", "ff", "fe fe ff ff", "f8 88 80 80 80", "fc 84 80 80 80 80"],
} as const;

const clauses = "RFC 6455 5.6, 8.1, RFC 3629";
const about = {
  codes: [1007],
  nextStep: "Validate the reassembled bytes of a text message before anything else.",
};

/** Cut in the middle of the bad sequence, so that neither part is worse than unfinished. */
const cutMessages = ["ed a0 80", "f0 80 80 af", "e2 82 41", "c3 41"].map((digits) => {
  const whole = echoAround(hex(digits));
  const at = whole.indexOf(hex(digits)) + 1;
  return { digits, whole, parts: [whole.subarray(0, at), whole.subarray(at)] };
});

/** Each valid sequence in a message, cut at `at` inside the sequence, returns as it was sent. */
const allEchoed =
  (send: (message: Buffer, at: number) => readonly Uint8Array[]) => async (connection: RawConnection) => {
    for (const digits of valid) {
      const sequence = hex(digits);
      const message = echoAround(sequence);
      const from = message.indexOf(sequence);
      for (let at = from + 1; at < from + Math.max(sequence.length, 2); at++) {
        await connection.sendApart(send(message, at));
        await expectMessage(connection, message, `the identical bytes around ${digits}`);
      }
    }
  };

export const utf8Checks: readonly Check[] = [
  required("utf8.valid", clauses, {
    ...about,
    rule: "Any valid UTF-8 is accepted, from U+007F to U+10FFFF, including noncharacters.",
    talk: allEchoed((message) => [textFrame(message)]),
  }),
  required("utf8.valid-in-fragments", clauses, {
    ...about,
    rule: "A character may span two fragments.",
    talk: allEchoed((message, at) => fragments([message.subarray(0, at), message.subarray(at)])),
  }),
  required("utf8.valid-in-packets", clauses, {
    ...about,
    rule: "A character may span two packets.",
    talk: allEchoed((message, at) => {
      const frame = textFrame(message);
      const cutAt = frame.length - message.length + at;
      return [frame.subarray(0, cutAt), frame.subarray(cutAt)];
    }),
  }),
  ...Object.entries(invalid).flatMap(([name, sequences]) =>
    violation(`utf8.${name}`, clauses, {
      ...about,
      rule: `Text with ${name.replace("-", " ")} UTF-8 (such as ${sequences[0]}) fails the connection.`,
      attempts: sequences.map((digits) => [
        `the bytes ${digits} in a text message`,
        textFrame(echoAround(hex(digits))),
      ]),
    }),
  ),
  ...violation("utf8.invalid-in-fragments", clauses, {
    ...about,
    rule: "Invalid UTF-8 is detected across two fragments.",
    attempts: cutMessages.map(({ digits, parts }) => [
      `the bytes ${digits} cut between two fragments`,
      Buffer.concat(fragments(parts)),
    ]),
  }),
  ...violation("utf8.invalid-in-packets", clauses, {
    ...about,
    rule: "Invalid UTF-8 is detected when sent byte by byte.",
    attempts: cutMessages
      .slice(0, 2)
      .map(({ digits, whole }) => [
        `the bytes ${digits}, sent one by one`,
        (connection: RawConnection) => connection.sendApart(cut(textFrame(whole), 1)),
      ]),
  }),
  ...violation("utf8.unfinished", clauses, {
    ...about,
    rule: "A text message that ends inside a character fails the connection.",
    attempts: ["c3", "e2 82", "f0 9f 92"].map((digits) => [
      `a text message that ends with ${digits}`,
      textFrame(hex(`4f 4b ${digits}`)),
    ]),
  }),
];
