import type { Account } from "../attack/account.ts";
import type { Target } from "../target.ts";
import type { Iteration, Settle } from "./iteration.ts";
import { describeExpected, readExpected } from "./message.ts";
import type { Rooms } from "./rooms.ts";
import type {
  ConnectOptions,
  Expected,
  ExpectOptions,
  Message,
  Room,
  User,
  UserConnection,
} from "./scenario.ts";
import type { ScenarioAccount } from "./scenario-account.ts";
import type { UserSocket } from "./user-socket.ts";

/** What the users of a worker share. */
export interface Stage {
  readonly account: Account;
  readonly tally: ScenarioAccount;
  readonly target: Target;
  readonly rooms: Rooms;
  /** Users of this worker. */
  readonly users: number;
  readonly replyTimeoutMs: number;
  nowUs(): number;
  /** Opens a connection for a user. @param told called once, when it is open, or with why it is not */
  open(user: number, target: Target, told: (problem: string | null) => void): UserSocket;
  /** The scenario closes it. */
  close(socket: UserSocket): void;
}

const utf8 = new TextEncoder();

/** What the scenario's function is given for one iteration. */
export function createUser(
  stage: Stage,
  iteration: Iteration,
  who: Pick<User, "user" | "iteration" | "row">,
): User {
  const sockets = new WeakMap<UserConnection, UserSocket>();
  return {
    ...who,
    connect: (path, options) => {
      const target = atPath(stage.target, path, options, iteration);
      return iteration.wait("connect", (settle) => {
        const socket = stage.open(who.user, target, (problem) => {
          if (problem !== null) settle.reject(`connect: ${problem}`);
          else settle.resolve(connection);
        });
        const connection = createConnection(stage, iteration, socket);
        sockets.set(connection, socket);
        iteration.sockets.add(socket);
        return () => {};
      });
    },
    wait: (ms) => {
      const delayMs = readMs("wait", ms, iteration);
      return iteration.wait("wait", (settle) => {
        const timer = setTimeout(() => settle.resolve(undefined), delayMs);
        return () => clearTimeout(timer);
      });
    },
    room: (name) => createRoom(stage, iteration, sockets, name),
    measure: (name, ms) => {
      iteration.note("measure");
      stage.tally.measure(name, ms);
    },
    check: (name, condition) => {
      const at = iteration.note("check");
      const isTrue = Boolean(condition);
      stage.tally.check(name, isTrue, () => iteration.placeOf(at));
      return isTrue;
    },
  };
}

function createConnection(stage: Stage, iteration: Iteration, socket: UserSocket): UserConnection {
  return {
    send: (message) => {
      const at = iteration.note("send");
      const isBytes = message instanceof Uint8Array;
      const payload = isBytes
        ? message
        : utf8.encode(typeof message === "string" ? message : toJson(message, at));
      if (iteration.isOver) return;
      const problem = socket.send(payload, !isBytes);
      if (problem !== null) throw withMessage(at, `send: ${problem}`);
      iteration.sentUs = socket.sentUs;
    },
    expect: (what, options) => {
      const awaited = readAwaited(stage, iteration, what, options);
      return iteration.wait("expect", (settle) =>
        expectOf([socket], {
          stage,
          awaited,
          settle,
          sentUs: null,
          taken: (message) => settle.resolve(message),
        }),
      );
    },
    close: () => {
      iteration.note("close");
      stage.close(socket);
    },
  };
}

function createRoom(
  stage: Stage,
  iteration: Iteration,
  sockets: WeakMap<UserConnection, UserSocket>,
  name: string,
): Room {
  const { rooms, users: most } = stage;
  return {
    join: (connection) => {
      const at = iteration.note("join");
      const socket = sockets.get(connection);
      if (socket === undefined) throw withMessage(at, "join: expected a connection of this iteration");
      if (socket.connection.state !== "open") throw withMessage(at, `join: ${socket.describeEnd()}`);
      rooms.join(name, socket);
    },
    meet: (users) => {
      const at = iteration.note("meet");
      if (!Number.isInteger(users) || users < 1 || users > most) {
        throw withMessage(
          at,
          `meet(${users}): expected a number from 1 to ${most}, the users of this worker`,
        );
      }
      return iteration.wait("meet", (settle) => rooms.meet(name, users, () => settle.resolve(undefined)));
    },
    expect: (what, options) => {
      const awaited = readAwaited(stage, iteration, what, options);
      const members = rooms.membersOf(name);
      if (members.length === 0)
        throw withMessage(iteration.note("room.expect"), "expect: nobody is in the room");
      return iteration.wait("room.expect", (settle) => {
        let missing = members.length;
        const taken = () => {
          missing -= 1;
          if (missing === 0) settle.resolve(members.length);
        };
        return expectOf(members, { stage, awaited, settle, sentUs: iteration.sentUs, taken, left: taken });
      });
    },
  };
}

