import type { Expected, Message } from "./scenario.ts";

const decoder = new TextDecoder();
const mostShown = 60;

/** A message of the server, whose text is made when it is asked for. */
export class UserMessage implements Message {
  readonly bytes: Uint8Array;
  readonly isText: boolean;
  #text: string | null = null;

  /** @param bytes its own */
  constructor(bytes: Uint8Array, isText: boolean) {
    this.bytes = bytes;
    this.isText = isText;
  }

  get text(): string {
    this.#text ??= decoder.decode(this.bytes);
    return this.#text;
  }

  json<T>(): T {
    return JSON.parse(this.text) as T;
  }
}

/** What a message has to be, as a question. @throws {TypeError} for what is no such thing */
export function readExpected(what: Expected | undefined): (message: Message) => boolean {
  if (what === undefined) return () => true;
  if (typeof what === "string") return ({ text }) => text.includes(what);
  if (typeof what === "function") return (message) => what(message);
  // Not `test`, which goes on where it was before when the pattern is global.
  if (what instanceof RegExp) return ({ text }) => text.search(what) >= 0;
  throw new TypeError(`expect(${typeof what}): expected text, a pattern or a function`);
}

/** `a message with "joined"`. */
export function describeExpected(what: Expected | undefined): string {
  if (typeof what === "string") return `a message with ${JSON.stringify(what.slice(0, mostShown))}`;
  if (what instanceof RegExp) return `a message that fits ${String(what).slice(0, mostShown)}`;
  return what === undefined ? "a message" : "a message that fits the condition";
}
