import { describe } from "../arrival.ts";
import { type Check, Finding, isResponse } from "../check.ts";
import {
  expectAlive,
  expectEcho,
  expectMessage,
  expectMessages,
  expectStatus,
  isClientError,
} from "../expectations.ts";
import { cut, textFrame } from "../frame.ts";
import { acceptKey, handshakeRequest, type Response, randomKey, request, upgradeHeaders } from "../http.ts";
import { echo } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";

async function expectUpgrade(connection: RawConnection): Promise<Response> {
  return expectStatus(connection, "101 Switching Protocols", (status) => status === 101);
}

/** A client has to wait for the answer, so a server may refuse one that did not; gorilla/websocket does. */
const pipelining = {
  reference: "RFC 6455 4.1 (the client waits), 4.2.2; TCP keeps no packet boundaries",
  grade: "required",
  nextStep: "Hand what stands behind the empty line to the frame parser, whole frames or not.",
} as const;

async function isRefused(connection: RawConnection): Promise<boolean> {
  const answer = await connection.response();
  if (!isResponse(answer)) {
    if (answer.kind === "end") return true;
    throw new Finding("101 Switching Protocols, or a refusal", describe(answer));
  }
  if (answer.status === 101) return false;
  if (isClientError(answer.status)) return true;
  throw new Finding("101 Switching Protocols, or a refusal", `status ${answer.status}`);
}

