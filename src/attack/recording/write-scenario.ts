import { printable } from "../../text/printable.ts";
import { hideSecrets } from "../../text/secrets.ts";
import type { RecordedMessage, RecordedSocket } from "./read-har.ts";

/** What is made of a recording. */
export interface WrittenScenario {
  readonly text: string;
  readonly sockets: number;
  readonly messages: number;
  /** Sentences on what is not in it. */
  readonly leftOut: readonly string[];
}

/** Of a whole recording; what is beyond is left out, and said. */
const mostMessages = 2000;
const mostLength = 64 * 1024;
const mostComment = 70;
const mostListed = 10;
/** A pause below this is the machine's, not the user's. */
const leastPauseMs = 50;
/** Whoever went away for longer came back by another way. */
const mostPauseMs = 600_000;
/** Answers that took longer than this are awaited longer than others. */
const mostUsualMs = 2000;

/** The handshake's own, and what browsers send everywhere. */
const usualHeaders =
  /^(:.*|host|connection|upgrade|pragma|cache-control|user-agent|accept.*|origin|sec-(websocket|fetch|ch)-.*|dnt|priority)$/;

type Step =
  | { readonly kind: "connect"; readonly atMs: number; readonly name: string; readonly path: string }
  | {
      readonly kind: "message";
      readonly atMs: number;
      readonly name: string;
      readonly message: RecordedMessage;
    };

/**
 * A scenario that does what was recorded: the same messages, with the user's pauses, and one expected for each that came.
 *
 * @param file the recording's name, for its first comment
 */
export function writeScenario(recorded: readonly RecordedSocket[], file: string): WrittenScenario {
  const [first] = recorded;
  if (first === undefined) throw new RangeError("there is no socket");
  const origin = new URL(first.url).origin;
  const sockets = recorded.filter(({ url }) => new URL(url).origin === origin);
  const all = listSteps(sockets);
  const steps = all.slice(0, mostMessages + sockets.length);
  const leftOut = listLeftOut(recorded, sockets, all.length - steps.length);
  const body = writeSteps(steps, sockets);
  const usesBytes = body.some((line) => line.includes(" bytes(") || line.includes("(bytes("));
  const messages = steps.filter(({ kind }) => kind === "message").length;
  const lines = [
    'import { scenario } from "ws-showdown";',
    "",
    `// Made of ${printable(file, { most: mostComment })}: ${count(sockets.length, "WebSocket")}, ${count(messages, "message")}.`,
    ...leftOut.map((one) => `// ${one}`),
    ...listOptions(first).map((one) => `// ${one}`),
    "export default scenario({",
    `  url: ${quote(hideSecrets(first.url))},`,
    "",
    `  async run({ ${["connect", ...(body.some((line) => line.includes("await wait(")) ? ["wait"] : [])].join(", ")} }) {`,
    ...body.map((line) => `    ${line}`),
    "  },",
    "});",
    ...(usesBytes
      ? [
          "",
          "function bytes(base64: string): Uint8Array {",
          "  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));",
          "}",
        ]
      : []),
  ];
  return { text: `${lines.join("\n")}\n`, sockets: sockets.length, messages, leftOut };
}

/** Of all sockets, in the order in which they happened. */
function listSteps(sockets: readonly RecordedSocket[]): Step[] {
  return sockets
    .flatMap(({ url, openedMs, messages }, at) => {
      const { pathname, search } = new URL(url);
      const name = at === 0 ? "socket" : `socket${at + 1}`;
      const opened: Step = { kind: "connect", atMs: openedMs, name, path: `${pathname}${search}` };
      // Clocks of the two differ by a little: nothing comes before its connection.
      const rest = messages.map(
        (message): Step => ({ kind: "message", atMs: Math.max(openedMs, message.atMs), name, message }),
      );
      return [opened, ...rest];
    })
    .sort((a, b) => a.atMs - b.atMs);
}

function writeSteps(steps: readonly Step[], sockets: readonly RecordedSocket[]): string[] {
  const known = findRepeated(sockets);
  const firstPath = steps.find(({ kind }) => kind === "connect");
  let beforeMs = steps[0]?.atMs ?? 0;
  return steps.flatMap((step) => {
    const gapMs = step.atMs - beforeMs;
    beforeMs = step.atMs;
    if (step.kind === "connect") {
      const isFirst = step === firstPath;
      return [
        ...pause(gapMs),
        `const ${step.name} = await connect(${isFirst ? "" : quote(hideSecrets(step.path))});`,
      ];
    }
    const { name, message } = step;
    if (message.isSent) return [...pause(gapMs), send(name, message)];
    return [expectation(name, message, gapMs, known)];
  });
}

