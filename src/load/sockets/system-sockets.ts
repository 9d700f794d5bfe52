import { readDescriptorLimit } from "../../machine/environment.ts";
import { BunSockets } from "./bun-sockets.ts";
import { EpollSockets } from "./epoll-sockets.ts";
import { linuxSocketCalls } from "./linux-socket-calls.ts";
import type { Sockets } from "./socket.ts";

/**
 * The fastest sockets this system has. On Linux the C library's by FFI: `Bun.connect` hands every arrival over
 * in a new buffer by a callback, which costs 0.9 µs more per message and over 1 KB per connection
 * (bench/generator.ts).
 */
export const sockets: Sockets =
  linuxSocketCalls === null
    ? new BunSockets()
    : new EpollSockets(linuxSocketCalls, readDescriptorLimit().soft);