export const handshakeChecks: readonly Check[] = [
  {
    id: "handshake.switching",
    rule: "A proper opening handshake is answered with 101, Upgrade: websocket and Connection: Upgrade.",
    reference: "RFC 6455 4.2.2",
    grade: "required",
    nextStep: "Answer the upgrade with exactly these header fields.",
    run: async (context) => {
      const connection = await context.dial();
      connection.send(handshakeRequest(context.target));
      const { headers } = await expectUpgrade(connection);
      if (headers.get("upgrade")?.toLowerCase() !== "websocket")
        throw new Finding("Upgrade: websocket", `Upgrade: ${headers.get("upgrade") ?? "missing"}`);
      if (!/(^|,)\s*upgrade\s*(,|$)/i.test(headers.get("connection") ?? ""))
        throw new Finding("Connection: Upgrade", `Connection: ${headers.get("connection") ?? "missing"}`);
    },
  },
  {
    id: "handshake.accept-key",
    rule: "Sec-WebSocket-Accept is the Base64 of the SHA-1 of the client's key and the RFC's GUID.",
    reference: "RFC 6455 4.2.2 (5.4)",
    grade: "required",
    nextStep: "Hash the key as it was sent, followed by 258EAFA5-E914-47DA-95CA-C5AB0DC85B11.",
    run: async (context) => {
      for (const key of ["dGhlIHNhbXBsZSBub25jZQ==", randomKey(), randomKey()]) {
        const connection = await context.dial();
        connection.send(handshakeRequest(context.target, { "Sec-WebSocket-Key": key }));
        const { headers } = await expectUpgrade(connection);
        const came = headers.get("sec-websocket-accept");
        if (came !== acceptKey(key))
          throw new Finding(`${acceptKey(key)} for the key ${key}`, came ?? "no Sec-WebSocket-Accept");
      }
    },
  },
  {
    id: "handshake.no-compression",
    rule: "permessage-deflate is never negotiated, even when it is offered.",
    reference: "contract, endpoints",
    grade: "required",
    nextStep: "Switch permessage-deflate off; compressed and plain servers cannot be compared.",
    run: async (context) => {
      const connection = await context.dial();
      connection.send(
        handshakeRequest(context.target, {
          "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame",
        }),
      );
      const extensions = (await expectUpgrade(connection)).headers.get("sec-websocket-extensions");
      if (extensions !== undefined)
        throw new Finding("no Sec-WebSocket-Extensions in the answer", extensions);
      await expectEcho(connection);
    },
  },
  {
    id: "handshake.no-subprotocol",
    rule: "A client that asks for no subprotocol is given none.",
    reference: "RFC 6455 4.2.2 (5.5), contract, endpoints",
    grade: "required",
    nextStep:
      "Leave out Sec-WebSocket-Protocol; a client has to fail a connection that names one it never asked for.",
    run: async (context) => {
      const connection = await context.dial();
      connection.send(handshakeRequest(context.target));
      const protocol = (await expectUpgrade(connection)).headers.get("sec-websocket-protocol");
      if (protocol !== undefined) throw new Finding("no Sec-WebSocket-Protocol in the answer", protocol);
    },
  },
  {
    id: "handshake.header-case",
    rule: "Header names are taken in any case.",
    reference: "RFC 6455 4.2.1, RFC 9110 5.1",
    grade: "required",
    nextStep: "Compare header names without regard to case.",
    run: async (context) => {
      const { path } = context.target;
      const headers = Object.entries(upgradeHeaders(context.target, randomKey()));
      for (const spell of [(name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
        const connection = await context.dial();
        connection.send(
          request(path, Object.fromEntries(headers.map(([name, value]) => [spell(name), value]))),
        );
        await expectUpgrade(connection);
        await expectEcho(connection);
      }
    },
  },
  {
    id: "handshake.tokens",
    rule: "Upgrade is taken in any case, and Connection as a list that has Upgrade in it, as browsers send them.",
    reference: "RFC 6455 4.2.1 (3, 4)",
    grade: "required",
    nextStep: "Split Connection at commas and compare tokens without regard to case.",
    run: async (context) => {
      for (const [upgrade, list] of [
        ["WebSocket", "keep-alive, Upgrade"],
        ["websocket", "upgrade"],
        ["WEBSOCKET", "Upgrade,keep-alive"],
      ] as const) {
        const connection = await context.dial();
        connection.send(handshakeRequest(context.target, { Upgrade: upgrade, Connection: list }));
        await expectUpgrade(connection);
        await expectEcho(connection);
      }
    },
  },
  {
    id: "handshake.split",
    rule: "A handshake that comes in two packets is put together, wherever it is cut.",
    reference: "RFC 6455 4.2.1",
    grade: "required",
    nextStep: "Read until the empty line before you parse the request.",
    run: async (context) => {
      const bytes = handshakeRequest(context.target);
      for (const at of [1, 12, bytes.length - 60, bytes.length - 4, bytes.length - 3, bytes.length - 1]) {
        const connection = await context.dial();
        await connection.sendApart([bytes.subarray(0, at), bytes.subarray(at)], 5);
        await expectUpgrade(connection);
        await expectEcho(connection);
      }
    },
  },
  {
    id: "handshake.byte-by-byte",
    rule: "A handshake that comes byte by byte is put together.",
    reference: "RFC 6455 4.2.1",
    grade: "required",
    nextStep: "Read until the empty line before you parse the request.",
    run: async (context) => {
      const connection = await context.dial();
      await connection.sendApart(cut(handshakeRequest(context.target), 1));
      await expectUpgrade(connection);
      await expectEcho(connection);
    },
  },
  {
    ...pipelining,
    id: "handshake.pipelined",
    rule: "Frames in the same packet as the handshake are answered, or the handshake is refused for them; they are never lost.",
    run: async (context) => {
      const messages = [1, 2, 3].map((seq) => echo({ seq }));
      const connection = await context.dial();
      connection.send(handshakeRequest(context.target), ...messages.map((message) => textFrame(message)));
      if (await isRefused(connection)) return expectAlive(context);
      await expectMessages(connection, messages, "the message that was sent right behind the handshake");
    },
  },
  {
    ...pipelining,
    id: "handshake.pipelined-part",
    rule: "Half a frame in the same packet as the handshake is kept until the rest comes, or the handshake is refused for it.",
    run: async (context) => {
      const frame = textFrame(echo());
      for (const at of [1, 4, frame.length - 1]) {
        const connection = await context.dial();
        connection.send(handshakeRequest(context.target), frame.subarray(0, at));
        if (await isRefused(connection)) continue;
        connection.send(frame.subarray(at));
        await expectMessage(connection, echo());
      }
      await expectAlive(context);
    },
  },
];
