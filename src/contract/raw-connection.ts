import type { ProtocolName } from "../process/greeting.ts";
import { bunTls, tlsHint } from "../process/tls.ts";
import { authority, parseHead } from "../websocket/handshake.ts";
import { type Arrival, ArrivalReader } from "./arrival.ts";
import { type Frame, pongFrame } from "./frame.ts";
import type { ResponseHead, Target } from "./http.ts";

/** No TCP connection came about: the server is not there (any more). */
export class Unreachable extends Error {}

/** A TCP connection that sends any bytes and queues what comes, so that a check waits for events and never polls. */
export class RawConnection {
  /** Answer the server's pings, as a client must (RFC 6455 5.5.2), and keep them out of the arrivals. */
  answersPings = true;
  /** What the server speaks. */
  readonly protocol: ProtocolName;
  readonly #waitMs: number;
  readonly #arrivals: Arrival[] = [];
  readonly #reader = new ArrivalReader();
  #socket: Bun.Socket | undefined;
  #unsent = Buffer.alloc(0);
  /** Undefined once the handshake is through and the bytes are frames. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #response: ResponseHead | undefined;
  #end: Arrival | undefined;
  #wake: (() => void) | undefined;

  private constructor({ protocol = "chaos-chat" }: Target, waitMs: number) {
    this.protocol = protocol;
    this.#waitMs = waitMs;
  }

  /** Throws Unreachable. `waitMs` is the longest wait for any one event on it. */
  static async dial(target: Target, waitMs: number): Promise<RawConnection> {
    const connection = new RawConnection(target, waitMs);
    const { tls = null } = target;
    const secured = Promise.withResolvers<void>();
    // Whoever waits for it gets it; a TCP connection that fails has nobody who waits.
    secured.promise.catch(() => {});
    try {
      connection.#socket = await Bun.connect({
        ...(tls === null ? {} : { tls: bunTls(tls) }),
        hostname: target.host,
        port: target.port,
        // Else the server's FIN would end our half too, and what it does with a half-open connection is hidden.
        allowHalfOpen: true,
        socket: {
          handshake: (_socket, isRight, error) => (isRight ? secured.resolve() : secured.reject(error)),
          data: (_socket, bytes) => connection.#take(bytes),
          drain: () => connection.#flush(),
          end: () => connection.#finish("eof"),
          close: (_socket, error) => {
            secured.reject(error);
            connection.#finish(error === undefined ? "aborted" : "reset");
          },
          error: () => connection.#finish("reset"),
        },
      });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      throw new Unreachable(`no TCP connection to ${authority(target.host, target.port)} (${code})`);
    }
    if (tls !== null) await connection.#secure(secured.promise, target);
    // Nagle would glue together the pieces that a check sends apart.
    connection.#socket.setNoDelay(true);
    return connection;
  }

  async #secure(secured: Promise<void>, { host, port }: Target): Promise<void> {
    const silence = Promise.withResolvers<never>();
    const timer = setTimeout(() => silence.reject(new Error("no answer")), this.#waitMs);
    try {
      await Promise.race([secured, silence.promise]);
    } catch (error) {
      this.dispose();
      const why = error instanceof Error ? error.message : "the server ended the connection";
      throw new Unreachable(`no TLS with ${authority(host, port)} (${why}); ${tlsHint}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Every frame that came, as it stood on the wire. */
  get frames(): readonly Frame[] {
    return this.#reader.frames;
  }

  send(...chunks: readonly (string | Uint8Array)[]): void {
    this.#unsent = Buffer.concat([this.#unsent, ...chunks.map((chunk) => Buffer.from(chunk))]);
    this.#flush();
  }

  /**
   * Sends each piece by itself. What a server reads at once cannot be seen from here, so there is a pause of
   * `pauseMs` after each piece to let it read.
   */
  async sendApart(pieces: Iterable<string | Uint8Array>, pauseMs = 1): Promise<void> {
    for (const piece of pieces) {
      this.send(piece);
      await Bun.sleep(pauseMs);
    }
  }

  /** Ends our half: FIN. */
  end(): void {
    this.#socket?.shutdown();
  }

  /** RST. */
  reset(): void {
    this.#socket?.terminate();
  }

  /** Closes both halves and wakes whoever waits. */
  dispose(): void {
    this.#finish("aborted");
    this.#socket?.end();
  }

  /** The head of the server's HTTP answer, or what came instead of one. */
  async response(waitMs = this.#waitMs): Promise<ResponseHead | Arrival> {
    await this.#until(() => this.#response !== undefined || this.#end !== undefined, waitMs);
    return this.#response ?? this.#end ?? { kind: "silence", waitedMs: waitMs };
  }

  /** What the server does next. The end comes again and again; silence is an arrival too. */
  async next(waitMs = this.#waitMs): Promise<Arrival> {
    await this.#until(() => this.#arrivals.length > 0 || this.#end !== undefined, waitMs);
    return this.#arrivals.shift() ?? this.#end ?? { kind: "silence", waitedMs: waitMs };
  }

  async #until(condition: () => boolean, waitMs: number): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake?.();
    }, waitMs);
    while (!condition() && !late) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(timer);
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.#socket === undefined) return;
    const sent = this.#socket.write(this.#unsent);
    // A negative count means that the connection is gone, which its end tells.
    this.#unsent = this.#unsent.subarray(Math.max(sent, 0));
  }

  #take(bytes: Uint8Array): void {
    if (this.#head === undefined) {
      this.#takeFrames(bytes);
      return;
    }
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf("\r\n\r\n");
    if (end === -1 || this.#response !== undefined) return;
    this.#response = parseHead(this.#head.toString("latin1", 0, end));
    if (this.#response.status === 101) {
      const rest = this.#head.subarray(end + 4);
      this.#head = undefined;
      this.#takeFrames(rest);
    }
    this.#wake?.();
  }

  #takeFrames(bytes: Uint8Array): void {
    for (const arrival of this.#reader.push(bytes)) {
      if (arrival.kind === "ping" && this.answersPings) this.send(pongFrame(arrival.payload));
      else this.#arrivals.push(arrival);
    }
    this.#wake?.();
  }

  #finish(how: "eof" | "reset" | "aborted"): void {
    this.#end ??= { kind: "end", how };
    this.#wake?.();
  }
}
