import { printable } from "../text/printable.ts";
import { greet, type ProtocolName, webSocketPath } from "./greeting.ts";
import { bunTls, type Tls, tlsHint } from "./tls.ts";

/** Retried soon at first, since many servers are up within milliseconds, then at leisure. */
const firstPauseMs = 5;
const longestPauseMs = 100;
/** For one attempt: a server that accepts and then says nothing is asked again. */
const attemptMs = 2000;

let attempts = 0;

/** Handshake, echo, orderly close. Null when all went well, otherwise what did not. */
async function tryEcho(
  url: string,
  { protocol, tls = null }: Pick<Asked, "protocol" | "tls">,
  timeoutMs: number,
): Promise<string | null> {
  attempts++;
  const { text: message, isAnswer } = greet(protocol, `ready${attempts}`);
  const socket = tls === null ? new WebSocket(url) : new WebSocket(url, { tls: bunTls(tls) });
  let isOpen = false;
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const timer = setTimeout(
    () => resolve(isOpen ? "the handshake succeeded, but no echo came" : "no answer to the handshake"),
    timeoutMs,
  );
  socket.onopen = () => {
    isOpen = true;
    socket.send(message);
  };
  socket.onmessage = ({ data }) => {
    const isRight = typeof data === "string" && isAnswer(data);
    resolve(isRight ? null : `the echo differs: sent ${message}, got ${describe(data)}`);
  };
  socket.onerror = (event) => {
    const why = "message" in event ? event.message : "failed";
    const hint = why.includes("TLS handshake failed") ? `; ${tlsHint}` : "";
    resolve(`no handshake (${printable(why, { most: 200 })})${hint}`);
  };
  socket.onclose = ({ code }) =>
    resolve(isOpen ? `closed with code ${code} before the echo` : "no handshake");
  const problem = await promise;
  clearTimeout(timer);
  // Waited for, so that the server is without connections when the first phase starts.
  if (socket.readyState !== WebSocket.CLOSED) {
    const closed = new Promise<void>((done) => {
      socket.onclose = () => done();
    });
    socket.close(1000);
    await Promise.race([closed, Bun.sleep(500)]);
    socket.terminate();
  }
  return problem;
}

function describe(data: unknown): string {
  const text = typeof data === "string" ? data : "a binary message";
  return printable(text, { most: 200 });
}

interface Asked {
  readonly host: string;
  readonly port: number;
  readonly protocol: ProtocolName;
  /** Where the protocol usually is, where absent. */
  readonly path?: string;
  /** Absent or null for `ws://`. */
  readonly tls?: Tls | null;
}

/**
 * Asks until a real handshake and one echo succeed. Resolves to null then, or to what the last attempt lacked
 * when `readyMs` are over; rejects when aborted.
 */
export async function awaitReady(
  { host, port, protocol, path = webSocketPath(protocol), tls = null }: Asked,
  readyMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  const deadline = performance.now() + readyMs;
  const url = `${tls === null ? "ws" : "wss"}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`;
  let pauseMs = firstPauseMs;
  let problem: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return problem ?? "nothing was tried";
    const lacked = await tryEcho(url, { protocol, tls }, Math.min(attemptMs, leftMs));
    if (lacked === null) return null;
    // An attempt that the deadline cut short tells less than the one before it.
    if (problem === null || performance.now() < deadline) problem = lacked;
    await Bun.sleep(Math.max(0, Math.min(pauseMs, deadline - performance.now())));
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
  }
}
