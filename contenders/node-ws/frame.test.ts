import { expect, test } from "bun:test";
import { frameText } from "./frame.ts";

test.each([
  [0, [0x81, 0]],
  [125, [0x81, 125]],
  [126, [0x81, 126, 0, 126]],
  [65_535, [0x81, 126, 255, 255]],
  [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
])("frames %d bytes with the shortest length there is", (length, head) => {
  const payload = Buffer.alloc(length, "x");
  expect(frameText(payload)).toEqual(Buffer.concat([Buffer.from(head), payload]));
});
