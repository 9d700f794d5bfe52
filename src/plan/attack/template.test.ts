import { expect, test } from "bun:test";
import { isNumbered, parseTemplate } from "./template.ts";

test("text and fields alternate, and braces of JSON are text", () => {
  expect(parseTemplate('{"a":{"n":{{sequence}}}}{{ random:3 }}{{name}}', ["name"])).toEqual([
    { kind: "text", text: '{"a":{"n":' },
    { kind: "sequence" },
    { kind: "text", text: "}}" },
    { kind: "random", length: 3 },
    { kind: "column", name: "name" },
  ]);
});

test("a column is named before a field of the same name", () => {
  expect(parseTemplate("{{id}}", ["id"])).toEqual([{ kind: "column", name: "id" }]);
});

test.each([
  ["{{conection}}", /unknown field \{\{conection\}\}, did you mean "connection"/],
  ["{{\u001b[2J}}", /unknown field \{\{\\x1b\[2J\}\}/],
  ["{{random:0}}", /expected a length from 1 to/],
])("%j is refused", (text, message) => {
  expect(() => parseTemplate(text, [])).toThrow(message);
});

test("only numbers tell messages of a connection apart", () => {
  const isTold = (text: string) => isNumbered(parseTemplate(text, []));
  expect(["{{sequence}}", "{{id}}", "{{stamp}}", "{{time}} {{connection}} {{random:9}}"].map(isTold)).toEqual(
    [true, true, true, false],
  );
});
