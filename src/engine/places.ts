import type { RoomGroup } from "../plan/plan.ts";

/**
 * A connection has three numbers: its *index* over all workers, its *place* among its worker's own (index i belongs to
 * worker i modulo workers) and, where it sends to a room, its *slot* among that room's senders.
 */
export interface Share {
  readonly worker: number;
  readonly workers: number;
}

export function isOwn({ worker, workers }: Share, index: number): boolean {
  return index % workers === worker;
}

/** Of a connection that is the worker's own. */
export function placeOf({ worker, workers }: Share, index: number): number {
  return (index - worker) / workers;
}

export function indexOf({ worker, workers }: Share, place: number): number {
  return place * workers + worker;
}

/** How many of `connections` are the worker's own. */
export function countOwn({ worker, workers }: Share, connections: number): number {
  return Math.max(0, Math.ceil((connections - worker) / workers));
}

/** The room of a connection, from 0 within the group. */
export function roomWithin({ count }: RoomGroup, index: number): number {
  return index % count;
}

/** The room of a connection by its number on the wire. */
export function roomOf(group: RoomGroup, index: number): number {
  return group.first + roomWithin(group, index);
}
