import type { Socket } from "bun";
import { acceptFor } from "../websocket/handshake.ts";

/**
 * The least a server can do and still be loaded: joins are answered, echoes sent back, what is said goes to
 * everyone. No checks, one room, no limits, messages in one piece: a yardstick for the generator, no contender.
 */
interface Peer {
  isOpen: boolean;
  /** Bytes of a frame that came in pieces. */
  kept: Uint8Array | null;
}

const everyone = new Set<Socket<Peer>>();
const decoder = new TextDecoder();
/** `{"type":"s…` and `{"type":"j…`: the first letter of the type. */
const typeOffset = 9;

function onData(socket: Socket<Peer>, chunk: Uint8Array): void {
  if (!socket.data.isOpen) {
    const request = decoder.decode(chunk);
    if (request.startsWith("GET /stats ")) {
      socket.end(
        'HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n{"connections":0,"received":0,"sent":0,"dropped":0}',
      );
      return;
    }
    const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? "";
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n`,
    );
    socket.data.isOpen = true;
    everyone.add(socket);
    return;
  }
  const bytes = socket.data.kept === null ? chunk : Buffer.concat([socket.data.kept, chunk]);
  let at = 0;
  for (;;) {
    const length = frameLength(bytes, at);
    if (length === 0 || at + length > bytes.length) break;
    answer(socket, bytes, at, length);
    at += length;
  }
  socket.data.kept = at < bytes.length ? bytes.slice(at) : null;
}

/** Of a masked frame, 0 while its header is incomplete. Payloads of 64 KiB and more are not sent here. */
function frameLength(bytes: Uint8Array, at: number): number {
  if (bytes.length - at < 4) return 0;
  const short = (bytes[at + 1] as number) & 127;
  return short < 126 ? 6 + short : 8 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
}

function answer(socket: Socket<Peer>, bytes: Uint8Array, at: number, length: number): void {
  if (((bytes[at] as number) & 15) === 8) {
    socket.end(new Uint8Array([0x88, 2, 3, 232]));
    return;
  }
  const mask = at + (((bytes[at + 1] as number) & 127) < 126 ? 2 : 4);
  const frame = bytes.slice(at, mask);
  frame[1] = (frame[1] as number) & 127;
  const payload = bytes.slice(mask + 4, at + length);
  for (let index = 0; index < payload.length; index += 1) {
    payload[index] = (payload[index] as number) ^ (bytes[mask + (index & 3)] as number);
  }
  switch (String.fromCharCode(payload[typeOffset] ?? 0)) {
    case "j": {
      const reply = Buffer.from(decoder.decode(payload).replace('"join"', '"joined"'));
      socket.write(Buffer.concat([new Uint8Array([0x81, reply.length]), reply]));
      break;
    }
    case "s": {
      const whole = Buffer.concat([frame, payload]);
      for (const peer of everyone) peer.write(whole);
      break;
    }
    default:
      socket.write(Buffer.concat([frame, payload]));
  }
}

Bun.listen<Peer>({
  hostname: process.env.HOST ?? "127.0.0.1",
  port: Number(process.env.PORT),
  socket: {
    open: (socket) => {
      socket.data = { isOpen: false, kept: null };
      socket.setNoDelay(true);
    },
    data: onData,
    close: (socket) => void everyone.delete(socket),
    error: (socket) => void everyone.delete(socket),
  },
});
process.on("SIGTERM", () => process.exit(0));
