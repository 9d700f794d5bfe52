import { FFIType, type Pointer, toArrayBuffer } from "bun:ffi";
import { constants } from "node:os";
import { openLibc } from "../../machine/libc.ts";

const { i32, u32, u64, ptr } = FFIType;

/*
 * Arguments of type ptr are given as typed arrays: Bun then takes the address for each call anew (2 ns more),
 * and no stored one can outlive its array or name the old place of one that moved.
 */
const symbols = {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, ptr, u32], returns: i32 },
  connect: { args: [i32, ptr, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
  // recvfrom, sendto and recvmsg in this shape; ssize_t, but never more than a buffer's 2 GB.
  syscall: { args: [i32, i32, ptr, u64, i32, ptr, u32], returns: i32 },
  setsockopt: { args: [i32, i32, i32, ptr, u32], returns: i32 },
  getsockopt: { args: [i32, i32, i32, ptr, ptr], returns: i32 },
  inet_pton: { args: [i32, ptr, ptr], returns: i32 },
  epoll_create1: { args: [i32], returns: i32 },
  epoll_ctl: { args: [i32, i32, i32, ptr], returns: i32 },
  epoll_wait: { args: [i32, ptr, i32, i32], returns: i32 },
  clock_nanosleep: { args: [i32, i32, ptr, ptr], returns: i32 },
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  __errno_location: { args: [], returns: ptr },
} as const;

/** Linux 5.11 and glibc 2.35; without it waits are whole milliseconds. */
const preciseWait = { epoll_pwait2: { args: [i32, ptr, i32, ptr, ptr], returns: i32 } } as const;

/** Constants of the Linux kernel's interface, the same on x86-64 and arm64. */
export const linux = {
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM_NONBLOCK_CLOEXEC: 1 | 0o4000 | 0o2000000,
  IPPROTO_IP: 0,
  IPPROTO_TCP: 6,
  SOL_SOCKET: 1,
  SO_ERROR: 4,
  SO_LINGER: 13,
  /** And the type of the control message that comes of it. */
  SO_TIMESTAMPNS: 35,
  TCP_NODELAY: 1,
  TCP_INFO: 11,
  IP_BIND_ADDRESS_NO_PORT: 24,
  /** A write to a connection that is gone is an error to read, not a signal to die of. */
  MSG_NOSIGNAL: 0x4000,
  EPOLL_CLOEXEC: 0o2000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_MOD: 3,
  EPOLLIN: 0x001,
  EPOLLOUT: 0x004,
  EPOLLERR: 0x008,
  EPOLLHUP: 0x010,
  EPOLLRDHUP: 0x2000,
  EPOLLET: 1 << 31,
  EINTR: 4,
  EAGAIN: 11,
  EINPROGRESS: 115,
  PR_SET_TIMERSLACK: 29,
  CLOCK_MONOTONIC: 1,
  TIMER_ABSTIME: 1,
} as const;

/**
 * By number, since the library's `send` and `recv` first make the thread cancellable in any process with
 * several threads: 15 ns of each call (bench/message.ts).
 */
const numbers =
  process.arch === "x64"
    ? { sendto: 44, recvfrom: 45, recvmsg: 47 }
    : { sendto: 206, recvfrom: 207, recvmsg: 212 };

/** `struct epoll_event` in 32-bit words: packed on x86-64, with a gap before the 64 bits of data elsewhere (epoll_ctl(2)). */
export const epollEvent = process.arch === "x64" ? { words: 3, data: 1 } : { words: 4, data: 2 };

/**
 * `struct tcp_info` (linux/tcp.h) as far as it is read: in 32-bit words, with `tcpi_data_segs_in` (Linux 4.6) its last.
 * It only ever grows at its end, and an older kernel tells less.
 */
export const tcpInfo = { words: 39, dataSegmentsIn: 38 } as const;

const errorNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
/** Linux's own: two names of one number, of which the later would win. */
errorNames.set(linux.EAGAIN, "EAGAIN");

/** `ECONNRESET` for 104. */
export function errorName(errno: number): string {
  return errorNames.get(errno) ?? `errno ${errno}`;
}

/** Of the last call that failed; to be read before anything else is called. One word per thread, for the thread's life. */
function openErrno(location: Pointer | bigint | null): () => number {
  if (location === null) return () => 0;
  const word = new Int32Array(toArrayBuffer(location, 0, 4));
  return () => word[0] as number;
}

function openSocketCalls() {
  const calls = openLibc("linux", symbols);
  if (calls === null) return null;
  const precise = openLibc("linux", preciseWait);
  const { syscall } = calls;
  return {
    ...calls,
    epoll_pwait2: precise?.epoll_pwait2 ?? null,
    errno: openErrno(calls.__errno_location()),
    /** Returns how many bytes arrived, 0 at the end, -1 for errno. */
    recv: (descriptor: number, bytes: Uint8Array, length: number): number =>
      syscall(numbers.recvfrom, descriptor, bytes, length, 0, null, 0),
    /** As `recv`, into what a `struct msghdr` names. */
    recvmsg: (descriptor: number, header: Uint32Array): number =>
      syscall(numbers.recvmsg, descriptor, header, 0, 0, null, 0),
    /** Returns how many bytes were taken, -1 for errno. */
    send: (descriptor: number, bytes: Uint8Array, length: number): number =>
      syscall(numbers.sendto, descriptor, bytes, length, linux.MSG_NOSIGNAL, null, 0),
  };
}

/** The socket calls of the Linux C library; null on other systems. */
export const linuxSocketCalls = openSocketCalls();

export type LinuxSocketCalls = NonNullable<typeof linuxSocketCalls>;
