import { isIP } from "node:net";
import { z } from "zod";
import { suggest } from "../text/nearest.ts";

/** How a value is written on the command line and in the environment, and which values are possible. */
export interface ValueType<T> {
  /** What stands for it in `--help`; empty for a flag, which takes no value. */
  readonly placeholder: string;
  readonly schema: z.ZodType<T>;
  /** The names that a list may hold, where the placeholder doesn't say them. */
  readonly names?: readonly string[];
  /** @returns the value, or what was expected instead */
  read(text: string): ReadValue<T>;
  /** The inverse of `read`. */
  write(value: T): string;
}
export type ReadValue<T> = { readonly value: T } | { readonly expected: string };

/** A whole number. Digits may be grouped: 25,000 or 25_000. */
export function count(min: number, max: number, placeholder = "N"): ValueType<number> {
  const written = /^\d{1,3}([_,]?\d{3})*$|^\d+$/;
  return numeric(z.int(), "a whole number", written, { min, max, placeholder });
}

/** A number with or without a fraction. */
export function decimal(min: number, max: number, placeholder = "N"): ValueType<number> {
  return numeric(z.number(), "a number", /^\d+(\.\d+)?$/, { min, max, placeholder });
}

function numeric(
  schema: z.ZodNumber,
  what: string,
  written: RegExp,
  limits: { readonly min: number; readonly max: number; readonly placeholder: string },
): ValueType<number> {
  const { min, max, placeholder } = limits;
  return {
    placeholder,
    schema: schema.min(min).max(max),
    read: (text) => {
      const value = written.test(text) ? Number(text.replaceAll(/[_,]/g, "")) : Number.NaN;
      if (value >= min && value <= max) return { value };
      return { expected: `${what} from ${min.toLocaleString("en")} to ${max.toLocaleString("en")}` };
    },
    write: (value) => value.toLocaleString("en"),
  };
}

/** Given in seconds, kept in whole milliseconds. */
export function duration(minSeconds: number, maxSeconds: number): ValueType<number> {
  const seconds = decimal(minSeconds, maxSeconds, "S");
  return {
    ...seconds,
    schema: z
      .int()
      .min(minSeconds * 1000)
      .max(maxSeconds * 1000),
    read: (text) => {
      const read = seconds.read(text);
      return "value" in read ? { value: Math.round(read.value * 1000) } : read;
    },
    write: (valueMs) => seconds.write(valueMs / 1000),
  };
}

export function choice<const Name extends string>(names: readonly Name[]): ValueType<Name> {
  return {
    placeholder: names.join("|"),
    schema: z.enum(names),
    read: (text) => {
      const value = names.find((name) => name === text);
      return value === undefined
        ? { expected: `one of ${names.join(", ")}${suggest(text, names)}` }
        : { value };
    },
    write: (value) => value,
  };
}

export function text(placeholder: string): ValueType<string> {
  return {
    placeholder,
    schema: z.string().min(1),
    read: (value) => (value === "" ? { expected: "a value, got nothing" } : { value }),
    write: (value) => value,
  };
}

/** Which of several equal parts, the first as 1. */
export function share(): ValueType<{ readonly index: number; readonly of: number }> {
  return {
    placeholder: "I/N",
    schema: z.object({ index: z.int().nonnegative(), of: z.int().positive() }),
    read: (value) => {
      const [, number, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(value)?.map(Number) ?? [];
      return number !== undefined && of !== undefined && number >= 1 && number <= of
        ? { value: { index: number - 1, of } }
        : { expected: "such as 1/3 for the first of three shares" };
    },
    write: ({ index, of }) => `${index + 1}/${of}`,
  };
}

/** Where to listen: a port of the loopback address, unless another address is named. IPv6 in brackets. */
export function listenAddress(): ValueType<ListenAddress> {
  const schema = z.object({ host: z.string(), port: z.int().min(0).max(65_535) });
  return {
    placeholder: "[HOST:]PORT",
    schema,
    read: (value) => {
      const [, bracketed, name, port] = /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(value) ?? [];
      const read = schema.safeParse({ host: bracketed ?? name ?? "127.0.0.1", port: Number(port) });
      return read.success
        ? { value: read.data }
        : { expected: "a port from 0 to 65,535, such as 9464 or 127.0.0.1:9464" };
    },
    write: ({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`,
  };
}
export interface ListenAddress {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** IPv6 without brackets. */
export function ipAddress(): ValueType<string> {
  return {
    placeholder: "ADDRESS",
    schema: z.string(),
    read: (value) =>
      isIP(value) === 0 ? { expected: "an IP address, such as 127.0.0.2 or ::1" } : { value },
    write: (value) => value,
  };
}

/** An address that HTTP is spoken to. It holds no secret: a command line is kept in results. */
export function httpUrl(): ValueType<string> {
  return {
    placeholder: "URL",
    schema: z.string(),
    read: (value) => {
      const { protocol = "", username = "", password = "" } = URL.parse(value) ?? {};
      return /^https?:$/.test(protocol) && username === "" && password === ""
        ? { value }
        : { expected: "a URL that begins with http:// or https://, without a user or password" };
    },
    write: (value) => value,
  };
}

/** Takes no value: that it is there sets `sets`. In the environment 1, true, 0 and false say whether it is. */
export function flag(sets = true): ValueType<boolean> {
  return {
    placeholder: "",
    schema: z.boolean(),
    read: (value) => {
      if (["1", "true"].includes(value)) return { value: sets };
      if (["0", "false", ""].includes(value)) return { value: !sets };
      return { expected: "1, true, 0 or false" };
    },
    write: String,
  };
}

/** Names between commas. `arrange` puts what they stand for in order. */
export function list<T>(
  names: Readonly<Record<string, T>>,
  schema: z.ZodType<T>,
  { arrange, nameOf }: { readonly arrange: (items: T[]) => T[]; readonly nameOf: (item: T) => string },
): ValueType<readonly T[]> {
  const known = Object.keys(names);
  return {
    placeholder: "LIST",
    names: known,
    schema: z.array(schema).readonly(),
    read: (value) => {
      const items: T[] = [];
      for (const name of value.split(",").map((part) => part.trim())) {
        const item = Object.hasOwn(names, name) ? names[name] : undefined;
        if (item === undefined) {
          return { expected: `some of ${known.join(", ")}; "${name}" is none${suggest(name, known)}` };
        }
        items.push(item);
      }
      return { value: arrange(items) };
    },
    write: (items) => items.map(nameOf).join(","),
  };
}
