import { acceptFor, createKey, upgradeHeaders } from "../../websocket/handshake.ts";
import { BrokenRule, type Check, type CheckContext, required } from "../check.ts";
import {
  expectAlive,
  expectEcho,
  expectMessage,
  expectMessages,
  expectStatus,
  isClientError,
} from "../expectations.ts";
import { cut, textFrame, textFrames } from "../frame.ts";
import { handshakeRequest, isResponse, type ResponseHead, request } from "../http.ts";
import { echo } from "../messages.ts";
import type { RawConnection } from "../raw-connection.ts";

/** A client has to wait for the answer, so a server may refuse one that did not; gorilla/websocket does. */
const pipelining = "RFC 6455 4.1 (the client waits), 4.2.2; TCP keeps no packet boundaries";
const passOn = "Pass the bytes after the empty line to the frame parser, whole frames or not.";
const readHead = "Read until the empty line before you parse the request.";

const expectUpgrade = (connection: RawConnection): Promise<ResponseHead> =>
  expectStatus(connection, "101 Switching Protocols", (status) => status === 101);

/** The answer to a handshake that must be accepted. */
async function upgrade(
  context: CheckContext,
  changes: Readonly<Record<string, string>> = {},
): Promise<Pick<ResponseHead, "headers"> & { readonly connection: RawConnection }> {
  const connection = await context.dial();
  connection.send(handshakeRequest(context.target, changes));
  return { connection, headers: (await expectUpgrade(connection)).headers };
}

async function isRefused(connection: RawConnection): Promise<boolean> {
  const answer = await connection.response();
  const status = isResponse(answer) ? answer.status : null;
  if (status === 101) return false;
  const isRefusal = isResponse(answer) ? status !== null && isClientError(status) : answer.kind === "end";
  if (!isRefusal) throw new BrokenRule("101 Switching Protocols, or a refusal", answer);
  return true;
}

export const handshakeChecks: readonly Check[] = [
  required("handshake.switching", "RFC 6455 4.2.2", {
    rule: "A proper opening handshake is answered with 101, Upgrade: websocket and Connection: Upgrade.",
    nextStep: "Send exactly these header fields.",
    run: async (context) => {
      const { headers } = await upgrade(context);
      if (headers.get("upgrade")?.toLowerCase() !== "websocket")
        throw new BrokenRule("Upgrade: websocket", `Upgrade: ${headers.get("upgrade") ?? "missing"}`);
      if (!/(^|,)\s*upgrade\s*(,|$)/i.test(headers.get("connection") ?? ""))
        throw new BrokenRule("Connection: Upgrade", `Connection: ${headers.get("connection") ?? "missing"}`);
    },
  }),
  required("handshake.accept-key", "RFC 6455 4.2.2 (5.4)", {
    rule: "Sec-WebSocket-Accept is the Base64 of the SHA-1 of the client's key and the RFC's GUID.",
    nextStep: "Hash the key as sent, followed by 258EAFA5-E914-47DA-95CA-C5AB0DC85B11.",
    run: async (context) => {
      for (const key of ["dGhlIHNhbXBsZSBub25jZQ==", createKey(), createKey()]) {
        const { headers } = await upgrade(context, { "Sec-WebSocket-Key": key });
        const came = headers.get("sec-websocket-accept");
        if (came !== acceptFor(key))
          throw new BrokenRule(`${acceptFor(key)} for the key ${key}`, came ?? "no Sec-WebSocket-Accept");
      }
    },
  }),
  required("handshake.no-compression", "contract, endpoints", {
    rule: "permessage-deflate is never negotiated, even when it is offered.",
    nextStep: "Disable permessage-deflate. Compressed and plain servers cannot be compared.",
    run: async (context) => {
      const { connection, headers } = await upgrade(context, {
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame",
      });
      const extensions = headers.get("sec-websocket-extensions");
      if (extensions !== undefined)
        throw new BrokenRule("no Sec-WebSocket-Extensions in the answer", extensions);
      await expectEcho(connection);
    },
  }),
  required("handshake.no-subprotocol", "RFC 6455 4.2.2 (5.5), contract, endpoints", {
    rule: "A client that asks for no subprotocol gets none.",
    nextStep: "Omit Sec-WebSocket-Protocol. Clients must fail the connection over one they did not ask for.",
    run: async (context) => {
      const protocol = (await upgrade(context)).headers.get("sec-websocket-protocol");
      if (protocol !== undefined) throw new BrokenRule("no Sec-WebSocket-Protocol in the answer", protocol);
    },
  }),
  required("handshake.header-case", "RFC 6455 4.2.1, RFC 9110 5.1", {
    rule: "Header names are case-insensitive.",
    nextStep: "Compare header names case-insensitively.",
    run: async (context) => {
      const headers = Object.entries(upgradeHeaders(context.target, createKey()));
      for (const spell of [(name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
        const spelled = Object.fromEntries(headers.map(([name, value]) => [spell(name), value]));
        const connection = await context.dial();
        connection.send(request(context.target.path, spelled));
        await expectUpgrade(connection);
        await expectEcho(connection);
      }
    },
  }),
  required("handshake.tokens", "RFC 6455 4.2.1 (3, 4)", {
    rule: "Upgrade is case-insensitive, and Connection may be a list that contains Upgrade, as browsers send it.",
    nextStep: "Split Connection at commas and compare tokens case-insensitively.",
    run: async (context) => {
      for (const changes of [
        { Upgrade: "WebSocket", Connection: "keep-alive, Upgrade" },
        { Upgrade: "websocket", Connection: "upgrade" },
        { Upgrade: "WEBSOCKET", Connection: "Upgrade,keep-alive" },
      ])
        await expectEcho((await upgrade(context, changes)).connection);
    },
  }),
  required("handshake.split", "RFC 6455 4.2.1", {
    rule: "A handshake in two packets is accepted, wherever it is cut.",
    nextStep: readHead,
    run: async (context) => {
      const bytes = handshakeRequest(context.target);
      for (const at of [1, 12, bytes.length - 60, bytes.length - 4, bytes.length - 3, bytes.length - 1]) {
        const connection = await context.dial();
        await connection.sendApart([bytes.subarray(0, at), bytes.subarray(at)], 5);
        await expectUpgrade(connection);
        await expectEcho(connection);
      }
    },
  }),
  required("handshake.byte-by-byte", "RFC 6455 4.2.1", {
    rule: "A handshake sent byte by byte is accepted.",
    nextStep: readHead,
    run: async (context) => {
      const connection = await context.dial();
      await connection.sendApart(cut(handshakeRequest(context.target), 1));
      await expectUpgrade(connection);
      await expectEcho(connection);
    },
  }),
  required("handshake.pipelined", pipelining, {
    rule: "Frames in the handshake's packet are answered, or the handshake is refused. They are never lost.",
    nextStep: passOn,
    run: async (context) => {
      const messages = [1, 2, 3].map((seq) => echo({ seq }));
      const connection = await context.dial();
      connection.send(handshakeRequest(context.target), textFrames(messages));
      if (await isRefused(connection)) return expectAlive(context);
      await expectMessages(connection, messages, "the message that was sent right behind the handshake");
    },
  }),
  required("handshake.pipelined-part", pipelining, {
    rule: "Half a frame in the handshake's packet is kept for the rest, or the handshake is refused.",
    nextStep: passOn,
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
  }),
];