function pause(gapMs: number): string[] {
  if (gapMs < leastPauseMs) return [];
  const step = gapMs < 1000 ? 50 : 100;
  return [`await wait(${group(Math.round(Math.min(gapMs, mostPauseMs) / step) * step)});`];
}

function send(name: string, { isText, data }: RecordedMessage): string {
  if (data.length > mostLength) return `// ${name} sent ${data.length} characters here, which are left out.`;
  return `${name}.send(${isText ? quote(data) : `bytes(${quote(data)})`});`;
}

/** What came says most of what will come: its kind, or all of it where it came more than once. */
function expectation(
  name: string,
  { isText, data }: RecordedMessage,
  gapMs: number,
  known: ReadonlySet<string>,
): string {
  const patienceMs = Math.ceil((Math.min(gapMs, mostPauseMs) * 3) / 1000) * 1000;
  const timeout = gapMs > mostUsualMs ? `{ timeoutMs: ${group(patienceMs)} }` : "";
  const kind = isText ? findKind(data) : null;
  const text = kind ?? (isText && data !== "" && data.length <= mostComment && known.has(data) ? data : null);
  const what = text === null ? (timeout === "" ? "" : "undefined") : quote(text);
  const given = [what, timeout].filter((one) => one !== "").join(", ");
  const comment = text === data ? "" : ` // ${isText ? printable(data, { most: mostComment }) : "binary"}`;
  return `await ${name}.expect(${given});${comment}`;
}

/** `"type":"welcome"` of a message in JSON, as it stands there. */
function findKind(data: string): string | null {
  if (!/^\s*[[{]/.test(data)) return null;
  const [kind = null] =
    /"(?:type|event|kind|action|method|op|cmd|topic)"\s*:\s*"[^"\\\p{C}]{1,40}"/u.exec(
      data.slice(0, mostLength),
    ) ?? [];
  return kind;
}

/** What was sent, and what came more than once: it will most likely come again. */
function findRepeated(sockets: readonly RecordedSocket[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { isText, isSent, data } of sockets.flatMap(({ messages }) => messages)) {
    if (!isText) continue;
    if (isSent || seen.has(data)) repeated.add(data);
    seen.add(data);
  }
  return repeated;
}

function listLeftOut(
  recorded: readonly RecordedSocket[],
  sockets: readonly RecordedSocket[],
  beyond: number,
): string[] {
  const others = [...new Set(recorded.map(({ url }) => new URL(url).origin))].slice(1);
  const secret = sockets.some(({ url }) => hideSecrets(url) !== url);
  return [
    ...(others.length === 0 ? [] : [`Left out: WebSockets to ${list(others)}: an attack has one server.`]),
    ...(beyond <= 0 ? [] : [`Left out: ${count(beyond, "message")} after the first ${group(mostMessages)}.`]),
    ...(secret ? ["Left out: secrets in its URL, which are … here: fill them in."] : []),
    ...listHeaders(sockets),
  ];
}

/** Their values are secrets as often as not. */
function listHeaders(sockets: readonly RecordedSocket[]): string[] {
  const names = [...new Set(sockets.flatMap(({ headers }) => [...headers.keys()]))];
  const own = names.filter((name) => !usualHeaders.test(name));
  if (own.length === 0) return [];
  return [`Left out: the values of ${list(own)}; give them with --header or --cookie.`];
}

/** What else the browser said, as options. */
function listOptions({ headers }: RecordedSocket): string[] {
  const origin = headers.get("origin");
  const subprotocols = (headers.get("sec-websocket-protocol") ?? "").split(",").map((one) => one.trim());
  const given = [
    ...(origin === undefined ? [] : [`--origin ${origin}`]),
    ...subprotocols.filter((one) => one !== "").map((one) => `--subprotocol ${one}`),
  ];
  if (given.length === 0) return [];
  return [`As the browser did: ${given.map((one) => printable(one, { most: 100 })).join(" ")}`];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, mostListed).map((one) => printable(one, { most: 60 }));
  return [...shown, ...(names.length > mostListed ? [`${names.length - mostListed} more`] : [])].join(", ");
}

function count(number: number, what: string): string {
  return `${group(number)} ${what}${number === 1 ? "" : "s"}`;
}

/** As sources write numbers. */
function group(number: number): string {
  return `${number}`.replace(/\B(?=(\d{3})+$)/g, number < 10_000 ? "" : "_");
}

/** A literal in which nothing is hidden from who reads it. */
function quote(text: string): string {
  const isSingle = text.includes('"') && !text.includes("'");
  const inside = JSON.stringify(text).slice(1, -1);
  const literal = isSingle ? `'${inside.replaceAll('\\"', '"')}'` : `"${inside}"`;
  return literal.replaceAll(/[\p{Cf}\p{Cc}\p{Zl}\p{Zp}\p{Co}]/gu, (one) => {
    const code = one.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}
