import { readDescriptorLimit } from "../../machine/environment.ts";
import { BunSockets } from "./bun-sockets.ts";
import { EpollSockets } from "./epoll-sockets.ts";
import { linuxSocketCalls } from "./linux-socket-calls.ts";
import type { Sockets } from "./socket.ts";

/**
 * The fastest sockets this system has, for a whole process. On Linux the C library's by FFI: `Bun.connect` hands every
 * arrival over in a new buffer by a callback, which costs about 1 µs more per message (bench/generator.ts).
 */
export function createSockets(): Sockets {
  return linuxSocketCalls === null
    ? new BunSockets()
    : new EpollSockets(linuxSocketCalls, readDescriptorLimit().soft);
}
