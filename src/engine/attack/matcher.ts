import type { ReplyPlan } from "../../plan/attack/reply.ts";
import { ByteHash } from "./byte-hash.ts";
import { type Answer, answer, type Outstanding } from "./outstanding.ts";

/** Tells which message of its connection an arrival answers. */
export interface Matcher {
  /** @param index of the connection */
  match(
    outstanding: Outstanding,
    index: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isText: boolean,
  ): Answer;
}

/** @param binary what is sent, and what an echo therefore is */
export function createMatcher(reply: ReplyPlan, binary: boolean): Matcher {
  switch (reply.kind) {
    case "echo":
    case "ping":
      return new EchoMatcher(binary);
    case "json":
      return new JsonMatcher(reply.pointer);
    case "regex":
      return new RegexMatcher(reply.pattern);
    case "order":
      return { match: (outstanding) => outstanding.byOrder() };
    case "none":
    case "adapter":
    case "scenario":
      return { match: () => answer.unknown };
  }
}

class EchoMatcher implements Matcher {
  readonly #hash = new ByteHash();
  readonly #isText: boolean;

  constructor(binary: boolean) {
    this.#isText = !binary;
  }

  match(
    outstanding: Outstanding,
    _index: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isText: boolean,
  ): Answer {
    if (isText !== this.#isText) return answer.unknown;
    return outstanding.byHash(this.#hash.of(bytes, start, end));
  }
}

class JsonMatcher implements Matcher {
  readonly #path: readonly string[];

  constructor(pointer: string) {
    this.#path = parsePointer(pointer);
  }

  match(outstanding: Outstanding, index: number, bytes: Uint8Array, start: number, end: number): Answer {
    let value: unknown;
    try {
      value = JSON.parse(textOf(bytes, start, end));
    } catch {
      return answer.unknown;
    }
    const found = valueAt(value, this.#path);
    if (typeof found === "number") return outstanding.bySequence(found);
    return typeof found === "string" ? outstanding.bySequence(readId(found, index)) : answer.unknown;
  }
}

class RegexMatcher implements Matcher {
  readonly #pattern: RegExp;

  constructor(pattern: string) {
    this.#pattern = new RegExp(pattern, "u");
  }

  match(outstanding: Outstanding, index: number, bytes: Uint8Array, start: number, end: number): Answer {
    const found = this.#pattern.exec(textOf(bytes, start, end));
    if (found === null) return answer.unknown;
    return found.length === 1 ? outstanding.byOrder() : outstanding.bySequence(readId(found[1] ?? "", index));
  }
}

/** The sequence number of `42`, or of `7-42` where connection 7 it is; 0 where it is none of its own. */
function readId(text: string, index: number): number {
  const [, connection, sequence] = /^(?:(\d+)-)?(\d+)$/.exec(text) ?? [];
  if (sequence === undefined || (connection !== undefined && Number(connection) !== index)) return 0;
  return Number(sequence);
}

/** The steps of a JSON pointer (RFC 6901, section 4). */
export function parsePointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** Undefined where there is nothing. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
