import { randomUUID } from "node:crypto";

/**
 * Kills what this program started if this program dies, however it dies: SIGKILL, out of memory, a closed
 * terminal. One small shell per run, in a session of its own, that sleeps in `read` and costs no CPU.
 */
export interface Reaper {
  /** Marks the environment of everything started, so that even what left its process group is found (Linux). */
  readonly id: string;
  readonly pid: number;
  /** From now on this process group does not outlive the program. */
  hold(processGroup: number): void;
  /** The group is gone; its number may be given to somebody else's processes. */
  release(processGroup: number): void;
  /** Kills what is still held, and ends. */
  stop(): Promise<void>;
}

/** The environment variable that carries the mark: `<id>.<number>`. */
export const markName = "SHOWDOWN_PROCESS";

let started = 0;

/** A mark of its own for a process to be started. */
export function createMark(reaper: Reaper | undefined): string {
  started++;
  return `${reaper?.id ?? randomUUID()}.${started}`;
}

// The end of stdin is the end of the program: the kernel closes the other side when it dies. Groups are named
// as they come and go; the marks are searched because a SIGKILL between a start and its "hold", or a server
// that made a session of its own, would leave a process behind that no group names. Searched again until none
// is found, since a process may fork while the others are being killed. `-s KILL --`, for dash takes no `--`
// after `-KILL`.
const script = `
trap '' HUP INT QUIT TERM PIPE
held=' '
while read -r verb group; do
  case "$verb" in
    hold) held="$held$group " ;;
    release) case "$held" in *" $group "*) held="\${held%% $group *} \${held#* $group }" ;; esac ;;
  esac
done
for group in $held; do kill -s KILL -- "-$group" 2>/dev/null; done
for round in 1 2 3 4 5; do
  marked=$(grep -lsF "$2=$1." /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)
  [ -n "$marked" ] || break
  kill -s KILL $marked 2>/dev/null
done
`;

export function startReaper(): Reaper {
  const id = randomUUID();
  const shell = Bun.spawn(["/bin/sh", "-c", script, "showdown-reaper", id, markName], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
  });
  // It must never be the reason why the program does not end.
  shell.unref();
  const tell = (line: string) => {
    if (shell.exitCode !== null || shell.signalCode !== null) return;
    try {
      shell.stdin.write(`${line}\n`);
      shell.stdin.flush();
    } catch {
      // Somebody killed the reaper. The servers are still stopped one by one.
    }
  };
  return {
    id,
    pid: shell.pid,
    hold: (processGroup) => tell(`hold ${processGroup}`),
    release: (processGroup) => tell(`release ${processGroup}`),
    stop: async () => {
      shell.ref();
      await shell.stdin.end();
      await shell.exited;
    },
  };
}
