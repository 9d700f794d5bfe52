/** How every number is written, in the terminal, in Markdown and on a status line. What is not known is `–`. */
export const unknown = "–";

/** `39,384`; below 10 with one decimal unless whole. */
export function formatCount(count: number | null): string {
  if (count === null) return unknown;
  const decimals = Number.isInteger(count) || Math.abs(count) >= 10 ? 0 : 1;
  return fixed(count, decimals);
}

/** `39,384/s`. @param perSecond of anything */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null) return unknown;
  return `${fixed(perSecond, perSecond >= 100 || Number.isInteger(perSecond) ? 0 : 1)}/s`;
}

/** Three digits in the unit that fits: `840 µs`, `1.23 ms`, `254 ms`, `12.3 s`. */
export function formatLatency(us: number | null): string {
  if (us === null) return unknown;
  if (Math.round(us) < 1000) return `${threeDigits(us, 0)} µs`;
  if (Number((us / 1000).toPrecision(3)) < 1000) return `${threeDigits(us / 1000)} ms`;
  return `${threeDigits(us / 1e6)} s`;
}

/** Decimal units (1 MB = 1,000,000 bytes): `52 MB`, `4.2 kB`. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return unknown;
  let value = bytes;
  let unit = 0;
  while (Number(Math.abs(value).toPrecision(3)) >= 1000 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${fixed(value, unit > 0 && Math.abs(value) < 9.95 ? 1 : 0)} ${byteUnits[unit]}`;
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"];

/** `×1.42`, `×0.0042`. */
export function formatRatio(ratio: number | null): string {
  return ratio === null ? unknown : `×${formatFactor(ratio)}`;
}

/** A ratio in a sentence: `1.42` times as many. */
export function formatFactor(ratio: number): string {
  if (ratio === 0) return "0";
  if (Math.abs(ratio) >= 9.995) return fixed(ratio, ratio >= 99.95 ? 0 : 1);
  return Math.abs(ratio) >= 0.0995 ? fixed(ratio, 2) : String(Number(ratio.toPrecision(2)));
}

/** `96.9 %`. Neither 0 % nor 100 % unless it is exactly that. */
export function formatShare(share: number | null): string {
  if (share === null) return unknown;
  if (share === 0 || share === 1) return `${share * 100} %`;
  const percent = share * 100;
  if (percent > 0 && percent < 0.05)
    return percent < 0.001 ? "< 0.001 %" : `${Number(percent.toPrecision(1))} %`;
  if (percent > 99.95 && percent < 100) return percent > 99.999 ? "> 99.999 %" : `${cut(percent, 3)} %`;
  return `${fixed(percent, 1)} %`;
}

/** Processor time of one event: `12.3 µs`. */
export function formatCpu(us: number | null): string {
  if (us === null) return unknown;
  if (us > 0 && us < 0.01) return `${us.toPrecision(1)} µs`;
  return us < 1000 ? `${threeDigits(us)} µs` : formatLatency(us);
}

/** `1 h 3 min`, `4 min 10 s`, `12 s`, `0.8 s`. */
export function formatDuration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return unknown;
  if (ms < 9950) return `${fixed(ms / 1000, ms % 1000 === 0 ? 0 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `one`, `two`, … `twelve`, then digits: for sentences. */
export function formatSmallCount(count: number): string {
  return smallCounts[count] ?? formatCount(count);
}

const smallCounts = "no one two three four five six seven eight nine ten eleven twelve".split(" ");

/** No line break between a number and its unit, nor between an option and its value. */
export function keepTogether(text: string): string {
  return text.replaceAll(/(?<=\d) (?=(?:[µm]?s|[kMGT]?B|%)(?!\w))|(?<=--[a-z-]+) /g, "\u00a0");
}

/** `a`, `a and b`, `a, b and c`. */
export function joinNames(names: readonly string[], word = "and"): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** The plural only adds an s. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function threeDigits(value: number, mostDecimals = 2): string {
  const magnitude = Math.abs(value);
  return fixed(value, Math.min(mostDecimals, magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0));
}

function cut(value: number, decimals: number): string {
  const power = 10 ** decimals;
  return String(Math.floor(value * power) / power);
}

function fixed(value: number, decimals: number): string {
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
