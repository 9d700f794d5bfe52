import { expect, test } from "bun:test";
import { createMatcher, parsePointer, valueAt } from "./matcher.ts";
import { answer, Outstanding } from "./outstanding.ts";

function match(reply: Parameters<typeof createMatcher>[0], text: string, isText = true) {
  const outstanding = new Outstanding();
  for (let seq = 1; seq <= 3; seq += 1) outstanding.add(0, 0, 0);
  const bytes = Buffer.from(`..${text}..`);
  return createMatcher(reply, false).match(outstanding, 7, bytes, 2, bytes.length - 2, isText);
}

test.each([
  ["/id", '{"id":2}', answer.inOrder],
  ["/id", '{"id":"2"}', answer.inOrder],
  ["/id", '{"id":"7-2"}', answer.inOrder],
  ["/id", '{"id":"8-2"}', answer.unknown],
  ["/id", '{"id":4}', answer.unknown],
  ["/id", '{"id":null}', answer.unknown],
  ["/id", '{"other":2}', answer.unknown],
  ["/id", "2", answer.unknown],
  ["/id", "not JSON", answer.unknown],
  ["/a~1b/1/~0", '{"a/b":[0,{"~":3}]}', answer.inOrder],
  ["/toString", "{}", answer.unknown],
] as const)("%s of %s", (pointer, text, expected) => {
  expect(match({ kind: "json", pointer }, text)).toBe(expected);
});

test.each([
  ["id=(\\d+)", "x id=2 y", answer.inOrder],
  ["id=(\\S+)", "id=7-3", answer.inOrder],
  ["id=(\\S+)", "id=abc", answer.unknown],
  ["^ok", "ok, whatever", answer.inOrder],
  ["^ok", "not ok", answer.unknown],
] as const)("regex %s of %s", (pattern, text, expected) => {
  expect(match({ kind: "regex", pattern }, text)).toBe(expected);
});

test("an echo is of the same kind of message", () => {
  expect(match({ kind: "echo" }, "", false)).toBe(answer.unknown);
  expect(match({ kind: "order" }, "anything", false)).toBe(answer.inOrder);
  expect(match({ kind: "none" }, "anything")).toBe(answer.unknown);
});

test("pointers have RFC 6901's escapes", () => {
  expect(parsePointer("/a~1b/~01/")).toEqual(["a/b", "~1", ""]);
  expect(valueAt({ "": { "": 5 } }, parsePointer("//"))).toBe(5);
  expect(valueAt("text", ["length"])).toBeUndefined();
});
