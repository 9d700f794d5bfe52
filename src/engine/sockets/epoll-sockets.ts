import { nowUs } from "../../machine/clock.ts";
import type { Tls } from "../../process/tls.ts";
import { EpollSocket } from "./epoll-socket.ts";
import { EpollTlsSocket } from "./epoll-tls-socket.ts";
import { epollEvent, errorName, type LinuxSocketCalls, linux, tcpInfo } from "./linux-socket-calls.ts";
import { openSsl, TlsContext } from "./openssl.ts";
import type { Socket, SocketAddress, SocketError, SocketOwner, Sockets } from "./socket.ts";
import { encodeSocketAddress } from "./socket-address.ts";
import { StampedReceiver } from "./stamped-receiver.ts";

/** Shared by all sockets of the process: a buffer each would be most of their memory. */
const receiveBytes = 256 * 1024;
const mostEvents = 1024;
/** How long the paced loop goes on before it lets Bun's own have a turn (1.3 µs), for its timers and commands. */
const shiftUs = 1000;
const sparingShiftUs = 4000;
/**
 * A large message comes in pieces, and each has to be read for the next to be sent: for so long after a read of so many
 * bytes, nothing waits.
 */
const largeReadBytes = 16 * 1024;
const promptUs = 1e6;
/**
 * Without pacing a wait lasts as long as nothing comes, from the least to the most, doubling: as long are commands
 * and timers late, and so rarely does an idle process wake up (20,000 connections: 0.8 % of a CPU core).
 */
const leastIdleWaitUs = 50;
const mostIdleWaitUs = 4000;
/** With more processes than CPUs each waits so many times longer, at most, so that all of them wake up no more often. */
const mostPatience = 16;
/** Addresses of which the encoded form is kept. */
const mostEncoded = 1024;

/** Kept free for the process itself, which can't even ask for its memory use without one. */
const sparedDescriptors = 16;

/** Always watched; what is not pending costs nothing. */
const watchedEvents = linux.EPOLLIN | linux.EPOLLOUT | linux.EPOLLRDHUP | linux.EPOLLET;
const pausedEvents = linux.EPOLLOUT | linux.EPOLLET;
const endingEvents = linux.EPOLLRDHUP | linux.EPOLLHUP | linux.EPOLLERR;
const failedEvents = linux.EPOLLHUP | linux.EPOLLERR;
const readableEvents = linux.EPOLLIN | endingEvents;

/**
 * TCP sockets through the C library (Linux): one epoll instance, edge-triggered, which spares the kernel a
 * second look at every socket it reported (up to 0.1 µs per message). All reads go into one buffer, and no message
 * costs an object.
 */
export class EpollSockets implements Sockets {
  readonly wakesWithinUs: number;
  readonly calls: LinuxSocketCalls;
  readonly #epoll: number;
  readonly #received = new Uint8Array(new ArrayBuffer(receiveBytes));
  readonly #discarded = new Uint8Array(new ArrayBuffer(receiveBytes));
  readonly #events = new Int32Array(new ArrayBuffer(mostEvents * epollEvent.words * 4));
  readonly #event = new Int32Array(new ArrayBuffer(epollEvent.words * 4));
  readonly #option = new Int32Array(new ArrayBuffer(8));
  readonly #optionLength = new Int32Array(new ArrayBuffer(4));
  readonly #tcpInfo = new Uint32Array(new ArrayBuffer(tcpInfo.words * 4));
  readonly #timeout = new Int32Array(new ArrayBuffer(16));
  readonly #waitsPrecisely: boolean;
  readonly #descriptorLimit: number;
  /** How many times longer than alone it waits. */
  readonly #patience: number;
  readonly #encoded = new Map<string, Uint8Array | null>();
  readonly #byDescriptor: (EpollSocket | null)[] = [];
  /** Met by a call and not by an event; told in the next turn. */
  #failed: { readonly socket: EpollSocket; readonly error: SocketError }[] = [];
  /** Closed while a batch of events is seen to: their numbers must not be given out again before its end. */
  readonly #closing: number[] = [];
  #isServing = false;
  #idleWaitUs: number;
  #openCount = 0;
  /** Of the last target that speaks TLS: a process has one. */
  #tls: { readonly of: Tls; readonly context: TlsContext } | null = null;
  /** Null where arrivals are read as they come. */
  #receiver: StampedReceiver | null = null;
  #promptUntilUs = 0;
  #turn: (() => number) | null = null;
  #arrivalsPerTurn = mostEvents;
  #isScheduled = false;

