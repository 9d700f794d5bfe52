import { expect, test } from "bun:test";
import { parseCsv } from "./csv.ts";

test.each([
  [
    "a,b\n1,2\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  ["\ufeffa\r\n1\r\n\r\n2", [["a"], ["1"], ["2"]]],
  [
    'a,b\n"x, ""y""\nz",',
    [
      ["a", "b"],
      ['x, "y"\nz', ""],
    ],
  ],
  [
    "a,b\n,\n",
    [
      ["a", "b"],
      ["", ""],
    ],
  ],
  ["", []],
  ['a\n"x"y\n', []],
])("%j", (text, rows) => {
  expect(parseCsv(text)).toEqual(rows);
});
