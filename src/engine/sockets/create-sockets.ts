import { readDescriptorLimit } from "../../machine/environment.ts";
import { BunSockets } from "./bun-sockets.ts";
import { EpollSockets } from "./epoll-sockets.ts";
import { linuxSocketCalls } from "./linux-socket-calls.ts";
import { openSsl } from "./openssl.ts";
import type { SocketAddress, Sockets } from "./socket.ts";

/**
 * The fastest sockets this system has, for a whole process. On Linux the C library's by FFI: `Bun.connect` hands every
 * arrival over in a new buffer by a callback, which costs about 1 µs more per message (bench/generator.ts). TLS is
 * OpenSSL's there, and Bun's own where the system has none.
 *
 * @param crowd processes like this one for each CPU that they have
 */
export function createSockets({ tls = null }: Pick<SocketAddress, "tls"> = {}, crowd = 1): Sockets {
  return linuxSocketCalls === null || (tls !== null && openSsl() === null)
    ? new BunSockets()
    : new EpollSockets(linuxSocketCalls, readDescriptorLimit().soft, crowd);
}
