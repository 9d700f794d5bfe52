import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { Authority, type Certified } from "../../../test/support/certificates.ts";
import { numbered } from "../../../test/support/numbered.ts";
import { type OpenSslServer, startOpenSslServer } from "../../../test/support/openssl-server.ts";
import { patienceMs, until } from "../../../test/support/until.ts";
import type { Tls } from "../../process/tls.ts";
import { BunSockets } from "./bun-sockets.ts";
import { EpollSockets } from "./epoll-sockets.ts";
import { linuxSocketCalls } from "./linux-socket-calls.ts";
import { openSsl } from "./openssl.ts";
import type { Socket, SocketError, SocketOwner, Sockets } from "./socket.ts";

const host = "127.0.0.1";
setDefaultTimeout(2 * patienceMs);

const authority = new Authority();
const good = authority.issue("good", "DNS:localhost,DNS:*.example.test,IP:127.0.0.1");
const expired = authority.issue("expired", "DNS:localhost,IP:127.0.0.1", -1);
const elsewhere = authority.issue("elsewhere", "DNS:elsewhere.test,IP:127.9.9.9");
const client = authority.issue("client", "DNS:client.test");
const selfSigned = authority.selfSigned("self-signed", [
  "-addext",
  "subjectAltName=DNS:localhost,IP:127.0.0.1",
]);
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => authority.remove());

class Owner implements SocketOwner {
  readonly told: string[] = [];
  readonly received: Buffer[] = [];
  error: SocketError | null = null;
  onDrain: () => void = () => {};

  onSocketHandshake(): void {
    this.told.push("handshake");
  }
  onSocketOpen(): void {
    this.told.push("open");
  }
  onSocketData(bytes: Uint8Array, end: number): void {
    this.received.push(Buffer.from(bytes.subarray(0, end)));
  }
  onSocketDrain(): void {
    this.onDrain();
  }
  onSocketClose(error: SocketError | null): void {
    this.told.push("close");
    this.error = error;
  }
  get length(): number {
    return this.received.reduce((sum, { length }) => sum + length, 0);
  }
}

const tlsOf = (change: Partial<Tls> = {}): Tls => ({
  ...{ serverName: "localhost", ca: authority.own.cert, cert: null, key: null, verify: true },
  ...change,
});

function connect(sockets: Sockets, port: number, tls: Tls = tlsOf()): { owner: Owner; socket: Socket } {
  const owner = new Owner();
  const socket = sockets.open({ host, port, tls }, null, owner);
  stops.push(() => socket.reset());
  return { owner, socket };
}

