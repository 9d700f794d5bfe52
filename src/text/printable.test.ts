import { expect, test } from "bun:test";
import fc from "fast-check";
import { printable, printableLines } from "./printable.ts";

test("what a terminal obeys is made visible", () => {
  expect(printable("\x1b[2J\x1b]0;title\x07")).toBe("\\x1b[2J\\x1b]0;title\\x07");
  expect(printable("\x9b31m")).toBe("\\x9b31m");
  expect(printable("\x7f\0")).toBe("\\x7f\\0");
  expect(printable("a\r\nb\nc\rd\te")).toBe("a⏎b⏎c\\rd\\te");
});

test("what hides or reorders text is made visible", () => {
  expect(printable("user\u202egnp.exe")).toBe("user\\u{202e}gnp.exe");
  expect(printable("a\u200bb\u2066c\ufeffd\u2028e")).toBe("a\\u{200b}b\\u{2066}c\\u{feff}d\\u{2028}e");
  expect(printable("\u{e0041}\ud800")).toBe("\\u{e0041}\\u{d800}");
});

test("text in any language stays as it is", () => {
  const text = "ünïcode, 日本語, עברית, 🎉 µs – “quoted” \u00a0";
  expect(printable(text)).toBe(text);
});

test("what is too long is cut, never in the middle of an escape or a character", () => {
  expect(printable("abcdef", { most: 6 })).toBe("abcdef");
  expect(printable("abcdefg", { most: 6 })).toBe("abcde…");
  expect(printable("abc\x1bdef", { most: 6 })).toBe("abc…");
  expect(printable("🎉🎉🎉🎉", { most: 3 })).toBe("🎉🎉…");
});

test("nothing unsafe is left of anything, and no more than asked for", () => {
  const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
  const anything = fc.string({
    unit: fc.integer({ min: 0, max: 0x2100 }).map((code) => String.fromCodePoint(code)),
  });
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 40 }), (text, most) => {
      const shown = printable(text, { most });
      expect(unsafe.test(shown)).toBe(false);
      expect([...shown].length).toBeLessThanOrEqual(most);
    }),
  );
});

test("several lines keep their ends and indents", () => {
  expect(printableLines("one\r\n\t\x1b[31mtwo\n")).toBe("one\n    \\x1b[31mtwo\n");
});
