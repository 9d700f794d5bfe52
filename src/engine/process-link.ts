import { ownCommand } from "../machine/installation.ts";
import { exitOf } from "../process/exit.ts";
import type { LinkListener, WorkerLink } from "./worker-link.ts";
import type { Report } from "./worker-protocol.ts";

export interface ProcessLink extends WorkerLink {
  readonly pid: number;
}

/** A worker in a child process of its own. */
export function openProcessLink(_worker: number, listener: Omit<LinkListener, "onLost">): ProcessLink {
  const child = Bun.spawn(ownCommand("__worker"), {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
    serialization: "advanced",
    ipc: (report: Report) => listener.onReport(report),
    onExit: (ended) => listener.onExit(exitOf(ended)),
  });
  return {
    pid: child.pid,
    send: (command) => {
      if (child.exitCode === null && child.signalCode === null) child.send(command);
    },
    end: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
