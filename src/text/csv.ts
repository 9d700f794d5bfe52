/**
 * Rows of comma-separated values (RFC 4180): fields in quotation marks may hold commas, line breaks and doubled
 * quotation marks. Empty lines are none.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy;
  const source = text.replace(/^\ufeff/, "");
  while (field.lastIndex < source.length) {
    const found = field.exec(source);
    // What follows a closing quotation mark belongs to nothing.
    if (found === null) return [];
    const [, value = "", end = ""] = found;
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === ",") {
      if (field.lastIndex === source.length) row.push("");
      else continue;
    }
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
