import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isShowdownError } from "../errors.ts";
import { readData, readMessageFile } from "./attack-data.ts";
import type { Host } from "./host.ts";

const cwd = mkdtempSync(join(tmpdir(), "showdown-data-"));
afterAll(() => rmSync(cwd, { recursive: true }));
const host = { cwd } as Host;

function write(name: string, bytes: string | Uint8Array): string {
  writeFileSync(join(cwd, name), bytes);
  return name;
}

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isShowdownError(error, "usage")) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("a table as a spreadsheet writes it", () => {
  const data = write("users.csv", '\ufeffname,user-id\r\n"Ada, countess",1\r\nBob,\r\n');
  expect(readData({ data }, host)).toEqual({
    file: data,
    columns: ["name", "user-id"],
    rows: [
      ["Ada, countess", "1"],
      ["Bob", ""],
    ],
  });
});

test.each([
  ["", "it is empty, expected a header and rows"],
  ["name\nAda,1\n", "row 1 has 2 values, expected 1 (name)"],
  ["name,id\nAda,1\nBob\n", "row 2 has 1 values, expected 2 (name, id)"],
  ["name,name\n1,2\n", 'column "name" is there twice'],
  ["full name\nAda\n", 'column "full name": expected a name of letters, digits, _ and -'],
  ['name\n"Ada\n', "it is no CSV: a quotation mark is not closed, or stands in the middle of a value"],
])("%j is refused", (text, problem) => {
  const data = write("wrong.csv", text);
  expect(refusalOf(() => readData({ data }, host))).toBe(`--data wrong.csv: ${problem}`);
});

test("bytes are a message only where they are sent as bytes", () => {
  const file = write("bytes", Uint8Array.of(0xff, 0x00));
  const values = { "message-file": file };
  expect(refusalOf(() => readMessageFile(values, {}, host))).toBe(
    "--message-file bytes: it is not UTF-8, which text messages have to be",
  );
  expect(readMessageFile(values, { binary: true }, host)).toEqual({ text: "\xff\0", encoding: "latin1" });
});
