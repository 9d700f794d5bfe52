import type { Connection } from "./connection.ts";

/** Two system calls each, before and behind the load: less than a tenth of a millisecond for all of a worker's. */
const mostConnections = 64;

/** Messages that came to some of a worker's connections, and the TCP segments that they came in. */
export interface SegmentCount {
  readonly connections: number;
  readonly segments: number;
  /** Delivered to the same connections, while the segments were counted. */
  readonly deliveries: number;
}

/**
 * Counts the TCP segments in which a load arrives, on connections evenly spread over all of a worker's. How many
 * messages share a segment is the server's doing where they are small: over loopback a write is a segment of its own,
 * but that the kernel joins writes that wait for its congestion window, and splits those of more than 64 KiB.
 */
export class SegmentSample {
  readonly #connections: readonly Connection[];
  #before: readonly (number | null)[] = [];

  constructor(connections: readonly Connection[]) {
    const count = Math.min(mostConnections, connections.length);
    this.#connections = Array.from(
      { length: count },
      (_, at) => connections[Math.floor((at * connections.length) / count)] as Connection,
    );
  }

  begin(): void {
    this.#before = this.#connections.map((connection) => connection.segmentsIn());
  }

  /**
   * Of connections that lived through all of it; null where there are none, or the system doesn't tell.
   *
   * @param deliveredTo deliveries by the connection's place
   */
  end(deliveredTo: ArrayLike<number>): SegmentCount | null {
    let [connections, segments, deliveries] = [0, 0, 0];
    for (const [at, before] of this.#before.entries()) {
      const connection = this.#connections[at] as Connection;
      const after = connection.segmentsIn();
      if (before === null || after === null) continue;
      connections += 1;
      // The kernel's counter has 32 bits.
      segments += (after - before) >>> 0;
      deliveries += deliveredTo[connection.place] as number;
    }
    return connections === 0 ? null : { connections, segments, deliveries };
  }
}
