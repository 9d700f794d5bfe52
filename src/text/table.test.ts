import { expect, test } from "bun:test";
import { renderMarkdown, renderText, type Table } from "./table.ts";

const table: Table = {
  columns: [
    { header: "name", align: "left" },
    { header: "rate", align: "right", group: 0 },
    { header: "p50", align: "right", group: 1 },
    { header: "p99", align: "right", group: 1 },
  ],
  rows: [
    {
      cells: [{ text: "bun" }, { text: "39,384/s", style: "good" }, { text: "840 µs" }, { text: "1.23 ms" }],
    },
    { cells: [{ text: "größer" }, { text: "–" }, { text: "9 µs" }, { text: "漢字" }] },
    { cells: [{ text: "theirs" }, { text: "854/s" }, { text: "" }, { text: "–" }] },
  ],
};

test("numbers end in the same column, also beside letters of more bytes or double width", () => {
  expect(renderText(table, { width: 80 })).toEqual([
    "  name        rate     p50      p99",
    "  bun     39,384/s  840 µs  1.23 ms",
    "  größer         –    9 µs     漢字",
    "  theirs     854/s                –",
  ]);
});

test("too wide a table goes on below by groups, without rows that have nothing there", () => {
  expect(renderText(table, { width: 34 })).toEqual([
    "  name        rate",
    "  bun     39,384/s",
    "  theirs     854/s",
    "",
    "  name       p50      p99",
    "  bun     840 µs  1.23 ms",
    "  größer    9 µs     漢字",
  ]);
});

test("a group that is too wide by itself is divided too", () => {
  const lines = renderText(table, { width: 18 });
  expect(lines.filter((line) => line.startsWith("  name"))).toHaveLength(3);
});

test("colour adds nothing to the width", () => {
  const colored = renderText(table, { width: 80, color: true });
  expect(colored.join("")).toContain("\x1b[32m39,384/s");
  expect(colored.map((line) => Bun.stripANSI(line).trimEnd())).toEqual(renderText(table, { width: 80 }));
});

test("Markdown escapes what would be markup", () => {
  const marked: Table = { ...table, rows: [...table.rows, { cells: [{ text: "a|b*c\nd" }] }] };
  expect(renderMarkdown(marked)).toEqual([
    "| name | rate | p50 | p99 |",
    "| --- | --: | --: | --: |",
    "| bun | **39,384/s** | 840 µs | 1.23 ms |",
    "| größer | – | 9 µs | 漢字 |",
    "| theirs | 854/s |  | – |",
  ]);
  const told: Table = { ...marked, rows: [{ cells: [{ text: "a|b*c\nd" }, { text: "1" }] }] };
  expect(renderMarkdown(told)[2]).toBe("| a\\|b\\*c d | 1 |  |  |");
});

test("a table without rows is its header", () => {
  expect(renderText({ ...table, rows: [] }, { width: 80 })).toEqual(["  name  rate  p50  p99"]);
});
