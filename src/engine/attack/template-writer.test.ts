import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseTemplate } from "../../plan/attack/template.ts";
import { opcode } from "../../websocket/frame.ts";
import { ByteHash } from "./byte-hash.ts";
import { TemplateWriter } from "./template-writer.ts";

function writer(text: string, columns: readonly string[] = [], rows: readonly string[][] = []) {
  return new TemplateWriter({
    parts: parseTemplate(text, columns),
    encoding: "utf8",
    frameOpcode: opcode.text,
    columns,
    rows,
    seed: 5,
  });
}

/** The payload of a masked client frame. */
function unmask({ bytes, start, end }: TemplateWriter): { payload: Uint8Array; first: number } {
  const short = (bytes[start + 1] as number) & 0x7f;
  const mask = start + (short < 126 ? 2 : short === 126 ? 4 : 10);
  const payload = bytes.slice(mask + 4, end).map((byte, at) => byte ^ (bytes[mask + (at & 3)] as number));
  return { payload, first: bytes[start] as number };
}

test("fields are filled in, message by message, in one buffer", () => {
  const one = writer("{{connection}}/{{sequence}} {{id}} <{{name}}> {{stamp}} é", ["name"], [["Zoë"], [""]]);
  const said = (...numbers: Parameters<TemplateWriter["write"]>) => {
    one.write(...numbers);
    return Buffer.from(unmask(one).payload).toString();
  };
  expect(said(0, 12, 9, 1_234_567, 89)).toBe("12/9 12-9 <Zoë> @12.9.1234567.89@ é");
  expect(said(1, 3, 10, 0, 0)).toBe("3/10 3-10 <> @3.10.0.0@ é");
  expect(said(0, 12, 9, 2 ** 52, 89)).toBe("12/9 12-9 <Zoë> @12.9.4503599627370496.89@ é");
});

test("random text has its length, and differs; the time is now", () => {
  const one = writer("{{random:50}} {{time}}");
  const said = () => one.writeText(0, 0, 1, 0, 0).split(" ");
  const [first = "", time] = said();
  expect(first).toMatch(/^[a-z0-5]{50}$/);
  expect(said()[0]).not.toBe(first);
  expect(Math.abs(Number(time) - Date.now())).toBeLessThan(60_000);
});

test("frames of any length are masked text, and their hash is that of their bytes", () => {
  const hash = new ByteHash();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 70 }), fc.nat(1000), (text, repeated) => {
      const plain = text.replaceAll("{{", "{").repeat(repeated);
      const one = writer(plain);
      one.write(0, 0, 1, 0, 0);
      const { payload, first } = unmask(one);
      expect(first).toBe(0x80 | opcode.text);
      expect(Buffer.from(payload).equals(Buffer.from(plain))).toBe(true);
      expect(hash.of(payload, 0, payload.length)).toBe(one.hash);
    }),
    { numRuns: 60 },
  );
});

test("a byte more, less or other is another hash", () => {
  const hash = new ByteHash();
  const bytes = Buffer.from("hello 1 of 2");
  const whole = hash.of(bytes, 0, bytes.length);
  expect(hash.of(bytes, 0, bytes.length - 1)).not.toBe(whole);
  for (let at = 0; at < bytes.length; at += 1) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] as number) ^ 1;
    expect(hash.of(other, 0, other.length)).not.toBe(whole);
  }
});
