import { acceptFor, createKey, upgradeHeaders } from "../../websocket/handshake.ts";
import { describe } from "../arrival.ts";
import { BrokenRule, type Check, isResponse } from "../check.ts";
import {
  expectAlive,
  expectEcho,
  expectMessage,
  expectMessages,
  expectStatus,
  isClientError,
} from "../expectations.ts";
import { cut, textFrame } from "../frame.ts";
import { describeStatus, handshakeRequest, type ResponseHead, request } from "../http.ts";
import { echo } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";

async function expectUpgrade(connection: RawConnection): Promise<ResponseHead> {
  return expectStatus(connection, "101 Switching Protocols", (status) => status === 101);
}

/** A client has to wait for the answer, so a server may refuse one that did not; gorilla/websocket does. */
const pipelining = {
  reference: "RFC 6455 4.1 (the client waits), 4.2.2; TCP keeps no packet boundaries",
  grade: "required",
  nextStep: "Pass the bytes after the empty line to the frame parser, whole frames or not.",
} as const;

async function isRefused(connection: RawConnection): Promise<boolean> {
  const answer = await connection.response();
  if (!isResponse(answer)) {
    if (answer.kind === "end") return true;
    throw new BrokenRule("101 Switching Protocols, or a refusal", describe(answer));
  }
  if (answer.status === 101) return false;
  if (answer.status !== null && isClientError(answer.status)) return true;
  throw new BrokenRule("101 Switching Protocols, or a refusal", describeStatus(answer));
}

export const handshakeChecks: readonly Check[] = [
  {
    id: "handshake.switching",
    rule: "A proper opening handshake is answered with 101, Upgrade: websocket and Connection: Upgrade.",
    reference: "RFC 6455 4.2.2",
    grade: "required",
    nextStep: "Send exactly these header fields.",
    run: async (context) => {
      const connection = await context.dial();
      connection.send(handshakeRequest(context.target));
      const { headers } = await expectUpgrade(connection);
      if (headers.get("upgrade")?.toLowerCase() !== "websocket")
        throw new BrokenRule("Upgrade: websocket", `Upgrade: ${headers.get("upgrade") ?? "missing"}`);
      if (!/(^|,)\s*upgrade\s*(,|$)/i.test(headers.get("connection") ?? ""))
        throw new BrokenRule("Connection: Upgrade", `Connection: ${headers.get("connection") ?? "missing"}`);
    },
  },
  {
    id: "handshake.accept-key",
    rule: "Sec-WebSocket-Accept is the Base64 of the SHA-1 of the client's key and the RFC's GUID.",
    reference: "RFC 6455 4.2.2 (5.4)",
    grade: "required",
    nextStep: "Hash the key as sent, followed by 258EAFA5-E914-47DA-95CA-C5AB0DC85B11.",
    run: async (context) => {
      for (const key of ["dGhlIHNhbXBsZSBub25jZQ==", createKey(), createKey()]) {
        const connection = await context.dial();
        connection.send(handshakeRequest(context.target, { "Sec-WebSocket-Key": key }));
        const { headers } = await expectUpgrade(connection);
        const came = headers.get("sec-websocket-accept");
        if (came !== acceptFor(key))
          throw new BrokenRule(`${acceptFor(key)} for the key ${key}`, came ?? "no Sec-WebSocket-Accept");
      }
    },
  },
  {
    id: "handshake.no-compression",
    rule: "permessage-deflate is never negotiated, even when it is offered.",
    reference: "contract, endpoints",
    grade: "required",
    nextStep: "Disable permessage-deflate. Compressed and plain servers cannot be compared.",
    run: async (context) => {
      const connection = await context.dial();
      connection.send(
        handshakeRequest(context.target, {
          "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame",
        }),
      );
      const extensions = (await expectUpgrade(connection)).headers.get("sec-websocket-extensions");
      if (extensions !== undefined)
        throw new BrokenRule("no Sec-WebSocket-Extensions in the answer", extensions);
      await expectEcho(connection);
    },
  },
  {
    id: "handshake.no-subprotocol",
    rule: "A client that asks for no subprotocol gets none.",
    reference: "RFC 6455 4.2.2 (5.5), contract, endpoints",
    grade: "required",
    nextStep: "Omit Sec-WebSocket-Protocol. Clients must fail the connection over one they did not ask for.",
    run: async (context) => {
      const connection = await context.dial();
      connection.send(handshakeRequest(context.target));
      const protocol = (await expectUpgrade(connection)).headers.get("sec-websocket-protocol");
      if (protocol !== undefined) throw new BrokenRule("no Sec-WebSocket-Protocol in the answer", protocol);
    },
  },
  {
    id: "handshake.header-case",
    rule: "Header names are case-insensitive.",
    reference: "RFC 6455 4.2.1, RFC 9110 5.1",
    grade: "required",
    nextStep: "Compare header names case-insensitively.",
    run: async (context) => {
      const { path } = context.target;
      const headers = Object.entries(upgradeHeaders(context.target, createKey()));
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
    rule: "Upgrade is case-insensitive, and Connection may be a list that contains Upgrade, as browsers send it.",
    reference: "RFC 6455 4.2.1 (3, 4)",
    grade: "required",
    nextStep: "Split Connection at commas and compare tokens case-insensitively.",
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
    rule: "A handshake in two packets is accepted, wherever it is cut.",
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
    rule: "A handshake sent byte by byte is accepted.",
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
    rule: "Frames in the handshake's packet are answered, or the handshake is refused. They are never lost.",
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
    rule: "Half a frame in the handshake's packet is kept for the rest, or the handshake is refused.",
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
