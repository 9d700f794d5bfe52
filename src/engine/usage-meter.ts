import { nowUs } from "../machine/clock.ts";
import { Histogram } from "../stats/histogram.ts";
import type { WorkerUsage } from "./worker-protocol.ts";

const heartbeatMs = 10;

/** What a worker's process uses of its CPU, and by how much its event loop is late, since the last reset. */
export class UsageMeter {
  readonly #loopDelay = new Histogram();
  readonly #heartbeat: Timer;
  #cpuAtStart = process.cpuUsage();

  constructor() {
    let dueUs = nowUs() + heartbeatMs * 1000;
    this.#heartbeat = setInterval(() => {
      const now = nowUs();
      this.#loopDelay.record(Math.floor(now - dueUs));
      dueUs = now + heartbeatMs * 1000;
    }, heartbeatMs);
  }

  reset(): void {
    this.#loopDelay.reset();
    this.#cpuAtStart = process.cpuUsage();
  }

  read(): WorkerUsage {
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    return {
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
      loopDelay: this.#loopDelay.toSparse(),
    };
  }

  stop(): void {
    clearInterval(this.#heartbeat);
  }
}
