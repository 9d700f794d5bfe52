/** What `/stats` tells, of one worker or of all. */
export interface Counts {
  readonly connections: number;
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

export const noCounts: Counts = { connections: 0, received: 0, sent: 0, dropped: 0 };

export function addCounts(one: Counts, other: Counts): Counts {
  return {
    connections: one.connections + other.connections,
    received: one.received + other.received,
    sent: one.sent + other.sent,
    dropped: one.dropped + other.dropped,
  };
}

/** From the first process to a worker: everyone is linked, so listen; tell your counts; or: these are everyone's. */
export type Order =
  | { readonly type: "listen" }
  | { readonly type: "count"; readonly ask: number }
  | { readonly type: "total"; readonly ask: number; readonly counts: Counts };

/** From a worker to the first process: all links are there; what do all count; or: this is what I count. */
export type Report =
  | { readonly type: "linked" }
  | { readonly type: "ask"; readonly ask: number }
  | { readonly type: "counts"; readonly ask: number; readonly counts: Counts };