/** Node's server, whose every client is echoed; returns its port. */
async function echoServer({ cert, key }: Certified, options: TlsOptions = {}): Promise<number> {
  const server = createTlsServer({ cert, key, ...options }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  stops.push(() => void server.close());
  return (server.address() as { port: number }).port;
}

/** A server of bytes only. */
function rawServer(onBytes: (socket: Bun.Socket) => void): number {
  const listener = Bun.listen({ hostname: host, port: 0, socket: { data: onBytes, error() {} } });
  stops.push(() => listener.stop(true));
  return listener.port;
}

async function opensslServer(...args: readonly string[]): Promise<OpenSslServer> {
  const server = await startOpenSslServer(good, ...args);
  stops.push(() => server.stop());
  return server;
}

const kinds: (readonly [string, () => Sockets])[] = [["Bun", () => new BunSockets()]];
if (linuxSocketCalls !== null && openSsl() !== null) {
  const calls = linuxSocketCalls;
  kinds.push(["epoll and OpenSSL", () => new EpollSockets(calls)]);
}

describe.each(kinds)("TLS by %s", (name, create) => {
  const sockets = create();

  test.each([
    ["a name", "localhost"],
    ["a name by a wildcard", "chat.example.test"],
    ["an address", "127.0.0.1"],
  ])("the certificate is right for %s", async (_, serverName) => {
    const { owner, socket } = connect(sockets, await echoServer(good), tlsOf({ serverName }));
    await until(() => owner.told.includes("open"));
    expect(owner.told).toEqual(["handshake", "open"]);
    expect(socket.write(Buffer.from("hello"), 0, 5)).toBe(5);
    await until(() => owner.length === 5);
    expect(Buffer.concat(owner.received).toString()).toBe("hello");
  });

  // Bun sends addresses too.
  test.skipIf(name === "Bun")("the name is sent, an address is not (RFC 6066 section 3)", async () => {
    const asked: (string | false | null)[] = [];
    const server = createTlsServer({ cert: good.cert, key: good.key }, (socket) => {
      asked.push(socket.servername);
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    stops.push(() => void server.close());
    const { port } = server.address() as { port: number };
    for (const serverName of ["localhost", host]) {
      const { owner } = connect(sockets, port, tlsOf({ serverName }));
      await until(() => owner.told.includes("open"));
      await until(() => asked.length > 0);
      expect(asked.splice(0)[0] || null).toBe(serverName === host ? null : serverName);
    }
  });

  test.each([
    ["expired", expired, {}, "expired"],
    ["for another host", elsewhere, {}, "wrong-host"],
    ["for another address", elsewhere, { serverName: host }, "wrong-host"],
    ["self-signed", selfSigned, {}, "self-signed"],
    ["of an unknown issuer", good, { ca: selfSigned.cert }, "unknown-issuer"],
    ["of an issuer that the system does not trust", good, { ca: null }, "unknown-issuer"],
  ] as const)(
    "a certificate that is %s fails, and is passed over when nobody checks",
    async (_, certified, change, problem) => {
      const port = await echoServer(certified);
      const refused = connect(sockets, port, tlsOf(change));
      await until(() => refused.owner.told.includes("close"));
      expect(refused.owner.told).toEqual(["handshake", "close"]);
      expect(refused.owner.error?.tls).toBe(problem);
      expect(refused.owner.error?.code).not.toBe("");
      const { owner } = connect(sockets, port, tlsOf({ ...change, verify: false }));
      await until(() => owner.told.includes("open"));
    },
  );

  test("a certificate that is its own authority is right once it is trusted", async () => {
    const { owner } = connect(sockets, await echoServer(selfSigned), tlsOf({ ca: selfSigned.cert }));
    await until(() => owner.told.includes("open"));
  });

  test("TLS 1.1 is refused", async () => {
    const { port } = await opensslServer("-tls1_1", "-cipher", "ALL:@SECLEVEL=0");
    const { owner } = connect(sockets, port);
    await until(() => owner.told.includes("close"));
    expect(owner.error?.tls).toBe("version");
  });

  test("a server that speaks no TLS is told from one that does", async () => {
    const port = rawServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const { owner } = connect(sockets, port);
    await until(() => owner.told.includes("close"));
    expect(owner.error?.tls).toBe("not-tls");
  });

  test.each([
    ["ended", (socket: Bun.Socket): void => void socket.end()],
    ["reset", (socket: Bun.Socket): void => socket.terminate()],
  ] as const)("a connection that is %s in the handshake", async (_, act) => {
    const { owner } = connect(sockets, rawServer(act));
    await until(() => owner.told.includes("close"));
    expect(owner.told).toEqual(["handshake", "close"]);
    expect(owner.error?.tls).toBe("closed");
  });

  test("a server that stalls in the handshake leaves it at that", async () => {
    let asked = 0;
    const { owner, socket } = connect(
      sockets,
      rawServer(() => {
        asked += 1;
      }),
    );
    await until(() => asked > 0);
    expect(socket.write(Buffer.from("too early"), 0, 9)).toBe(0);
    socket.reset();
    await Bun.sleep(20);
    expect(owner.told).toEqual(["handshake"]);
  });

  test.each(["TLSv1.3", "TLSv1.2"] as const)(
    "a certificate of the client is asked for in %s",
    async (version) => {
      const asks = { requestCert: true, rejectUnauthorized: true, ca: authority.own.cert };
      const port = await echoServer(good, { ...asks, minVersion: version, maxVersion: version });
      const without = connect(sockets, port);
      await until(() => without.owner.told.includes("close"));
      // Up to TLS 1.2 the server's alert says nothing, and Bun does not tell whether the server asked.
      const isTold = version === "TLSv1.3" || name !== "Bun";
      expect(without.owner.error?.tls).toBe(isTold ? "client-certificate-missing" : "refused");
      const { cert, key } = client;
      const { owner, socket } = connect(sockets, port, tlsOf({ cert, key }));
      await until(() => owner.told.includes("open"));
      socket.write(Buffer.from("it is me"), 0, 8);
      await until(() => owner.length === 8);
    },
  );

  test("megabytes both ways through a peer that reads slowly", async () => {
    const sent = numbered(8 << 20);
    const { owner, socket } = connect(sockets, await echoServer(good));
    await until(() => owner.told.includes("open"));
    let at = 0;
    let partial = 0;
    const go = () => {
      while (at < sent.length) {
        const end = Math.min(sent.length, at + 1_000_003);
        const taken = socket.write(sent, at, end);
        at += taken;
        if (at < end) {
          partial += 1;
          return;
        }
      }
    };
    owner.onDrain = go;
    socket.pauseReading();
    go();
    // The echo has nowhere to go, so neither has the rest.
    await until(() => partial > 0);
    socket.resumeReading();
    await until(() => owner.length === sent.length);
    expect(Buffer.concat(owner.received).equals(sent)).toBe(true);
  });

  test("many records at once, one byte each", async () => {
    const bytes = numbered(2000);
    const { owner, socket } = connect(sockets, await echoServer(good));
    await until(() => owner.told.includes("open"));
    for (let at = 0; at < bytes.length; at += 1) expect(socket.write(bytes, at, at + 1)).toBe(1);
    await until(() => owner.length === bytes.length);
    expect(Buffer.concat(owner.received).equals(bytes)).toBe(true);
  });

  test("connections in turn do not see each other's bytes", async () => {
    const port = await echoServer(good);
    const all = Array.from({ length: 50 }, () => connect(sockets, port));
    await until(() => all.every(({ owner }) => owner.told.includes("open")));
    for (const [index, { socket }] of all.entries()) {
      const bytes = Buffer.alloc(20_000 + index, index);
      socket.write(bytes, 0, bytes.length);
    }
    await until(() => all.every(({ owner }, index) => owner.length === 20_000 + index));
    for (const [index, { owner }] of all.entries()) {
      expect(Buffer.concat(owner.received).every((byte) => byte === index)).toBe(true);
    }
  });

  test("what is written before the end still leaves, and the peer sees a proper end", async () => {
    const seen: Buffer[] = [];
    let how = "";
    const server = createTlsServer({ cert: good.cert, key: good.key }, (socket) => {
      socket.on("data", (chunk) => seen.push(Buffer.from(chunk)));
      socket.on("end", () => {
        how = "end";
      });
      socket.on("error", ({ message }) => {
        how = message;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    stops.push(() => void server.close());
    const { owner, socket } = connect(sockets, (server.address() as { port: number }).port);
    await until(() => owner.told.includes("open"));
    const bytes = numbered(30_000);
    socket.write(bytes, 0, bytes.length);
    socket.end();
    await until(() => how !== "");
    expect(how).toBe("end");
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    expect(owner.told).toEqual(["handshake", "open"]);
  });

  test("a new key in the middle is answered (RFC 8446 section 4.6.3)", async () => {
    const server = await opensslServer();
    const { owner, socket } = connect(sockets, server.port);
    await until(() => owner.told.includes("open"));
    // `K`: a new key of the server's, and the client's is asked for.
    for (const word of ["first", "second"]) {
      server.say("K");
      // A line that it reads together with the command is lost.
      while (!Buffer.concat(owner.received).toString().includes(word)) {
        await Bun.sleep(50);
        server.say(word);
      }
    }
    expect(socket.write(Buffer.from("third\n"), 0, 6)).toBe(6);
    await until(() => server.heard().includes("third"));
    expect(owner.told).toEqual(["handshake", "open"]);
  });

  test("the server's end is no error", async () => {
    const server = createTlsServer({ cert: good.cert, key: good.key }, (socket) => void socket.end("bye"));
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    stops.push(() => void server.close());
    const { owner } = connect(sockets, (server.address() as { port: number }).port);
    await until(() => owner.told.includes("close"));
    expect(owner.told).toEqual(["handshake", "open", "close"]);
    expect(owner.error).toBeNull();
    expect(Buffer.concat(owner.received).toString()).toBe("bye");
  });
});
