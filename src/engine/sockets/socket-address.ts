import { type LinuxSocketCalls, linux } from "./linux-socket-calls.ts";

/** `struct sockaddr_in` or `sockaddr_in6` of an IPv4 or IPv6 address (ip(7), ipv6(7)); null when it is neither. */
export function encodeSocketAddress(
  calls: LinuxSocketCalls,
  address: string,
  port: number,
): Uint8Array | null {
  const text = new TextEncoder().encode(`${address}\0`);
  const isV6 = address.includes(":");
  const encoded = new Uint8Array(new ArrayBuffer(isV6 ? 28 : 16));
  const family = isV6 ? linux.AF_INET6 : linux.AF_INET;
  encoded[0] = family;
  encoded[2] = port >>> 8;
  encoded[3] = port & 255;
  // sin_addr follows the port, sin6_addr the flow label.
  const taken = calls.inet_pton(family, text, encoded.subarray(isV6 ? 8 : 4));
  return taken === 1 ? encoded : null;
}
