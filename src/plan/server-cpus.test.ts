import { expect, test } from "bun:test";
import { serverCpusType } from "./server-cpus.ts";

test.each([
  ["2", 2],
  ["0-1,4", [0, 1, 4]],
  ["4,0,0-1", [0, 1, 4]],
  ["3-3", [3]],
])("%s is read, and written so that it is read again", (text, value) => {
  expect(serverCpusType.read(text)).toEqual({ value });
  expect(serverCpusType.schema.safeParse(value)).toEqual({ success: true, data: value });
  expect(serverCpusType.read(serverCpusType.write(value))).toEqual({ value });
});

test.each(["", "0", "two", "-1", "1,", "3-1", "0;1", "0-99999", "1.5", "1000000"])(
  'nothing is read from "%s"',
  (text) => {
    expect(serverCpusType.read(text)).toMatchObject({ expected: expect.stringContaining("0-1,4") });
  },
);
