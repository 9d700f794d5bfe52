import { expect, test } from "bun:test";
import { formatCpuList, parseCpuList } from "./cpu-list.ts";

test("CPU lists", () => {
  expect(parseCpuList("0-2,5,8-9\n")).toEqual([0, 1, 2, 5, 8, 9]);
  expect(parseCpuList("")).toEqual([]);
  expect(formatCpuList([9, 0, 1, 2, 5, 8, 8])).toBe("0-2,5,8-9");
});
