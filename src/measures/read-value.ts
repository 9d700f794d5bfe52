import type { Unit } from "./measure.ts";

/** What may follow a number, and by what it is multiplied. */
const times = { µs: 1, us: 1, ms: 1e3, s: 1e6 };
const units: Readonly<Record<Unit, Readonly<Record<string, number>>>> = {
  latency: times,
  cpu: times,
  bytes: { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 },
  perSecond: { "/s": 1, "": 1 },
  share: { "%": 0.01 },
  count: { "": 1 },
  ratio: { "": 1 },
};

/** A value with its unit, as it is typed: `50ms`, `1,000/s`. @returns what is wrong, where it is none */
export function readValue(text: string, unit: Unit): number | string {
  const names = Object.keys(units[unit]).filter((name) => name !== "" && name !== "us");
  const withUnit = names.length === 1 ? "with the unit" : "with one of the units";
  const expected =
    names.length === 0 ? "a number without a unit" : `a number ${withUnit} ${names.join(", ")}`;
  const match = /^(\d{1,3}(?:[_,]\d{3})+|\d+)(\.\d+)?\s*(\D*)$/.exec(text);
  // The Greek letter and the micro sign look the same, and keyboards have either.
  const factor = match === null ? undefined : units[unit][(match[3] ?? "").trim().replace("μ", "µ")];
  if (match === null || factor === undefined) return `value "${text}": expected ${expected}`;
  return Number(`${match[1]?.replaceAll(/[_,]/g, "")}${match[2] ?? ""}`) * factor;
}