  /**
   * @param descriptorLimit RLIMIT_NOFILE of this process; null where unknown.
   * @param crowd processes like this one for each CPU
   */
  constructor(calls: LinuxSocketCalls, descriptorLimit: number | null = null, crowd = 1) {
    this.calls = calls;
    this.#patience = Math.min(mostPatience, Math.max(1, crowd));
    this.#idleWaitUs = this.#patience * leastIdleWaitUs;
    this.#descriptorLimit = (descriptorLimit ?? Number.POSITIVE_INFINITY) - sparedDescriptors;
    this.#epoll = calls.epoll_create1(linux.EPOLL_CLOEXEC);
    if (this.#epoll < 0) throw new Error(`epoll_create1 failed: ${errorName(calls.errno())}`);
    this.#waitsPrecisely = calls.epoll_pwait2?.(this.#epoll, this.#events, 1, this.#timeout, null) === 0;
    // Measured: 25 µs mostly, 60 µs in one of a hundred (epoll_pwait2).
    this.wakesWithinUs = this.#waitsPrecisely ? 100 : 2000;
    // By default the kernel may wake a thread up to 50 µs late, to save power.
    calls.prctl(linux.PR_SET_TIMERSLACK, 1, 0, 0, 0);
  }

  open(target: SocketAddress, sourceAddress: string | null, owner: SocketOwner): Socket {
    const { tls = null } = target;
    const socket =
      tls === null
        ? new EpollSocket(this, owner, target)
        : new EpollTlsSocket(this, owner, target, this.#tlsContext(tls));
    this.#openCount += 1;
    this.#connect(socket, target, sourceAddress);
    this.#schedule();
    return socket;
  }

  pace(turn: () => number, arrivalsPerTurn: number): void {
    this.#turn = turn;
    this.#arrivalsPerTurn = Math.max(1, Math.min(mostEvents, arrivalsPerTurn));
    this.#schedule();
  }

  rest(): void {
    this.#turn = null;
    this.#arrivalsPerTurn = mostEvents;
  }

  readLater(): void {
    this.#receiver ??= new StampedReceiver(this.calls, this.#received);
  }

  arrivalUs(): number {
    const stampUs = this.#receiver?.stampUs ?? 0;
    return stampUs > 0 ? stampUs : nowUs();
  }

  canBind(address: string): boolean {
    const { calls } = this;
    const local = encodeSocketAddress(calls, address, 0);
    if (local === null) return false;
    const descriptor = calls.socket(familyOf(local), linux.SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
    // With no descriptor left nothing is known of the address: it is tried, and then tells.
    if (descriptor < 0) return true;
    const isBound = calls.bind(descriptor, local, local.length) === 0;
    calls.close(descriptor);
    return isBound;
  }

  /** Of a socket that can't be written to. The event that says so too may come first or never. */
  fail(socket: EpollSocket, code: string, address: string | null = socket.remote): void {
    this.#failed.push({ socket, error: { code, address } });
    this.#schedule();
  }

  watch(socket: EpollSocket, operation: number, events: number): boolean {
    const event = this.#event;
    event[0] = events;
    event[epollEvent.data] = socket.descriptor;
    return this.calls.epoll_ctl(this.#epoll, operation, socket.descriptor, event) === 0;
  }

  resumeReading(socket: EpollSocket): void {
    // Modifying looks anew: what has been waiting is reported again.
    this.watch(socket, linux.EPOLL_CTL_MOD, watchedEvents);
  }

  pauseReading(socket: EpollSocket): void {
    this.watch(socket, linux.EPOLL_CTL_MOD, pausedEvents);
  }

  close(socket: EpollSocket): void {
    if (socket.state === "closed") return;
    socket.state = "closed";
    socket.onClosed();
    this.#openCount -= 1;
    if (socket.descriptor < 0) return;
    this.#byDescriptor[socket.descriptor] = null;
    if (this.#isServing) this.#closing.push(socket.descriptor);
    else this.calls.close(socket.descriptor);
    socket.descriptor = -1;
  }

  /** Empties what has arrived: closing with unread bytes makes the system send a reset after what was written. */
  drain(socket: EpollSocket): void {
    while (this.calls.recv(socket.descriptor, this.#discarded, receiveBytes) === receiveBytes) {}
  }

  /** Makes closing send a reset. */
  linger(socket: EpollSocket): void {
    // struct linger { int l_onoff; int l_linger }
    this.#option[0] = 1;
    this.#option[1] = 0;
    this.calls.setsockopt(socket.descriptor, linux.SOL_SOCKET, linux.SO_LINGER, this.#option, 8);
  }

  segmentsIn({ descriptor, state }: EpollSocket): number | null {
    if (state !== "open") return null;
    const info = this.#tcpInfo;
    const length = this.#optionLength;
    length[0] = info.byteLength;
    const { TCP_INFO, IPPROTO_TCP } = linux;
    const isTold = this.calls.getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, length) === 0;
    // An older kernel writes less, and says how much.
    return isTold && length[0] === info.byteLength ? (info[tcpInfo.dataSegmentsIn] as number) : null;
  }

  #tlsContext(tls: Tls): TlsContext {
    if (this.#tls?.of === tls) return this.#tls.context;
    const ssl = openSsl();
    if (ssl === null) throw new Error("there is no libssl.so.3 for TLS");
    this.#tls = { of: tls, context: new TlsContext(ssl, tls) };
    return this.#tls.context;
  }

  #connect(socket: EpollSocket, { host, port }: SocketAddress, sourceAddress: string | null): void {
    const { calls } = this;
    const remote = this.#encode(host, port);
    const local = sourceAddress === null ? null : this.#encode(sourceAddress, 0);
    if (remote === null || (sourceAddress !== null && local === null)) {
      this.fail(socket, "EINVAL");
      return;
    }
    const descriptor = calls.socket(familyOf(remote), linux.SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
    if (descriptor < 0) {
      this.fail(socket, errorName(calls.errno()));
      return;
    }
    if (descriptor >= this.#descriptorLimit) {
      calls.close(descriptor);
      this.fail(socket, "EMFILE");
      return;
    }
    socket.descriptor = descriptor;
    this.#byDescriptor[descriptor] = socket;
    this.#set(descriptor, linux.IPPROTO_TCP, linux.TCP_NODELAY);
    if (this.#receiver !== null) this.#set(descriptor, linux.SOL_SOCKET, linux.SO_TIMESTAMPNS);
    if (local !== null) {
      // Without it bind takes a port of this address for itself alone, whatever the target (ip(7)).
      this.#set(descriptor, linux.IPPROTO_IP, linux.IP_BIND_ADDRESS_NO_PORT);
      if (calls.bind(descriptor, local, local.length) !== 0) {
        this.fail(socket, errorName(calls.errno()), sourceAddress);
        return;
      }
    }
    if (calls.connect(descriptor, remote, remote.length) !== 0) {
      const errno = calls.errno();
      if (errno !== linux.EINPROGRESS) {
        this.fail(socket, errorName(errno));
        return;
      }
    }
    // Not before: a socket that has not begun to connect is reported as hung up.
    if (!this.watch(socket, linux.EPOLL_CTL_ADD, watchedEvents)) this.fail(socket, errorName(calls.errno()));
  }

  /** Null for what is no address. */
  #encode(address: string, port: number): Uint8Array | null {
    const key = port === 0 ? address : `${address} ${port}`;
    const known = this.#encoded.get(key);
    if (known !== undefined) return known;
    const encoded = encodeSocketAddress(this.calls, address, port);
    if (this.#encoded.size < mostEncoded) this.#encoded.set(key, encoded);
    return encoded;
  }

  #set(descriptor: number, level: number, option: number): void {
    this.#option[0] = 1;
    this.calls.setsockopt(descriptor, level, option, this.#option, 4);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#isScheduled = false;
    if (this.#turn === null) {
      const count = this.#poll(this.#idleWaitUs);
      const patience = this.#patience;
      this.#idleWaitUs =
        count > 0 ? patience * leastIdleWaitUs : Math.min(patience * mostIdleWaitUs, 2 * this.#idleWaitUs);
    } else if (this.#receiver !== null) {
      this.#runSparingly();
    } else {
      let leftUs = this.#patience * shiftUs;
      const untilUs = nowUs() + leftUs;
      do {
        const waitUs: number = this.#turn();
        this.#poll(Math.min(waitUs, leftUs));
        leftUs = untilUs - nowUs();
      } while (leftUs > 0 && this.#turn !== null);
    }
    // Without sockets there is nothing to wait for, and nothing that should keep the process alive.
    if (this.#openCount > 0 || this.#turn !== null) this.#schedule();
  };

  /** Sleeps from one turn to the next, whatever arrives: when it did is known all the same. */
  #runSparingly(): void {
    const patience = this.#patience;
    const untilUs = nowUs() + patience * sparingShiftUs;
    let atUs: number;
    do {
      const waitUs = this.#turn?.() ?? 0;
      const wakeUs = nowUs() + Math.min(waitUs, patience * shiftUs);
      const isPrompt = wakeUs < this.#promptUntilUs;
      const count = this.#poll(isPrompt ? wakeUs - nowUs() : 0);
      if (!isPrompt && count < this.#arrivalsPerTurn) this.#sleepUntil(wakeUs);
      atUs = nowUs();
    } while (atUs < untilUs && this.#turn !== null);
  }

  #sleepUntil(wakeUs: number): void {
    // struct timespec { time_t sec; long nsec }, low words.
    const seconds = Math.floor(wakeUs / 1e6);
    this.#timeout[0] = seconds;
    this.#timeout[2] = (wakeUs - seconds * 1e6) * 1000;
    this.calls.clock_nanosleep(linux.CLOCK_MONOTONIC, linux.TIMER_ABSTIME, this.#timeout, null);
    this.#timeout[0] = 0;
  }

  /** Returns how many sockets had something to be seen to. */
  #poll(waitUs: number): number {
    if (this.#failed.length > 0) this.#tellFailed();
    const events = this.#events;
    const count = this.#wait(waitUs);
    this.#isServing = true;
    if (count > 0) this.#receiver?.readClocks();
    for (let at = 0, left = count; left > 0; at += epollEvent.words, left -= 1) {
      const socket = this.#byDescriptor[events[at + epollEvent.data] as number];
      // Null when it was closed in the callback of another.
      if (socket != null) this.#serve(socket, events[at] as number);
    }
    this.#isServing = false;
    if (this.#closing.length > 0) this.#closeAll();
    return count;
  }

  #closeAll(): void {
    for (const descriptor of this.#closing) this.calls.close(descriptor);
    this.#closing.length = 0;
  }

  #wait(waitUs: number): number {
    const { calls } = this;
    if (waitUs < 1) return calls.epoll_wait(this.#epoll, this.#events, this.#arrivalsPerTurn, 0);
    if (calls.epoll_pwait2 === null || !this.#waitsPrecisely) {
      return calls.epoll_wait(this.#epoll, this.#events, this.#arrivalsPerTurn, Math.ceil(waitUs / 1000));
    }
    // struct timespec { time_t sec; long nsec }, low words; waits are always below a second.
    this.#timeout[2] = waitUs * 1000;
    return calls.epoll_pwait2(this.#epoll, this.#events, this.#arrivalsPerTurn, this.#timeout, null);
  }

  #serve(socket: EpollSocket, events: number): void {
    if (socket.state === "connecting") {
      // Without either of these events there is no error, and nothing that has to be asked for it.
      const errno = (events & failedEvents) === 0 ? 0 : this.#connectError(socket);
      if (errno !== 0) {
        this.over(socket, socket.describeEnd(errorName(errno)));
        return;
      }
      socket.onConnected();
      if (socket.descriptor < 0) return;
    }
    if (socket.isBlocked && (events & linux.EPOLLOUT) !== 0) {
      socket.onWritable();
      if (socket.descriptor < 0) return;
    }
    if ((events & readableEvents) !== 0) this.#read(socket, (events & endingEvents) !== 0);
  }

  /** @param isEnding what it still sends, and then its end, is read to the last: there will be no other event. */
  #read(socket: EpollSocket, isEnding: boolean): void {
    const { calls } = this;
    const received = this.#received;
    const receiver = this.#receiver;
    while (!socket.isPaused || isEnding) {
      const length =
        receiver === null
          ? calls.recv(socket.descriptor, received, receiveBytes)
          : receiver.receive(socket.descriptor);
      if (length > 0) {
        if (length >= largeReadBytes && receiver !== null) this.#promptUntilUs = nowUs() + promptUs;
        socket.onReceived(received, length);
        if (socket.descriptor < 0) return;
        if (isEnding) continue;
        // A short read emptied it (epoll(7)). A full one waits for its turn among the others.
        if (length === receiveBytes && !socket.isPaused) this.resumeReading(socket);
        return;
      }
      if (length === 0) {
        this.over(socket, socket.describeEnd(null));
        return;
      }
      const errno = calls.errno();
      if (errno === linux.EINTR) continue;
      if (errno !== linux.EAGAIN) this.over(socket, socket.describeEnd(errorName(errno)));
      return;
    }
  }

  /** 0 when TCP is established. */
  #connectError(socket: EpollSocket): number {
    this.#optionLength[0] = 4;
    const option = this.#option;
    this.calls.getsockopt(socket.descriptor, linux.SOL_SOCKET, linux.SO_ERROR, option, this.#optionLength);
    return option[0] as number;
  }

  #tellFailed(): void {
    const failed = this.#failed;
    this.#failed = [];
    for (const { socket, error } of failed) {
      if (socket.state === "closed") continue;
      this.close(socket);
      socket.owner.onSocketClose(error);
    }
  }

  /** @param error null when the peer ended it */
  over(socket: EpollSocket, error: SocketError | null): void {
    if (socket.state === "closed") return;
    this.close(socket);
    const met = this.#failed.length === 0 ? undefined : this.#failed.find((one) => one.socket === socket);
    socket.owner.onSocketClose(met?.error ?? error);
  }
}

function familyOf(address: Uint8Array): number {
  return address.length === 16 ? linux.AF_INET : linux.AF_INET6;
}
