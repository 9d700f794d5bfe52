import type { Measure, Unit } from "../../measures/measure.ts";

type Value = string | number | boolean | null | undefined;
export type Columns<Record> = Readonly<globalThis.Record<string, (record: Record) => Value>>;

const suffixes: Readonly<Record<Unit, string>> = {
  count: "",
  perSecond: "per_second",
  latency: "us",
  cpu: "us",
  bytes: "bytes",
  share: "share",
  ratio: "",
};

/** `latency.p99.9` is `latency_p99_9_us`. */
export function columnOf({ name, unit }: Measure): string {
  const words = name.replaceAll(/[^a-z0-9]+/gi, "_");
  const suffix = suffixes[unit];
  return suffix === "" || words.endsWith(suffix) ? words : `${words}_${suffix}`;
}

/** Facts as they are, under their own names: `serverRssBytes` is `server_rss_bytes`. */
export function columnsOf<R, F>(
  factsOf: (record: R) => F,
  keys: readonly (keyof F & string)[],
  prefix = "",
): Columns<R> {
  const nameOf = (key: string) => prefix + key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const pick = (key: string) => (record: R) => {
    const facts = factsOf(record);
    return typeof facts === "object" && facts !== null ? (Reflect.get(facts, key) as Value) : null;
  };
  return Object.fromEntries(keys.map((key) => [nameOf(key), pick(key)]));
}

/** RFC 4180: lines end in CRLF, the first is the header; what is not known is empty. */
export function writeCsv<Record>(columns: Columns<Record>, records: readonly Record[]): string {
  const lines = [
    Object.keys(columns),
    ...records.map((record) => Object.values(columns).map((pick) => pick(record))),
  ];
  return lines.map((cells) => `${cells.map(quote).join(",")}\r\n`).join("");
}

/** RFC 4180, section 2, rules 5 to 7: a field with a comma, quote or line break stands in quotes, which are doubled. */
function quote(value: Value): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
