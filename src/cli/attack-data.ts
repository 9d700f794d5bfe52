import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ShowdownError } from "../errors.ts";
import type { AttackRequest, DataTable } from "../plan/attack/plan.ts";
import { parseCsv } from "../text/csv.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";

/** @throws {ShowdownError} `usage` */
export function readData({ data }: OptionValues, host: Host): DataTable | null {
  if (data === undefined) return null;
  const text = readFile("--data", data, host).toString("utf8");
  const [columns = [], ...rows] = parseCsv(text);
  const refuse = (problem: string) =>
    new ShowdownError("usage", `--data ${data}: ${problem}`, {
      hint: "the first line names the columns, each further line is a connection's",
    });
  if (columns.length === 0 && text.trim() !== "") {
    throw refuse("it is no CSV: a quotation mark is not closed, or stands in the middle of a value");
  }
  if (columns.length === 0) throw refuse("it is empty, expected a header and rows");
  const wrong = columns.find((name) => !/^[\w-]+$/.test(name));
  if (wrong !== undefined) {
    throw refuse(`column "${wrong}": expected a name of letters, digits, _ and -`);
  }
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw refuse(`column "${twice}" is there twice`);
  for (const [at, row] of rows.entries()) {
    if (row.length !== columns.length) {
      throw refuse(
        `row ${at + 1} has ${row.length} values, expected ${columns.length} (${columns.join(", ")})`,
      );
    }
  }
  return { file: data, columns, rows };
}

/** @throws {ShowdownError} `usage` */
export function readMessageFile(
  values: OptionValues,
  { message, binary }: { readonly message?: string | undefined; readonly binary?: boolean | undefined },
  host: Host,
): AttackRequest["messageFile"] {
  const file = values["message-file"];
  if (file === undefined) return null;
  if (message !== undefined) {
    throw new ShowdownError("usage", "--message and --message-file: expected one of them");
  }
  const bytes = readFile("--message-file", file, host);
  if (binary) return { text: bytes.toString("latin1"), encoding: "latin1" };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf8" };
  } catch {
    throw new ShowdownError(
      "usage",
      `--message-file ${file}: it is not UTF-8, which text messages have to be`,
      {
        hint: "give --binary",
      },
    );
  }
}

function readFile(option: string, file: string, host: Host): Buffer {
  try {
    return readFileSync(resolve(host.cwd, file));
  } catch (cause) {
    throw new ShowdownError("usage", `${option} ${file}: ${(cause as Error).message}`, { cause });
  }
}
