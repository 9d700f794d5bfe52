import { findVersion } from "./version.ts";

interface Product {
  readonly name: string;
  /** `VERSION:DAY` on which its makers' support of that version ends or ended; only of those that a contender may have. */
  readonly ends: string;
}

/**
 * As of August 2026. What is not listed is either younger or never had a day (Bun mends its latest version only).
 *
 * @source endoflife.date (commit of 22 Aug 2026), which follows each maker's own page: nodejs/Release schedule.json
 * (20 ended on 30 Apr 2026); Erlang/OTP mends three releases (25 ended when 28 was there, May 2025); Elixir mends five
 * (1.14 ended with 1.19); Go two; Rust one; python.org/downloads; Java by adoptium.net/support; maven.apache.org
 */
const products: Readonly<Record<string, Product>> = {
  bun: { name: "Bun", ends: "" },
  cargo: {
    name: "Rust",
    ends: "1.85:2025-04-03 1.86:2025-05-15 1.87:2025-06-26 1.88:2025-08-07 1.89:2025-09-18 1.90:2025-10-30 1.91:2025-12-11 1.92:2026-01-22 1.93:2026-03-06 1.94:2026-04-16 1.95:2026-05-28 1.96:2026-07-09 1.97:2026-08-20",
  },
  deno: { name: "Deno", ends: "2.6:2026-02-25 2.7:2026-05-22 2.8:2026-06-25" },
  elixir: { name: "Elixir", ends: "1.14:2025-10-16 1.15:2026-06-03" },
  erl: {
    name: "Erlang/OTP",
    ends: "24:2024-05-10 25:2025-05-17 26:2026-05-26 27:2027-05-20 28:2028-05-20 29:2029-05-11",
  },
  go: {
    name: "Go",
    ends: "1.21:2024-08-13 1.22:2025-02-11 1.23:2025-08-12 1.24:2026-02-10 1.25:2026-08-19",
  },
  java: {
    name: "Java",
    ends: "17:2027-10-31 18:2022-09-30 19:2023-03-31 20:2023-09-19 21:2029-12-31 22:2024-09-17 23:2025-03-18 24:2025-09-16 25:2031-09-30 26:2026-09-15",
  },
  mvn: { name: "Maven", ends: "3.6:2021-03-30 3.8:2025-06-14" },
  node: {
    name: "Node",
    ends: "18:2025-04-30 20:2026-04-30 21:2024-06-01 22:2027-04-30 23:2025-06-01 24:2028-04-30 25:2026-06-01 26:2029-04-30",
  },
  python3: { name: "Python", ends: "3.11:2027-10-31 3.12:2028-10-31 3.13:2029-10-31 3.14:2030-10-31" },
};

const aliases: Readonly<Record<string, string>> = { mix: "elixir" };

export interface Toolchain {
  /** `Go`; of a tool that nothing is known of, as the manifest has it. */
  readonly name: string;
  /** Null where the tool states none. */
  readonly version: string | null;
  /** The day on which its makers stopped mending this version, before the one asked for; null while they do. */
  readonly endedOn: string | null;
}

/**
 * What a tool is, by what it says of its version.
 *
 * @param tool as in a manifest's `requires`
 * @param printed as in the result's `toolchains`
 * @param day of the run: `2026-11-28`
 */
export function describeToolchain(tool: string, printed: string, day: string): Toolchain {
  const product = products[aliases[tool] ?? tool];
  const { version } = findVersion(printed, [tool]);
  const ends = new Map((product?.ends ?? "").split(" ").map((entry) => entry.split(":") as [string, string]));
  const [major = "", minor = ""] = (version ?? "").split(".");
  const end = ends.get(`${major}.${minor}`) ?? ends.get(major);
  return { name: product?.name ?? tool, version, endedOn: end !== undefined && end <= day ? end : null };
}