interface Awaited {
  readonly fits: (message: Message) => boolean;
  readonly text: string;
  readonly timeoutMs: number;
}

interface Expecting {
  readonly stage: Stage;
  readonly awaited: Awaited;
  readonly settle: Pick<Settle<never>, "reject" | "rejectWith">;
  readonly sentUs: number | null;
  readonly taken: (message: Message) => void;
  /** The scenario closed one of them; absent where nothing is left to wait for then. */
  readonly left?: () => void;
}

/** A message of each of these connections. @returns what ends it */
function expectOf(
  sockets: readonly UserSocket[],
  { stage, awaited, settle, sentUs, taken, left }: Expecting,
): () => void {
  const { account } = stage;
  const { fits, text, timeoutMs } = awaited;
  const askedUs = stage.nowUs();
  const takeAway = new Set<() => void>();
  let missing = sockets.length;
  const timer = setTimeout(() => {
    account.expected += missing;
    settle.reject(`no ${text.replace(/^a /, "")} came within ${timeoutMs / 1000} s`);
  }, timeoutMs);
  for (const socket of sockets) {
    takeAway.add(
      socket.wait({
        fits,
        sentUs,
        askedUs,
        taken: (message) => {
          missing -= 1;
          taken(message);
        },
        closed: (failure) => {
          missing -= 1;
          if (failure === null && left !== undefined) {
            left();
            return;
          }
          if (failure !== null) {
            account.expected += 1;
            account.lostOnClosed += 1;
          }
          settle.reject(`expect: ${socket.describeEnd()}`);
        },
        threw: settle.rejectWith,
      }),
    );
  }
  return () => {
    clearTimeout(timer);
    for (const one of takeAway) one();
  };
}

function readAwaited(
  { replyTimeoutMs }: Stage,
  iteration: Iteration,
  what: Expected | undefined,
  { timeoutMs }: ExpectOptions = {},
): Awaited {
  const known = timeoutMs === undefined ? replyTimeoutMs : readMs("timeoutMs", timeoutMs, iteration);
  return { fits: readExpected(what), text: describeExpected(what), timeoutMs: known };
}

/** The same server, with what this connection wants otherwise. */
function atPath(
  target: Target,
  path: string | undefined,
  { headers = {} }: ConnectOptions = {},
  iteration: Iteration,
): Target {
  if (path === undefined && Object.keys(headers).length === 0) return target;
  const at = iteration.note("connect");
  if (path !== undefined && !/^\/[\x21-\x7e]*$/.test(path)) {
    throw withMessage(at, `connect(${JSON.stringify(path)}): expected a path such as /chat?room=1`);
  }
  for (const [name, value] of Object.entries(headers)) {
    // RFC 9110, section 5: a line break would be a header of its own.
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue;
    throw withMessage(at, `connect: header ${JSON.stringify(name)}: expected a name and a value on one line`);
  }
  return { ...target, path: path ?? target.path, headers: { ...target.headers, ...headers } };
}

function readMs(name: string, ms: number, iteration: Iteration): number {
  // The longest that a timer takes.
  if (typeof ms === "number" && ms >= 0 && ms < 2 ** 31) return ms;
  throw withMessage(
    iteration.note(name),
    `${name}: ${String(ms)} is no time, expected milliseconds from 0 on`,
  );
}

function toJson(value: unknown, at: Error): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text !== undefined) return text;
  throw withMessage(at, `send(${typeof value}): expected text, bytes or what JSON can say`);
}

function withMessage(at: Error, message: string): Error {
  at.message = message;
  return at;
}
