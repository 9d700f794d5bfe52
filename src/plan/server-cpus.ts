import { z } from "zod";
import { formatCpuList, parseCpuList } from "../text/cpu-list.ts";
import type { ValueType } from "./value-type.ts";

/** So many CPUs, or these by number, ascending. */
export type ServerCpus = number | readonly number[];

const highestCpu = 65_535;

/** A plain number is how many; a list or a range says which, so that CPU 3 alone is `3-3`. */
export const serverCpusType: ValueType<ServerCpus> = {
  placeholder: "N|LIST",
  schema: z.union([
    z
      .int()
      .min(1)
      .max(highestCpu + 1),
    z.array(z.int().min(0).max(highestCpu)).min(1).readonly(),
  ]),
  read: (text) => {
    const isNumber = /^\d{1,5}$/.test(text);
    const value = isNumber ? Number(text) : readList(text);
    return value === 0 || value === null
      ? { expected: "how many CPUs, from 1, or which, as in 0-1,4 (CPU 0 alone is 0-0)" }
      : { value };
  },
  write: (value) => {
    if (typeof value === "number") return `${value}`;
    return value.length === 1 ? `${value[0]}-${value[0]}` : formatCpuList(value);
  },
};

function readList(text: string): number[] | null {
  if (!/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(text)) return null;
  const ranges = text.split(",").map(parseCpuList);
  const cpus = [...new Set(ranges.flat())].sort((a, b) => a - b);
  // A range that goes down has none.
  return ranges.every(({ length }) => length > 0) && cpus.every((cpu) => cpu <= highestCpu) ? cpus : null;
}
